//go:build !js

package browser

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// most keeps the largest value of every counter of the cache, and how many colours its grid had until there were some, and marks what
// happened on it.
const most = `
addEventListener('DOMContentLoaded', () => {
  globalThis.most = {};
  globalThis.marks = {};
  const counters = document.querySelectorAll('.counters dd');
  const grid = document.querySelector('#cache-blocks');
  new MutationObserver(() => {
    for (const {id, textContent} of counters) {
      const name = id.replace('cache-', '');
      most[name] = Math.max(most[name] ?? 0, Number(textContent.replaceAll(',', '')) || 0);
    }
    if (grid.width > 0 && !(most.colours > 5)) most.colours = colours();
  }).observe(document.querySelector('.counters'), {subtree: true, childList: true, characterData: true});
  globalThis.statuses = new Set();
  new MutationObserver(() => {
    for (const {textContent} of document.querySelectorAll('.status')) statuses.add(textContent);
  }).observe(document.querySelector('main'), {subtree: true, childList: true, characterData: true});
  new MutationObserver(() => {
    for (const {dataset} of document.querySelectorAll('.legend .now canvas')) marks[dataset.cell] = true;
  }).observe(document.querySelector('.legend'), {subtree: true, attributes: true});
  const colours = () => {
    const {data} = grid.getContext('2d').getImageData(0, 0, grid.width, grid.height);
    const seen = new Map();
    for (const pixel of new Uint32Array(data.buffer)) seen.set(pixel, (seen.get(pixel) ?? 0) + 1);
    return [...seen.values()].filter((n) => n >= 64).length;
  };
});
`

// still asks the page not to move.
func (p *tab) still() {
	p.Helper()
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	}))
}

// Four prompts with four answers each outgrow a small cache: the page shows what they share, and who gives way.
func TestCache(t *testing.T) {
	p := newTab(t, serve(t)+engineView, most)
	p.do(chromedp.Click(css("details summary")))
	p.fill("#kv-memory", "2")
	p.fill("#context", "128")
	p.do(chromedp.Click(css("#load")))
	p.wait(loaded)
	p.wait(`document.querySelector('#cache-free').textContent !== '–'`)
	blocks, err := strconv.Atoi(get[string](p, `document.querySelector('#cache-free').textContent`))
	require.NoError(t, err)

	p.do(chromedp.Click(css("#settings summary")))
	p.fill("#max-tokens", "24")
	p.fill("#answers", "4")
	p.fill("#seed", "7")
	p.do(chromedp.Click(css("#add")), chromedp.Click(css("#add")))
	for n, who := range []string{"a fox and a kite", "a girl and a lost boat", "an owl and a lamp", "two snails and the rain"} {
		p.fill(fmt.Sprintf(".prompt:nth-child(%d) textarea", n+1), "Tell me a short and merry story about "+who+" who meet a friend in the forest.")
	}
	p.do(chromedp.Click(css("#run-all")))
	p.wait(`most.shared > 3 && most.copies > 0 && most.active > 8 && most.colours > 5`) // blocks have their sequences' colours
	p.do(chromedp.EmulateViewport(1280, 900))
	p.picture("cache-start")
	p.still()
	p.wait(`most.preemptions > 0 && marks.preempted`)
	p.wait(`statuses.has('Preempted: waits for free blocks')`)
	p.picture("cache-preempted")
	p.wait(busy + ` === 0`)
	assert.True(t, get[bool](p, `marks.copied && (marks.evicted || most.evictions === 0)`), "copies and evictions are marked")
	for n := 1; n <= 4; n++ {
		assert.Regexp(t, `^Done.*: \d+ tokens, `, get[string](p, status(n)))
		assert.Equal(t, 4, get[int](p, fmt.Sprintf(`[...document.querySelectorAll('.prompt:nth-child(%d) .output p')].filter((a) => a.textContent.length > 20).length`, n)))
	}
	p.wait(`document.querySelector('#cache-active').textContent === '0'`)
	assert.Equal(t, strconv.Itoa(blocks), get[string](p, `document.querySelector('#cache-free').textContent`), "all blocks come back")
	assert.Equal(t, "0", get[string](p, `document.querySelector('#cache-shared').textContent`))
	p.wait(`document.querySelector('#cache-text').textContent.startsWith('0 blocks of ')`)
	p.quiet()
	p.narrow("a cache that was used")
	p.pictures("cache-")
	t.Log(get[string](p, `JSON.stringify(most)`))
}

// Sequences that wait are not said to hold blocks.
func TestCacheOfWaiting(t *testing.T) {
	p := newTab(t, serve(t)+engineView, "")
	get[bool](p, `import('/page/cache.js').then(({CacheView}) => {
		const stats = {blocks: {total: 4, active: 2, cached: 0, free: 2}, hitTokens: 0, copies: 0, evictions: 0, preemptions: 1, swaps: 0};
		const [one, two] = [{}, {}];
		const cache = {
			owners: Int32Array.of(0, 0, -1, -1), references: Uint16Array.of(1, 1, 0, 0), cached: new Uint8Array(4), shared: 0, events: [], stats,
			sequences: [{generation: one, index: 0, blocks: 2}, {generation: two, index: 0, blocks: 0}],
		};
		new CacheView(() => ({number: 1, answers: 1})).open({watch(watcher) { watcher(cache); return () => {}; }});
		return true;
	})`)
	p.wait(`document.querySelector('#cache-text').textContent.startsWith('2 blocks of 4 in use by 1 sequence,')`)
	p.quiet()
}
