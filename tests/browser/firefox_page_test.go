//go:build !js

package browser

import (
	"context"
	"fmt"
	"net/http/httputil"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/firefox"
)

// fox is a tab of Firefox that a person sits at.
type fox struct {
	testing.TB
	browser *firefox.Browser
	ctx     context.Context
}

func newFox(t *testing.T, url string) *fox {
	t.Helper()
	b, ctx := newFirefox(t, nil)
	f := &fox{t, b, ctx}
	f.open(url)
	return f
}

func (f *fox) open(url string) {
	f.Helper()
	require.NoError(f, f.browser.Navigate(f.ctx, url))
}

// see evaluates an expression, awaiting a promise.
func see[T any](f *fox, expression string) (value T) {
	f.Helper()
	require.NoError(f, f.browser.Evaluate(f.ctx, expression, &value))
	return value
}

// wait waits until an expression is true.
func (f *fox) wait(expression string) {
	f.Helper()
	see[bool](f, fmt.Sprintf(`(async () => {
		for (const start = performance.now(); !await (%s); await new Promise((resolve) => setTimeout(resolve, 50))) {
			if (performance.now() - start > %d) throw new Error('nothing came; the page shows: ' + document.body?.innerText);
		}
		return true;
	})()`, expression, patience.Milliseconds()))
}

// press clicks what a selector finds.
func (f *fox) press(selector string) {
	f.Helper()
	f.wait(fmt.Sprintf(`((e) => e && !e.disabled && e.checkVisibility())(document.querySelector(%q))`, selector))
	see[bool](f, fmt.Sprintf(`document.querySelector(%q).click() ?? true`, selector))
}

// fill puts a text into a field, as a person who has pasted it.
func (f *fox) fill(selector, text string) {
	f.Helper()
	see[bool](f, fmt.Sprintf(`((e) => {
		e.value = %q;
		for (const type of ['input', 'change']) e.dispatchEvent(new Event(type, {bubbles: true}));
		return true;
	})(document.querySelector(%q))`, text, selector))
}

// story has the engine view tell one, loads the built-in model first where none is, and gives what is shown.
const story = `(async () => {
	const $ = (selector) => document.querySelector(selector);
	const until = async (done) => {
		for (const start = performance.now(); !done(); await new Promise((resolve) => setTimeout(resolve, 20))) {
			if (performance.now() - start > 300000) throw new Error('nothing came; the page shows: ' + document.body.innerText);
		}
	};
	if (!$('#stage').textContent.includes('Loaded in')) {
		await until(() => !$('#load').disabled);
		$('#load').click();
		await until(() => $('#stage').textContent.includes('Loaded in') || $('#model-error').textContent);
		if ($('#model-error').textContent) throw new Error($('#model-error').textContent);
	}
	for (const [id, value] of [['temperature', '0'], ['max-tokens', window.tokens ?? 4]]) {
		$('#' + id).value = value;
		$('#' + id).dispatchEvent(new Event('input', {bubbles: true}));
		$('#' + id).dispatchEvent(new Event('change', {bubbles: true}));
	}
	$('.prompt textarea').value = 'Tell me a story about a dog and a drum.';
	let recovering = !window.lose;
	const watch = new MutationObserver(() => { recovering ||= $('#notice').textContent.includes('recovering'); });
	watch.observe($('#notice'), {subtree: true, childList: true, characterData: true});
	if (window.lose) new MutationObserver((_, first) => { // a quick machine has all of it soon
		first.disconnect();
		new BroadcastChannel('test').postMessage('lose');
	}).observe($('.prompt .output'), {subtree: true, childList: true, characterData: true});
	$('.prompt .run').click();
	await until(() => recovering);
	watch.disconnect();
	await until(() => $('.prompt .status').textContent.startsWith('Done'));
	for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame); // the text is drawn with the next one
	return {text: $('.prompt .output').textContent, status: $('.prompt .status').textContent};
})()`

// A visitor with Firefox is answered after one click, stops that and asks again, and is told in the engine view what Chromium tells.
// With everything else, a GPU that is lost is made good, and the page and its model are there without a network.
func TestFirefox(t *testing.T) {
	behind, err := url.Parse(serve(t))
	require.NoError(t, err)
	network := host(t, httputil.NewSingleHostReverseProxy(behind))
	f := newFox(t, network.URL)
	f.press("#examples button")
	f.wait(told + `[0]?.length > 0`)
	assert.True(t, see[bool](f, answering))
	f.press("#send")
	f.wait(idle)
	assert.Regexp(t, `^Stopped · `, see[[]string](f, noted)[0])
	f.fill("#chat-max-tokens", "3")
	f.press(`.told button[aria-label="Answer again"]`)
	f.wait(noted + `[0]?.includes(' · 3 tokens · ') && ` + idle)
	assert.Contains(t, see[string](f, `document.querySelector('.told').innerText`), "2/2", "the stopped answer is a branch")

	type shown struct{ Text, Status string }
	see[bool](f, `Boolean(location.hash = 'engine')`)
	tokens := 4
	if os.Getenv("QUIRE_ALL") != "" {
		tokens = 20 // the next ones have near rivals, and adapters round in ways of their own
	}
	set := fmt.Sprintf(`window.tokens = %d`, tokens)
	see[int](f, set)
	inFirefox := see[shown](f, story)
	p := newTab(t, serve(t, measured, guaranteed)+engineView, set) // with what every browser has, and no more
	inChromium := get[shown](p, story)
	get[asked](p, seen).isGuaranteed(t)
	assert.Equal(t, inChromium.Text, inFirefox.Text)
	assert.NotEmpty(t, inFirefox.Text)
	for _, status := range []string{inChromium.Status, inFirefox.Status} {
		assert.Regexp(t, fmt.Sprintf(`^Done.*: %d tokens, `, tokens), status)
	}
	if os.Getenv("QUIRE_ALL") == "" {
		return
	}

	see[bool](f, `window.lose = true`)
	assert.Equal(t, inFirefox.Text, see[shown](f, story).Text, "after a lost device")

	f.wait(`import('/quire.js').then(({Quire}) => Quire.models.list()).then((all) => all[0]?.whole)`)
	f.wait(`caches.match('quire.wasm').then(Boolean)`)
	f.wait(kept(`"state":"length"`))
	network.CloseClientConnections()
	network.Close()
	f.open(network.URL)
	f.press("#talks button")
	f.fill("#message", "Tell me a story about a hen.")
	f.press("#send")
	f.wait(told + `.length === 2 && ` + noted + `[1]?.includes(' · 3 tokens · ') && ` + idle)
}

// Firefox has WebGPU in workers that tabs share, and another when the last tab has left one.
func TestFirefoxSharesAnEngine(t *testing.T) {
	onlyAll(t)
	f := newFox(t, serve(t)+"/empty.html")
	assert.Equal(t, []any{true, true, 1.0, true}, see[[]any](f, `(async () => {
		const {Quire} = await import('/quire.js');
		const {default: tales} = await import('/tales.js');
		const options = {model: tales, shared: 'worker', deterministic: true, kvMemory: 16 << 20, context: 256};
		const [one, two] = await Promise.all([Quire.open(options), Quire.open(options)]);
		const tell = (quire) => quire.generate({prompt: 'Once upon a time there was', temperature: 0, maxTokens: 3, ignoreEnd: true}).result;
		const [a, b] = await Promise.all([tell(one), tell(two)]);
		const workers = await `+workers+`;
		await Promise.all([one.close(), two.close()]);
		const again = await tell(await Quire.open(options));
		return [a.text.length > 0, a.text === b.text, workers, again.text === a.text];
	})()`))
}

// There, too, one of several engines goes on with what another has begun.
func TestFirefoxFollowsALeader(t *testing.T) {
	onlyAll(t)
	f := newFox(t, serve(t)+"/empty.html")
	assert.Equal(t, []any{true, true, true}, see[[]any](f, `(async () => {
		const {Quire} = await import('/quire.js');
		const {default: tales} = await import('/tales.js');
		const options = {model: tales, shared: 'lock', deterministic: true, kvMemory: 16 << 20, context: 256};
		const one = await Quire.open(options), two = await Quire.open(options);
		const tell = (quire) => quire.generate({prompt: 'Once upon a time there was', temperature: 0.8, seed: 5, maxTokens: 6, ignoreEnd: true});
		const {text} = await tell(one).result;
		const goesOn = tell(two);
		let closing = null, came = '';
		for await (const chunk of goesOn) {
			closing ??= one.close();
			came += chunk.text;
		}
		return [text.length > 0, text === came, text === (await goesOn.result).text];
	})()`))
}
