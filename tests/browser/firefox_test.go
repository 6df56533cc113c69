//go:build !js

package browser

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/firefox"
)

// newFirefox starts Firefox for one test.
func newFirefox(t *testing.T, changed map[string]any) (*firefox.Browser, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	b, err := firefox.Start(ctx, changed)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, b.Close()) })
	return b, ctx
}

// story loads the built-in model on the page, has it tell a story and gives what is shown.
const story = `(async () => {
	const $ = (selector) => document.querySelector(selector);
	const until = async (done) => {
		for (const start = performance.now(); !done(); await new Promise((resolve) => setTimeout(resolve, 20))) {
			if (performance.now() - start > 180000) throw new Error('nothing came; the page shows: ' + document.body.innerText);
		}
	};
	await until(() => !$('#load').disabled);
	$('#load').click();
	await until(() => $('#stage').textContent.includes('Loaded in') || $('#model-error').textContent);
	if ($('#model-error').textContent) throw new Error($('#model-error').textContent);
	for (const [id, value] of [['temperature', '0'], ['max-tokens', '20']]) {
		$('#' + id).value = value;
		$('#' + id).dispatchEvent(new Event('input', {bubbles: true}));
		$('#' + id).dispatchEvent(new Event('change', {bubbles: true}));
	}
	$('.prompt textarea').value = 'Tell me a story about a dog and a drum.';
	$('.prompt .run').click();
	await until(() => $('.prompt .status').textContent.startsWith('Done'));
	for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame); // the text is drawn with the next one
	return {text: $('.prompt .output').textContent, status: $('.prompt .status').textContent};
})()`

// The page in Firefox tells what it tells in Chromium.
func TestFirefox(t *testing.T) {
	site := serve(t)
	b, ctx := newFirefox(t, nil)
	type told struct{ Text, Status string }
	var inFirefox told
	require.NoError(t, b.Navigate(ctx, site+engineView))
	require.NoError(t, b.Evaluate(ctx, story, &inFirefox))
	inChromium := get[told](newTab(t, site+engineView, ""), story)
	assert.Equal(t, inChromium.Text, inFirefox.Text)
	assert.NotEmpty(t, inFirefox.Text)
	for _, status := range []string{inChromium.Status, inFirefox.Status} {
		assert.Regexp(t, `^Done.*: 20 tokens, `, status)
	}
}

// Without WebGPU, Firefox's people are told of its preferences, by the page and by quire.js.
func TestFirefoxWithoutWebGPU(t *testing.T) {
	site := serve(t)
	for off, c := range map[string]struct{ title, message string }{
		firefox.IgnoreBlocklist: {"No GPU could be used", "Firefox offers no GPU"},
		firefox.WebGPU:          {"This browser has no WebGPU", "this Firefox has no WebGPU turned on"},
	} {
		b, ctx := newFirefox(t, map[string]any{off: false})
		var page, library string
		require.NoError(t, b.Navigate(ctx, site))
		require.NoError(t, b.Evaluate(ctx, `(async () => {
			const platform = document.querySelector('#platform');
			while (platform.textContent === '') await new Promise((resolve) => setTimeout(resolve, 20));
			return platform.textContent;
		})()`, &page))
		require.NoError(t, b.Evaluate(ctx, `import('/quire.js').then(({Quire}) => Quire.open({model: '/quire-tales.gguf'})).catch(({name, message}) => name + ': ' + message)`, &library))
		assert.Contains(t, page, c.title)
		assert.Contains(t, library, "ErrNoAdapter: ")
		assert.Contains(t, library, c.message)
		for _, word := range []string{"about:config", firefox.WebGPU, firefox.IgnoreBlocklist} {
			assert.Contains(t, page, word)
			assert.Contains(t, library, word)
		}
		assert.NotContains(t, page+library, "chrome://")
	}
}
