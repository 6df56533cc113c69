//go:build !js

package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	engineView = "/#engine"

	loaded = `document.querySelector('#stage').textContent.includes('Loaded in')`
	busy   = `document.querySelectorAll('.output[aria-busy="true"]').length`
)

// output and status are what the n-th prompt, from 1, shows.
func output(n int) string { return nth(n, ".output") }
func status(n int) string { return nth(n, ".status") }

func nth(n int, selector string) string {
	return fmt.Sprintf(`document.querySelector('.prompt:nth-child(%d) %s').textContent`, n, selector)
}

func css(selector string) chromedp.CSS { return chromedp.CSS(selector) }

// fill types a text into a field in place of what is there.
func (p *tab) fill(selector, text string) {
	p.Helper()
	p.do(chromedp.Focus(css(selector)))
	get[bool](p, `document.activeElement.select() ?? true`)
	p.do(chromedp.KeyEvent(text))
}

// record keeps every text that the line of progress shows.
const record = `
addEventListener('DOMContentLoaded', () => {
  globalThis.stages = [];
  globalThis.values = [];
  const note = () => {
    stages.push(document.querySelector('#stage').textContent);
    values.push(document.querySelector('#bar').getAttribute('aria-valuenow'));
  };
  new MutationObserver(note).observe(document.querySelector('.progress'), {subtree: true, childList: true, attributes: true});
});
`

// late is put before the worker's script: what is read back of the GPU comes some milliseconds late once a message {late} on the channel says
// so, for a story to last on a machine that is quick.
const late = `
const maps = GPUBuffer.prototype.mapAsync;
let behind = 0;
channel.addEventListener('message', ({data}) => { behind = data.late ?? behind; });
GPUBuffer.prototype.mapAsync = async function (...args) {
  if (behind > 0) await new Promise((resolve) => { setTimeout(resolve, behind); });
  return maps.apply(this, args);
};
`

// linger has the workers of late do so.
func (p *tab) linger() {
	p.Helper()
	get[bool](p, `new BroadcastChannel('test').postMessage({late: 300}) ?? true`)
}

// A person loads the built-in model, runs two prompts at once, stops one, reloads, loads a file and loses the GPU.
func TestPage(t *testing.T) {
	site := serve(t, late)
	p := newTab(t, site+engineView, record)
	require.True(t, get[bool](p, `document.querySelector('.run').disabled`), "nothing runs before a model is loaded")

	p.do(chromedp.Click(css("#load")))
	p.wait(`document.querySelector('#stage').textContent.startsWith('Compiling kernels')`)
	p.narrow("a page that loads")
	p.picture("loading")
	p.wait(loaded)
	stages := strings.Join(get[[]string](p, `stages`), "\n")
	for _, stage := range []string{"Fetching the engine, ", "Reading weights, ", "Compiling kernels, "} {
		assert.Contains(t, stages, stage)
	}
	assert.Equal(t, "100", get[string](p, `values.at(-1)`))
	assert.Contains(t, get[string](p, `document.querySelector('#model-status').textContent`), "Quire Tales: 7.3 million parameters")
	assert.Equal(t, "0.7 1 0.05 chat", get[string](p, `['temperature', 'top-p', 'min-p', 'mode'].map((id) => document.getElementById(id).value).join(' ')`))

	p.linger()
	p.do(chromedp.Click(css("#settings summary")))
	p.fill("#temperature", "0")
	p.fill(".prompt:nth-child(1) textarea", "Tell me a story about a dog and a drum.")
	p.do(chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.wait(output(1) + `.length > 0`)
	require.Equal(t, 1, get[int](p, busy), "text streams while the prompt runs")
	p.do(chromedp.Click(css(".prompt:nth-child(2) .run")))
	p.wait(output(2) + `.length > 10`)
	p.wait(`document.querySelector('#figure-decode').textContent.endsWith('tokens/s')`)
	require.Equal(t, 2, get[int](p, busy), "two prompts run at once")
	assert.Equal(t, "Stop", get[string](p, nth(1, ".run")))
	p.wait(`document.querySelector('#figure-running').textContent === '2'`)
	assert.Regexp(t, `^[1-9]\d* of 512, \d+ cached$`, get[string](p, `document.querySelector('#figure-blocks').textContent`))
	assert.NotContains(t, get[string](p, `document.querySelector('.figures').textContent`), "–")
	p.wait(`['go', 'bridge', 'encode', 'wait'].every((part) => Number(document.getElementById('host-' + part).textContent) >= 0)`)
	p.wait(`Number(document.querySelector('#host-wait').textContent) > 1`)
	p.narrow("a page that runs")
	p.picture("running")
	p.do(chromedp.Focus(css(".prompt:nth-child(1) textarea")), chromedp.KeyEvent(kb.Escape))
	p.wait(status(1) + `.startsWith('Stopped: ')`)
	require.Equal(t, 1, get[int](p, busy), "the other prompt goes on")
	assert.NotEmpty(t, get[string](p, output(1)), "what has come stays")
	before := len(get[string](p, output(2)))
	p.wait(fmt.Sprintf(`%s.length > %d`, output(2), before))
	p.do(chromedp.Click(css(".prompt:nth-child(2) .run")))
	p.wait(status(2) + `.startsWith('Stopped: ')`)
	p.wait(`document.querySelector('#figure-running').textContent === '0'`)

	p.do(chromedp.Click(css("#add")))
	require.Equal(t, 3, get[int](p, `document.querySelectorAll('.prompt').length`))
	assert.Equal(t, "prompt-3", get[string](p, `document.activeElement.id`))
	p.do(chromedp.Click(css(".prompt:nth-child(3) .remove")))
	require.Equal(t, 2, get[int](p, `document.querySelectorAll('.prompt').length`))
	p.quiet()
	require.True(t, soon(func() bool { return p.workers() == 1 }))

	p.do(chromedp.Reload())
	require.True(t, p.idle(), "a reloaded page ends its worker, and the GPU is free")
	require.True(t, get[bool](p, `document.querySelector('.run').disabled`), "a reloaded page starts anew")
	p.do(chromedp.Click(css(`input[value="file"]`)), chromedp.SetUploadFiles(css("#file"), []string{absolute(t, dist+"/quire-tales.gguf")}),
		chromedp.Click(css("#load")))
	p.wait(loaded)
	p.do(chromedp.Click(css("#settings summary")))
	p.fill("#temperature", "0")
	p.fill("#max-tokens", "24")

	// The GPU is taken away midway: what has come stays, and the rest follows.
	get[bool](p, `Boolean(new MutationObserver((_, watch) => {
		if (`+output(1)+`.length <= 10) return;
		watch.disconnect();
		new BroadcastChannel('test').postMessage('lose');
	}).observe(document.querySelector('.prompt .output'), {subtree: true, childList: true, characterData: true})) || true`)
	p.do(chromedp.Click(css(".prompt:nth-child(1) .run")))
	p.wait(`document.querySelector('#notice').textContent.includes('recovering')`)
	come := get[string](p, output(1))
	require.Equal(t, 1, get[int](p, busy), "the prompt waits for the GPU")
	p.picture("recovering")
	p.wait(status(1) + `.startsWith('Done')`)
	assert.Regexp(t, `^Done.*: 24 tokens, `, get[string](p, status(1)))
	text := get[string](p, output(1))
	assert.True(t, strings.HasPrefix(text, come) && len(text) > len(come), "%q goes on from %q", text, come)
	assert.Empty(t, get[string](p, `document.querySelector('#notice').textContent`), "the notice goes")
	p.quiet()
}

func TestFile(t *testing.T) {
	p := newTab(t, serve(t)+engineView, "")
	p.do(chromedp.Click(css(`input[value="file"]`)), chromedp.Click(css("#load")))
	assert.Contains(t, get[string](p, `document.querySelector('#model-error').textContent`), "Choose a GGUF file first")
	assert.Equal(t, "file", get[string](p, `document.activeElement.id`))

	// Loading is cancelled before anything compiles.
	p.do(chromedp.SetUploadFiles(css("#file"), []string{absolute(t, dist+"/quire-tales.gguf")}))
	get[bool](p, `document.querySelector('#load').click() ?? true`)
	p.wait(`document.querySelector('#load').textContent === 'Cancel'`)
	p.do(chromedp.Click(css("#load")))
	p.wait(`document.querySelector('#stage').textContent === 'Nothing is loaded.'`)
	assert.Equal(t, "Load", get[string](p, `document.querySelector('#load').textContent`))
	assert.Empty(t, get[string](p, `document.querySelector('#model-error').textContent`), "cancelling is no error")

	get[bool](p, `(() => {
		const data = new DataTransfer();
		data.items.add(new File(['\0no model'], 'broken.gguf'));
		for (const type of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
		return true;
	})()`)
	assert.Equal(t, "broken.gguf", get[string](p, `document.querySelector('#file').files[0].name`))
	p.do(chromedp.Click(css("#load")))
	p.wait(`document.querySelector('#model-error').textContent.includes('This is no usable GGUF file')`)
	p.quiet()
}

func TestWrongModels(t *testing.T) {
	site := serve(t)
	p := newTab(t, site+engineView, "")
	p.do(chromedp.Click(css(`input[value="url"]`)))
	for _, c := range []struct{ url, title, message string }{
		{"broken.gguf", "This is no usable GGUF file", "gguf: at byte 0"},
		{"header.gguf", "This is no usable GGUF file", "gguf: at byte"},
		{"cut.gguf", "This is no usable GGUF file", "tensor"},
		{"first.gguf", "This is another kind of file", "GGUF version 1"},
		{"shard.gguf", "This model does not run here", "shard 1 of 2"},
		{"page.gguf", "This is a web page, not a model", "the server sends a web page"},
		{"none.gguf", "There is no such file", "none.gguf: there is no such file (HTTP 404"},
	} {
		p.fill("#url", site+"/"+c.url)
		p.do(chromedp.Click(css("#load")))
		p.wait(`document.querySelector('#load').textContent === 'Load' && document.querySelector('#model-error').textContent !== ''`)
		text := get[string](p, `document.querySelector('#model-error').textContent`)
		assert.Contains(t, text, c.title, c.url)
		assert.Contains(t, text, c.message, c.url)
	}
	p.do(chromedp.Click(css(".prompt textarea")), chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	p.wait(status(1) + ` === 'Not run: no model was loaded'`) // which stays true when another is
	p.narrow("a page with an error")
	p.picture("no-model")
	p.fill("#url", site+"/odd.gguf")
	p.do(chromedp.Click(css("#load")))
	p.wait(loaded)
	assert.Contains(t, get[string](p, `document.querySelector('#warnings:not([hidden])').textContent`), `llama.favourite_colour is "green"`)
	p.fill("#url", "no whole address") // which is of no account when another model is chosen
	p.do(chromedp.Click(css(`input[value="builtin"]`)), chromedp.Click(css("details summary")), chromedp.SendKeys(css("#context"), "900000000"),
		chromedp.Click(css("#load")))
	p.wait(`document.querySelector('#model-error').textContent.includes('There is too little GPU memory')`)
	assert.Contains(t, get[string](p, `document.querySelector('#model-error').textContent`), "lower the context to ")
	p.picture("too-little-memory")
}

func TestWithoutWebGPU(t *testing.T) {
	for _, c := range []struct{ name, before, title string }{
		{"no-webgpu", `Object.defineProperty(Navigator.prototype, 'gpu', {value: undefined})`, "This browser has no WebGPU"},
		{"insecure", `Object.defineProperty(globalThis, 'isSecureContext', {value: false})`, "This page was not opened securely"},
		{"no-adapter", `GPU.prototype.requestAdapter = async () => null`, "No GPU could be used"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newTab(t, serve(t), c.before)
			p.wait(`document.querySelector('#platform').textContent !== ''`)
			assert.Contains(t, get[string](p, `document.querySelector('#platform').textContent`), c.title)
			assert.Equal(t, "alert", get[string](p, `document.querySelector('#platform').getAttribute('role')`))
			p.picture(c.name)
			p.quiet()
		})
	}
}
