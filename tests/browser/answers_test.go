//go:build !js

package browser

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A person presses Ctrl+Enter before a model is loaded, reads where answers ended, reloads and finds them again.
func TestAnswers(t *testing.T) {
	p := newTab(t, serve(t)+engineView, "")
	ctrlEnter := chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl))
	p.do(chromedp.Click(css("details summary")), chromedp.Click(css("#settings summary")))
	p.fill("#context", "48")
	p.fill("#temperature", "0")
	p.fill("#max-tokens", "9")

	// The model is loaded first, and then answers; who has given up meanwhile is left alone.
	p.fill(".prompt:nth-child(2) textarea", "Tell me a story about a hen.")
	p.do(ctrlEnter)
	assert.Equal(t, "Loading the model first", get[string](p, status(2)))
	assert.Equal(t, "Stop", get[string](p, nth(2, ".run")))
	p.fill(".prompt:nth-child(1) textarea", "Tell me a story about a dog.")
	p.do(ctrlEnter)
	require.Equal(t, "Loading the model first", get[string](p, status(1)))
	p.do(chromedp.KeyEvent(kb.Escape))
	assert.Empty(t, get[string](p, status(1)))
	p.wait(loaded)
	assert.Equal(t, "0", get[string](p, `document.querySelector('#temperature').value`), "what was set by hand stays")
	p.wait(status(2) + `.startsWith('Done')`)
	assert.Regexp(t, `^Done, max tokens reached: 9 tokens, `, get[string](p, status(2)))
	assert.Empty(t, get[string](p, output(1)), "what was given up does not run")

	// One answer has one speed.
	for _, id := range []string{"decode", "first"} {
		figure := get[string](p, `document.querySelector('#figure-`+id+`').textContent`)
		assert.Contains(t, get[string](p, status(2)), figure, id)
	}
	assert.Equal(t, "Decode", get[string](p, `document.querySelector('#figure-decode-name').textContent`))
	assert.Regexp(t, `^[\d.]+ MiB of f16: \d+ blocks of 16 tokens, 4.0 KiB a token$`, get[string](p, `document.querySelector('#figure-kv').textContent`))
	assert.Regexp(t, `^1,024 tokens in f16; 1,024 in bf16, 1,024 in f32, 1,024 in q8$`, get[string](p, `document.querySelector('#figure-largest').textContent`))

	// The context ends a text too, and several answers say for themselves.
	get[bool](p, `['#max-tokens', '#mode'].forEach((id, i) => { document.querySelector(id).value = ['', 'raw'][i]; }) ?? true`)
	p.fill(".prompt:nth-child(1) textarea", "Once upon a time there was")
	p.do(ctrlEnter)
	p.wait(status(1) + `.startsWith('Done')`)
	assert.Regexp(t, `^Done, the context of 48 tokens is full: \d+ tokens, `, get[string](p, status(1)))
	p.fill("#answers", "2")
	p.fill("#max-tokens", "3")
	p.do(chromedp.Click(css("#add")))
	p.fill(".prompt:nth-child(3) textarea", "Once upon a time there was")
	p.do(ctrlEnter)
	p.wait(status(3) + `.startsWith('Done')`)
	assert.Regexp(t, `^Done, max tokens reached: 6 tokens, `, get[string](p, status(3)))
	assert.Equal(t, 2, get[int](p, `[...document.querySelectorAll('.answer')].filter((a) => /^Answer 3[ab]: max tokens reached$/.test(a.textContent)).length`))

	// All of it is there after a reload, and what still ran says that it was cut off.
	get[bool](p, `['#max-tokens', '#answers'].forEach((id, i) => { document.querySelector(id).value = ['', '1'][i]; }) ?? true`)
	p.fill(".prompt:nth-child(2) textarea", "Once upon a time there was a very old")
	p.do(ctrlEnter)
	p.wait(output(2) + `.length > 5`)
	const shown = `[...document.querySelectorAll('.prompt')].map((p) => [p.querySelector('textarea').value, p.querySelector('.output').textContent, p.querySelector('.status').textContent])`
	before := get[[][]string](p, shown)
	p.do(chromedp.Reload())
	after := get[[][]string](p, shown)
	require.Len(t, after, 3)
	assert.Equal(t, before[0], after[0])
	assert.Equal(t, before[2], after[2])
	assert.Equal(t, before[1][0], after[1][0])
	assert.True(t, strings.HasPrefix(after[1][1], before[1][1]), "%q begins with %q", after[1][1], before[1][1])
	if !strings.HasPrefix(after[1][2], "Done") { // a fast GPU may have been quicker
		assert.Equal(t, "Cut off when the page was left", after[1][2])
	}
	p.pictures("kept-")

	p.do(chromedp.Click(css("#clear")))
	assert.Equal(t, []string{"", ""}, get[[]string](p, `[...document.querySelectorAll('.prompt .output')].map((o) => o.textContent)`))
	p.do(chromedp.Reload())
	assert.Equal(t, []string{"", ""}, get[[]string](p, `[...document.querySelectorAll('.prompt .output')].map((o) => o.textContent)`))
	p.quiet()
}

// What several decoded together is called so until there is another figure: a request that fails brings none.
func TestFiguresOfSeveral(t *testing.T) {
	p := newTab(t, serve(t)+engineView, "")
	get[bool](p, `import('/page/figures.js').then(({Figures}) => {
		let tokens = 0;
		const info = {adapter: {type: '', name: 'a', features: []}, kvBytes: 1, kvTokenBytes: 1, largestContext: {f16: 1}, kvType: 'f16', blocks: 1, blockSize: 16, selfTest: {kernels: []}};
		const stats = async () => ({blocks: {total: 1, active: 0, cached: 0}, running: 0, waiting: 0, tokens: tokens += 5});
		globalThis.figures = new Figures();
		figures.open({info, stats});
		figures.started();
		figures.started();
		return true;
	})`)
	const shown = `['decode-name', 'decode'].map((id) => document.querySelector('#figure-' + id).textContent)`
	p.wait(shown + `[1].endsWith('tokens/s')`)
	assert.Equal(t, "Decode, together", get[[]string](p, shown)[0])
	got := get[[][]string](p, `(async () => {
		for (let i = 0; i < 2; i++) figures.ended(null);
		const before = `+shown+`;
		figures.started();
		figures.ended(null);
		await new Promise((resolve) => setTimeout(resolve, 600));
		return [before, `+shown+`];
	})()`)
	assert.Equal(t, got[0], got[1])
	p.quiet()
}

// What is kept has a bound, and nothing breaks on storage that is blocked, full, or holds something else.
func TestKeep(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	get[bool](p, `import('/page/keep.js').then((m) => Boolean(Object.assign(globalThis, m)))`)
	get[bool](p, `Boolean(globalThis.made = (text, ...answers) => ({text, answers, endings: [], status: 'Done', problem: null}))`)
	assert.True(t, get[bool](p, `recall() === null`))
	assert.Equal(t, []string{"a", "b"}, get[[]string](p, `(keep([made('a'), made('b', 'answer')]), recall().map((p) => p.text))`))
	assert.Equal(t, []string{"answer"}, get[[]string](p, `recall()[1].answers`))

	// The first lose their answers, then the rest.
	assert.Equal(t, []any{"a 0 The answer was too long to be kept", "b 400000 Done", "c 1 Done"}, get[[]any](p, `(
		keep([made('a', 'x'.repeat(400000)), made('b', 'x'.repeat(400000)), made('c', 'x')]),
		recall().map((p) => p.text + ' ' + (p.answers[0] ?? '').length + ' ' + p.status))`))
	assert.Equal(t, []int{300000}, get[[]int](p, `(keep([made('x'.repeat(300000)), made('y'.repeat(300000))]), recall().map((p) => p.text.length))`))
	assert.True(t, get[bool](p, `(keep([made('x'.repeat(600000))]), recall() === null)`))

	for _, text := range []string{``, `null`, `{}`, `[]`, `[{}]`, `[{"text":"a","answers":[1],"endings":[],"status":"","problem":null}]`,
		`[{"text":"a","answers":[],"endings":[],"status":"","problem":{"title":1}}]`, `{"length":1}`, `not JSON`} {
		assert.True(t, get[bool](p, `(sessionStorage.setItem('quire.prompts', `+"`"+text+"`"+`), recall() === null)`), text)
	}
	assert.True(t, get[bool](p, `(sessionStorage.clear(), (() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; })(), keep([made('a')]), recall() === null)`))

	blocked := newTab(t, serve(t)+engineView, `Object.defineProperty(globalThis, 'sessionStorage', {get() { throw new DOMException('blocked', 'SecurityError'); }})`)
	assert.Equal(t, 2, get[int](blocked, `document.querySelectorAll('.prompt').length`))
	blocked.do(chromedp.Click(css("#add")), chromedp.Click(css(".prompt:nth-child(3) .remove")), chromedp.Click(css("#clear")), chromedp.Reload())
	assert.Equal(t, 2, get[int](blocked, `document.querySelectorAll('.prompt').length`))
	blocked.quiet()
}

// A page that is opened from a file says why nothing runs, though its modules do not load.
func TestOpenedFromAFile(t *testing.T) {
	serve(t)
	for _, page := range []string{"index.html", "attention.html"} {
		p := newTab(t, "file://"+filepath.ToSlash(absolute(t, dist+"/"+page)), "")
		text := get[string](p, `document.querySelector('#platform').textContent`)
		assert.Contains(t, text, "This page was opened from a file.", page)
		assert.Contains(t, text, "python3 -m http.server", page)
		assert.Equal(t, "alert", get[string](p, `document.querySelector('#platform').getAttribute('role')`))
		assert.Zero(t, get[int](p, `document.querySelectorAll('main button:enabled').length`), "nothing to press that does nothing")
		p.narrow("a page from a file")
		p.picture("from-a-file-" + strings.TrimSuffix(page, ".html"))
	}
}
