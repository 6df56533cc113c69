//go:build !js

package browser

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// behind leaves a page for another of the site, which the browser may keep to come back to, and gives what comes back.
func (p *tab) behind(site string) (back func()) {
	p.Helper()
	get[bool](p, `Boolean(addEventListener('pageshow', ({persisted}) => { if (persisted) globalThis.cameBack = true; })) || true`)
	p.do(chromedp.Navigate(site + "/empty.html?behind"))
	return func() {
		p.Helper()
		get[bool](p, `Boolean(setTimeout(() => history.back()))`) // a page that comes back does not load, which chromedp would wait for
		require.Eventually(p, func() bool {
			there, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`!location.search && document.readyState === 'complete'`))
			return err == nil && there
		}, patience, 50*time.Millisecond)
	}
}

// cameBack says whether a page stood still meanwhile, and if not, why.
const cameBack = `globalThis.cameBack ? 'kept' : JSON.stringify(performance.getEntriesByType('navigation')[0].notRestoredReasons?.reasons ?? 'nothing')`

// A stream goes on where it stood, whether the page was hidden and frozen, as where a computer sleeps, or left: then it stands still in
// the back-forward cache, with its locks, its files and its GPU.
func TestStandsStill(t *testing.T) {
	s := keeping(t, map[string][]byte{"/models/tales.gguf": talesFile(t)})
	p := newTab(t, s.url+"/empty.html", "")
	get[bool](p, opener)
	want := get[string](p, `(async () => {
		globalThis.quire = await open('/models/tales.gguf', {deterministic: true});
		await quire.kept;
		globalThis.tell = () => quire.generate({prompt: 'A fox', temperature: 0.8, seed: 3, maxTokens: 5, ignoreEnd: true});
		globalThis.states = '';
		for (const state of ['freeze', 'resume']) document.addEventListener(state, () => { states += state + ' '; });
		return (await tell().result).text;
	})()`)
	require.NotEmpty(t, want)
	begin := func() {
		get[bool](p, `new Promise((resolve) => {
			globalThis.text = '';
			globalThis.stream = tell();
			(async () => { for await (const chunk of stream) resolve(Boolean(text += chunk.text)); })();
		})`)
	}
	ends := func() {
		assert.Equal(t, want, get[string](p, `stream.result.then((result) => result.text)`))
		assert.Equal(t, want, get[string](p, `text`))
	}
	state := func(to page.SetWebLifecycleStateState) {
		p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, page.SetWebLifecycleState, page.SetWebLifecycleStateParams{State: to})
			return err
		}))
	}

	begin()
	state("frozen")
	time.Sleep(300 * time.Millisecond)
	state("active")
	ends()
	p.wait(`states === 'freeze resume '`)

	begin()
	back := p.behind(s.url)
	back()
	require.Equal(t, "kept", get[string](p, cameBack))
	ends()
	assert.Equal(t, 0, get[int](p, `quire.stats().then(({recoveries}) => recoveries)`))
	p.quiet()
	assert.Positive(t, get[int](p, `quire.close().then(() => Quire.models.remove('/models/tales.gguf'))`))
}

// What a page fetches that stands in the back-forward cache, another goes on with, even one that waited before.
func TestStandsStillAndYields(t *testing.T) {
	data := file(3<<20+5, 7)
	s := keeping(t, map[string][]byte{"/models/m.gguf": data})
	hold := make(chan struct{})
	s.set(func(w http.ResponseWriter, r *http.Request, data []byte) bool { // half of a file, and then nothing
		w.Header().Set("Content-Length", "3145737")
		w.Write(data[:len(data)/2])
		w.(http.Flusher).Flush()
		select {
		case <-hold:
		case <-r.Context().Done():
		}
		return true
	})
	defer close(hold)
	first, second := newTab(t, s.url+"/empty.html", ""), newTab(t, s.url+"/empty.html", "")
	pulling := `(() => { pull('/models/m.gguf', {connections: 1}).then(({whole}) => { globalThis.whole = whole; }, (e) => { globalThis.whole = String(e); }); return true; })()`
	get[bool](first, pulls)
	get[bool](first, pulling)
	first.wait(`progress.some(({done}) => done > 0)`)
	get[bool](second, pulls)
	get[bool](second, pulling)
	second.wait(`progress.some(({from}) => from === 'tab')`)
	s.set(func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		return true
	})
	first.behind(s.url)
	second.wait(`globalThis.whole`)
	assert.True(t, get[bool](second, `whole`))
	assert.Positive(t, get[int](second, `models.remove('/models/m.gguf')`))
	second.quiet()
}
