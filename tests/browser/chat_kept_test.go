//go:build !js

package browser

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A conversation goes on after a reload without its beginning being read again, where that is asked for, and then alone.
func TestChatKept(t *testing.T) {
	p := newTab(t, serve(t), "")
	const kept = `import('/quire.js').then(({Quire}) => Quire.sessions.list()).then((all) => all.filter((s) => s.name.startsWith('quire.chat/')).map(() => 'chat').join())`
	left := func(files string) { // lists them one after another: a busy machine would have more and more under way, which the page waits for
		t.Helper()
		p.wait(`globalThis.sessions === '` + files + `' || (globalThis.listing ??= ` + kept + `.then((s) => { globalThis.sessions = s; }).finally(() => { globalThis.listing = null; }), false)`)
	}
	keep := func() {
		t.Helper()
		p.do(chromedp.Click(css("#open-parameters")))
		p.fill("#chat-max-tokens", "12")
		p.do(chromedp.Click(css("#keep")), chromedp.KeyEvent(kb.Escape))
	}
	const first = "Tell me a story about a fox and a kite, and about the owl who was afraid of the dark until one day a girl with a lost boat came."
	// next has the conversation answered before and after a reload, and gives the tokens of the prompts, and how many of the second's were
	// cached.
	next := func(files string) (before, prompt, cached int) {
		t.Helper()
		p.ask(first)
		p.wait(noted + `.length === 1 && ` + idle)
		before, _ = promptOf(t, get[[]string](p, noted)[0])
		p.wait(`document.querySelector('#talks button')`)
		left(files)
		p.do(chromedp.Reload())
		p.wait(`document.querySelector('#talks button')`)
		p.do(chromedp.Click(css("#talks button")))
		p.ask("And then?")
		p.wait(noted + `.length === 2 && ` + idle)
		prompt, cached = promptOf(t, get[[]string](p, noted)[1])
		return before, prompt, cached
	}
	if os.Getenv("QUIRE_ALL") != "" {
		_, prompt, cached := next("")
		require.Greater(t, prompt, 32)
		assert.Zero(t, cached, "nothing is kept that nobody wants kept")
		p.press("Delete the conversation", 0)
		p.do(chromedp.Reload())
	}

	foreign := "chat/" + strings.Repeat("0", 32)
	// Of what this page keeps the newest are left, and what others keep stays.
	get[any](p, `(async () => {
		const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('quire-sessions', {create: true});
		const own = Array.from({length: 9}, (_, i) => 'quire.chat/' + i.toString(16).padStart(32, '0'));
		for (const name of ['`+foreign+`', ...own]) {
			const writer = await (await folder.getFileHandle('s-' + encodeURIComponent(name), {create: true})).createWritable();
			await writer.write('x');
			await writer.close();
		}
	})()`)
	keep()
	before, prompt, cached := next(strings.Repeat("chat,", 7) + "chat")
	require.Greater(t, before, 32)
	assert.GreaterOrEqual(t, cached, before/16*16, "of %d tokens", prompt)
	assert.Less(t, cached, prompt)

	p.press("Delete the conversation", 0)
	left("")
	p.press("Undo", 0)
	p.ask("And now?")
	p.wait(noted + `.length === 3 && ` + idle)
	left("chat")

	get[any](p, `(({prototype}, {getFileHandle} = prototype) => {
		prototype.getFileHandle = function (file, options) {
			return options?.create ? Promise.reject(new DOMException('full', 'QuotaExceededError')) : getFileHandle.call(this, file, options);
		};
	})(FileSystemDirectoryHandle)`)
	p.ask("And?")
	p.wait(noted + `.length === 4 && ` + idle)
	p.wait(`document.querySelector('#chat-notice p')?.textContent === 'The browser has no more room to remember what the model has read.'`)
	p.do(chromedp.Click(css("#open-parameters")), chromedp.Click(css("#keep")))
	left("")
	assert.Equal(t, []string{foreign}, get[[]string](p, `import('/quire.js').then(({Quire}) => Quire.sessions.list()).then((all) => all.map((s) => s.name))`),
		"another page of the origin keeps it")
	p.quiet()
}

// promptOf reads from what stands below an answer how long its prompt was, and how much of it was cached.
func promptOf(t *testing.T, note string) (tokens, cached int) {
	t.Helper()
	found := regexp.MustCompile(`prompt ([\d,]+?)(?:, (\d[\d,]*) cached)?(?: ·|$)`).FindStringSubmatch(note)
	require.NotNil(t, found, note)
	number := func(text string) int {
		n, _ := strconv.Atoi(strings.ReplaceAll(text, ",", ""))
		return n
	}
	return number(found[1]), number(found[2])
}
