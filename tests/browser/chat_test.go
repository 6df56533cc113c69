//go:build !js

package browser

import (
	"fmt"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	// said and told are what the shown messages and answers say, one after another; noted is what stands below answers.
	said  = `[...document.querySelectorAll('.asked .body')].map((e) => e.innerText.trim())`
	told  = `[...document.querySelectorAll('.told .markdown')].map((e) => e.innerText.trim())`
	noted = `[...document.querySelectorAll('.told .figures-note')].map((e) => e.textContent)`

	answering = `document.querySelector('#send').title === 'Stop'`
	idle      = `document.querySelector('#send').title === 'Send'`
)

// ask sends a message.
func (p *tab) ask(text string) {
	p.Helper()
	p.do(chromedp.Focus(css("#message")))
	get[bool](p, fmt.Sprintf(`((area) => { area.value = %q; area.dispatchEvent(new Event('input', {bubbles: true})); return true; })(document.activeElement)`, text))
	p.press("Send", 0)
}

// kept is a promise that resolves when a conversation that the browser keeps has such a text.
func kept(text string) string {
	return fmt.Sprintf(`(async () => {
		const ends = (o) => new Promise((resolve, reject) => { o.onsuccess = () => resolve(o.result); o.onerror = () => reject(o.error); });
		const kept = await ends(indexedDB.open('quire.chat'));
		while (true) {
			const said = JSON.stringify(await ends(kept.transaction('conversations').objectStore('conversations').getAll()));
			if (said.includes(%q)) break;
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
		kept.close();
		return true;
	})()`, text)
}

// press clicks the n-th button, from 0, with a label.
func (p *tab) press(label string, n int) {
	p.Helper()
	require.True(p, get[bool](p, fmt.Sprintf(`((b) => b && !b.disabled && (b.click(), true))([...document.querySelectorAll('button')].filter((b) => b.checkVisibility() && (b.getAttribute('aria-label') ?? b.textContent) === %q)[%d])`, label, n)), "%s is there to be pressed", label)
}

// A visitor clicks on an example and is answered. With everything else, so is who comes again without a network.
func TestFirstVisit(t *testing.T) {
	behind, err := url.Parse(serve(t, late))
	require.NoError(t, err)
	network := host(t, httputil.NewSingleHostReverseProxy(behind))
	p := newTab(t, network.URL, "")
	visit := func() {
		t.Helper()
		p.do(chromedp.Click(css("#examples button")))
		p.wait(`document.querySelector('.waiting')?.textContent.includes('Loading the model: compiling')`)
		p.wait(told + `[0]?.length > 0`)
		p.linger()
		p.wait(told + `[0].length > 40`)
		assert.True(t, get[bool](p, answering))
		p.picture("first-visit")
		p.do(chromedp.KeyEvent(kb.Escape))
		p.wait(idle)
		assert.Regexp(t, `^Stopped · `, get[[]string](p, noted)[0])
	}
	visit()
	p.quiet()
	if os.Getenv("QUIRE_ALL") == "" {
		return
	}
	p.wait(`globalThis.kept || import('/quire.js').then(({Quire}) => Quire.models.list()).then((all) => { globalThis.kept = all[0]?.whole; }) && false`)
	p.wait(`globalThis.engine || caches.match('quire.wasm').then((r) => { globalThis.engine = r; }) && false`)
	network.CloseClientConnections()
	network.Close()
	p.do(chromedp.Reload())
	visit()
}

// A conversation goes on, branches where it is edited and answered again, and is there after a reload.
func TestChat(t *testing.T) {
	p := newTab(t, serveParrot(t), "")
	p.picture("chat-welcome")
	p.fill("#message", "say One **two**.")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.wait(told + `[0] === 'One two.' && ` + idle)
	assert.Regexp(t, `^2 tokens · [\d.]+ tokens/s · prompt 3, 2 cached · Parrot$`, get[[]string](p, noted)[0])
	assert.Equal(t, "message", get[string](p, `document.activeElement.id`))
	p.ask("say Three.")
	p.wait(told + `[1] === 'Three.' && ` + idle)
	assert.Equal(t, []string{"user say One **two**.", "assistant One **two**.", "user say Three."},
		get[[]string](p, `asked.at(-1).messages.map((m) => m.role + ' ' + m.content)`))

	// Answered again, and edited: the old branches stay.
	p.press("Answer again", 0)
	p.wait(told + `.length === 1 && ` + idle)
	assert.Equal(t, []string{"user say One **two**."}, get[[]string](p, `asked.at(-1).messages.map((m) => m.role + ' ' + m.content)`))
	assert.Contains(t, get[string](p, `document.querySelector('.told .branches').textContent`), "2/2")
	get[bool](p, `document.querySelector('[title="The branch before"]').focus() ?? true`)
	p.press("The branch before", 0)
	assert.Equal(t, []string{"One two.", "Three."}, get[[]string](p, told))
	assert.True(t, get[bool](p, `document.activeElement.closest('.told') === document.querySelector('.told')`), "the focus stays with the answer")
	p.press("Edit", 1)
	p.fill(".edit textarea", "say Four.")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.wait(told + `.at(-1) === 'Four.' && ` + idle)
	assert.Equal(t, []string{"say One **two**.", "say Four."}, get[[]string](p, said))
	assert.Len(t, get[[]any](p, `asked.at(-1).messages`), 3, "what came before it is the same")
	p.press("Side by side", 0)
	assert.Equal(t, 2, get[int](p, `document.querySelectorAll('.columns > li').length`))
	p.picture("chat-beside")
	p.press("Go on with this", 0)
	assert.Equal(t, []string{"One two.", "Four."}, get[[]string](p, told))

	// Stopped, what has come stays; failed, it says why.
	p.ask("hold Five six seven.")
	p.wait(told + `.at(-1) === 'Five'`)
	assert.Equal(t, "Answering", get[string](p, `document.querySelector('#chat-status').textContent`))
	p.do(chromedp.KeyEvent(kb.Escape))
	p.wait(idle)
	assert.Regexp(t, `^Stopped`, get[[]string](p, noted)[2])
	assert.Equal(t, "Stopped: Five ", get[string](p, `document.querySelector('#chat-status').textContent`))
	p.ask("fail Eight nine.")
	p.wait(`document.querySelector('.told:last-child [role="alert"]')?.textContent.includes('The GPU was taken away')`)
	p.ask("full Ten.")
	p.wait(told + `.at(-1) === 'full Ten.' && ` + idle)
	assert.Contains(t, get[[]string](p, noted)[4], "Without the oldest 2 messages, for which the context has no room")

	// All of it is there after a reload, and what still ran says that it was cut off.
	p.ask("hold Eleven twelve.")
	p.wait(told + `.at(-1) === 'Eleven'`)
	before := get[[]string](p, told)
	get[bool](p, kept(`"Eleven`))
	p.do(chromedp.Reload())
	p.wait(`document.querySelector('#talks button')`)
	assert.Equal(t, "say One **two**.", get[string](p, `document.querySelector('#talks button').textContent`))
	p.do(chromedp.Click(css("#talks button")))
	assert.Equal(t, before, get[[]string](p, told))
	assert.Regexp(t, `^Cut off when the page was left`, get[[]string](p, noted)[5])
	p.press("The branch before", 1)
	assert.Equal(t, []string{"One two.", "Three."}, get[[]string](p, told))
	p.narrow("a chat")
	p.quiet()
}

// What is edited while an answer comes waits for that: nothing is asked that nobody answers.
func TestEditWhileAnswering(t *testing.T) {
	p := newTab(t, serveParrot(t), "")
	p.ask("say Zero.")
	p.wait(told + `[0] === 'Zero.' && ` + idle)
	p.press("Edit", 0)
	p.fill(".edit textarea", "say Edited.")
	p.ask("hold One two.")
	p.wait(told + `.at(-1) === 'One'`)
	p.do(chromedp.Focus(css(".edit textarea")), chromedp.KeyEvent(kb.Enter))
	p.press("Stop", 0)
	p.wait(idle)
	assert.Equal(t, []string{"say Zero.", "hold One two."}, get[[]string](p, said))
	p.do(chromedp.Focus(css(".edit textarea")), chromedp.KeyEvent(kb.Enter))
	p.wait(told + `.at(-1) === 'Edited.' && ` + idle)
	assert.Equal(t, []string{"say Edited."}, get[[]string](p, said))
	assert.Equal(t, 3, get[int](p, `asked.length`))
	p.quiet()
}

// Two tabs go on with one conversation at once: both see what either has added, and what is being written stays.
func TestTwoTabs(t *testing.T) {
	site := serveParrot(t)
	// A tab that is deaf hears of others only as it writes.
	const deaf = `((Own) => {
		globalThis.deaf = false;
		globalThis.BroadcastChannel = class extends Own {
			set onmessage(hear) { super.onmessage = (e) => deaf || hear(e); }
		};
	})(BroadcastChannel)`
	a, b := newTab(t, site, ""), newTab(t, site, deaf)
	a.ask("say One.")
	a.wait(told + `[0] === 'One.' && ` + idle)
	b.wait(`document.querySelector('#talks button')`)
	b.do(chromedp.Click(css("#talks button")))
	b.wait(told + `[0] === 'One.'`)
	b.fill("#message", "not yet sent")
	a.ask("say Two.")
	b.wait(told + `[1] === 'Two.'`)
	assert.Equal(t, "not yet sent", get[string](b, `document.querySelector('#message').value`))

	get[bool](b, `(globalThis.deaf = true)`)
	a.ask("hold Alder grows.")
	b.ask("hold Birch grows.")
	a.wait(told + `[2] === 'Alder'`)
	b.wait(told + `[2] === 'Birch'`)
	const two = `document.querySelector('.asked:nth-last-child(2) .branches')?.textContent.endsWith('/2')`
	a.wait(two)
	get[bool](b, `!(globalThis.deaf = false)`)
	assert.Equal(t, "Alder", get[[]string](a, told)[2], "who waits for an answer sees it")
	for _, p := range []*tab{a, b} {
		get[bool](p, `(holding.splice(0).forEach((go) => go()), true)`)
	}
	for _, p := range []*tab{a, b} {
		p.wait(two)
		p.wait(told + `.at(-1).endsWith(' grows.') && ` + idle)
	}
	get[bool](a, kept(`"Alder grows.`))
	get[bool](a, kept(`"Birch grows.`))
	a.do(chromedp.Reload())
	a.wait(`document.querySelector('#talks button')`)
	a.do(chromedp.Click(css("#talks button")))
	first := get[[]string](a, told)
	require.Len(t, first, 3)
	get[bool](a, `(document.querySelectorAll('.asked')[2].querySelector('.branches button:enabled').click(), true)`)
	assert.ElementsMatch(t, []string{"Alder grows.", "Birch grows."}, []string{first[2], get[[]string](a, told)[2]})
	for _, p := range []*tab{a, b} {
		p.quiet()
	}
}

// Four conversations are answered at once, each keeps what is its own.
func TestFourConversations(t *testing.T) {
	p := newTab(t, serveParrot(t), `Object.defineProperty(Crypto.prototype, 'randomUUID', {value: undefined})`) // as where a page did not come securely
	names := []string{"Alder", "Birch", "Cedar", "Damson"}
	for _, name := range names {
		p.press("New conversation", 0)
		p.ask("hold " + name + " grows.")
		p.wait(told + `[0] === '` + name + `'`)
	}
	assert.Equal(t, 4, get[int](p, `document.querySelectorAll('#talks .pulse').length`))
	get[bool](p, `(holding.splice(0).forEach((go) => go()), true)`)
	p.wait(`document.querySelectorAll('#talks .pulse').length === 0`)
	for i := range names {
		get[bool](p, fmt.Sprintf(`(document.querySelectorAll('#talks button')[%d].click(), true)`, i))
		name := strings.Fields(get[string](p, `document.querySelector('#talks [aria-current] span').textContent`))[1]
		assert.Equal(t, []string{name + " grows."}, get[[]string](p, told))
	}
	p.quiet()
}

// What a model writes is read, and does nothing else.
func TestMarkdown(t *testing.T) {
	p := newTab(t, serveParrot(t), "")
	get[bool](p, `import('/page/chat/markdown.js').then((m) => Boolean(Object.assign(globalThis, m)))`)
	html := func(text string) string {
		return get[string](p, fmt.Sprintf(`(() => { const m = new Markdown(); m.show(%q); m.node.querySelectorAll('button').forEach((b) => b.remove()); return m.node.innerHTML; })()`, text))
	}
	assert.Equal(t, "<p>One <strong>two</strong> <code>three</code></p>", strings.TrimSpace(html("One **two** `three`")))
	assert.Equal(t, `<p>A <a href="https://example.org/" target="_blank" rel="noopener noreferrer">link</a></p>`, strings.TrimSpace(html("A [link](https://example.org/)")))
	for text, not := range map[string]string{
		`<b onclick="this.remove()">bold</b>`:         "<b",
		`A <i title="x">word</i> in a line`:           "<i",
		"<table onclick=x><tr><td>y</td></tr>":        "<table",
		"[a link](javascript:void%200)":               "javascript",
		"[another](data:text/plain,hello)":            "data:",
		"![a picture](https://example.org/a.png)":     "<img",
		"```html\n<b onclick=\"this.remove()\">x</b>": "<b",
		"    <b>indented</b>":                         "<b",
	} {
		assert.NotContains(t, html(text), not)
		assert.Empty(t, get[string](p, fmt.Sprintf(`(() => {
			const m = new Markdown();
			m.show(%q);
			const all = [...m.node.querySelectorAll('*')];
			const handlers = all.flatMap((e) => e.getAttributeNames().filter((n) => n.startsWith('on') || n === 'style'));
			return [...handlers, ...m.node.querySelectorAll('b, i, img, script, iframe, form, input')].join();
		})()`, text)), text)
	}
	// A text that grows shows the same in the end as at once, and leaves alone what has come.
	const text = "# Title\n\nOne *two*\n\n- a\n- b\n\n```go\nx := 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n\n1. c\n\n2. d\n\n   e\n   - f\n3. g\n\n- [x] h\n\nend"
	assert.True(t, get[bool](p, fmt.Sprintf(`(() => {
		const text = %q, grown = new Markdown(), whole = new Markdown();
		let first = null, same = true;
		for (let n = 1; n <= text.length; n++) {
			grown.show(text.slice(0, n), n === text.length);
			if (n === 40) first = grown.node.firstChild;
			if (n > 40) same &&= grown.node.firstChild === first;
		}
		whole.show(text);
		return same && grown.node.innerHTML === whole.node.innerHTML && whole.node.querySelector('.code pre').textContent === 'x := 1' &&
			whole.node.querySelector('table') !== null && whole.node.querySelector('h3').textContent === 'Title';
	})()`, text)))
	assert.True(t, get[bool](p, `(() => {
		const text = 'See [a], and [b][1].\n\n'.repeat(3) + '# T\n\n'.repeat(9) + '[a]: https://example.org/a\n[1]: https://example.org/b\n', grown = new Markdown(), whole = new Markdown();
		for (let n = 1; n <= text.length; n++) grown.show(text.slice(0, n), n === text.length);
		whole.show(text);
		return grown.node.innerHTML === whole.node.innerHTML && whole.node.querySelectorAll('a').length === 6;
	})()`), "links whose addresses come last")
	assert.Contains(t, html(`{"a":[1,2]}`), "{\n  \"a\": [", "an answer of JSON is shown as such")

	p.ask(`think one thing: It is <b onclick="this.remove()">so</b>.`)
	p.wait(idle + ` && document.querySelector('.thoughts')`)
	assert.Equal(t, []string{`It is <b onclick="this.remove()">so</b>.`}, get[[]string](p, told))
	assert.Regexp(t, `^Thought for `, get[string](p, `document.querySelector('.thoughts summary').textContent`))
	assert.False(t, get[bool](p, `document.querySelector('.thoughts').open`))
	p.ask(`call weather {"city":"Aarhus"}`)
	p.wait(idle + ` && document.querySelector('.call')`)
	assert.Equal(t, "Calls weather", get[string](p, `document.querySelector('.call p').textContent`))
	assert.Equal(t, "{\n  \"city\": \"Aarhus\"\n}", get[string](p, `document.querySelector('.call pre').textContent`))

	// What the tool gives is typed in, and answered.
	p.fill(".results textarea", `{"degrees": 9}`)
	p.picture("chat-call")
	p.press("Give the result", 0)
	p.wait(told + `.length === 3 && ` + idle)
	assert.Equal(t, []any{"tool", "call-1", `{"degrees": 9}`}, get[[]any](p, `(({role, tool_call_id, content}) => [role, tool_call_id, content])(asked.at(-1).messages.at(-1))`))
	assert.Equal(t, "call-1", get[string](p, `asked.at(-1).messages.at(-2).tool_calls[0].id`))
	assert.Equal(t, "Result of weather", get[string](p, `document.querySelector('.gave p').textContent`))
	assert.Zero(t, get[int](p, `document.querySelectorAll('.results').length`))
	p.quiet()
}

// Parameters and files go with what is asked, an exported conversation comes back, a deleted one too.
func TestChatSettings(t *testing.T) {
	p := newTab(t, serveParrot(t), "")
	p.do(chromedp.Click(css("#open-parameters")))
	p.fill("#system", "Be brief.")
	p.fill("#chat-temperature", "0.25")
	p.fill("#chat-top-p", "7") // which is no probability
	p.fill("#chat-answers", "2")
	p.fill("#tools", "[")
	assert.NotEmpty(t, get[string](p, `document.querySelector('#tools-problem').textContent`))
	p.fill("#tools", `[{"type":"function","function":{"name":"weather"}}]`)
	assert.Empty(t, get[string](p, `document.querySelector('#tools-problem').textContent`))
	p.picture("chat-parameters")
	p.narrow("parameters")
	p.do(chromedp.KeyEvent(kb.Escape))
	require.False(t, get[bool](p, `document.querySelector('#parameters').open`))
	get[bool](p, `(async () => {
		const data = new DataTransfer();
		data.items.add(new File(['Grass is green.'], 'notes.txt'));
		data.items.add(new File(['\0\1'], 'a.bin'));
		document.querySelector('#attached').files = data.files;
		document.querySelector('#attached').dispatchEvent(new Event('change'));
		return true;
	})()`)
	p.wait(`document.querySelector('#files-problem').textContent === 'a.bin is not text.'`)
	p.picture("chat-files")
	p.ask("say Yes.")
	p.wait(told + `.join() === 'Yes. (1),Yes. (2)' && ` + idle)
	assert.JSONEq(t, `{"temperature": 0.25, "top_p": null, "n": 2, "tools": [{"type": "function", "function": {"name": "weather"}}], "truncation": "auto"}`,
		get[string](p, `(({temperature, top_p = null, n, tools, truncation}) => JSON.stringify({temperature, top_p, n, tools, truncation}))(asked[0])`))
	assert.Equal(t, []string{"system: Be brief.", "user: notes.txt:\n```\nGrass is green.\n```\n\nsay Yes."}, get[[]string](p, `asked[0].messages.map((m) => m.role + ': ' + m.content)`))
	assert.Equal(t, []string{"notes.txt"}, get[[]string](p, `[...document.querySelectorAll('.asked .files li')].map((e) => e.textContent)`))
	p.picture("chat-two-answers")
	p.press("Go on with this", 1)
	assert.Equal(t, []string{"Yes. (2)"}, get[[]string](p, told))

	file := get[string](p, `(async () => {
		const make = URL.createObjectURL;
		return new Promise((resolve) => {
			URL.createObjectURL = (blob) => {
				resolve(blob.text());
				return make(blob);
			};
			document.querySelector('#export-talk').click();
		});
	})()`)
	load := func(content string) {
		get[bool](p, fmt.Sprintf(`(() => {
			const data = new DataTransfer();
			data.items.add(new File([%q], 'a.json'));
			document.querySelector('#imported').files = data.files;
			document.querySelector('#imported').dispatchEvent(new Event('change'));
			return true;
		})()`, content))
	}
	p.press("Delete the conversation", 0)
	assert.Empty(t, get[[]string](p, told))
	p.press("Undo", 0)
	assert.Equal(t, []string{"Yes. (2)"}, get[[]string](p, told))
	p.press("Delete the conversation", 0)
	load(file)
	p.wait(told + `.join() === 'Yes. (2)'`)
	load(file)
	p.wait(`document.querySelectorAll('#talks li').length === 2`)
	for content, problem := range map[string]string{
		"no JSON": "it is not JSON", `{}`: "no file of conversations", strings.Replace(file, `"version": 1`, `"version": 9`, 1): "version 9",
		strings.Replace(file, `"parent": 1`, `"parent": 7`, 1): "Conversation 1 of the file is damaged",
	} {
		load(content)
		p.wait(fmt.Sprintf(`document.querySelector('#chat-notice').textContent.includes(%q)`, problem))
	}
	assert.Equal(t, 2, get[int](p, `document.querySelectorAll('#talks li').length`))

	// Numbers of a file that are as large as they can be lead nowhere.
	const last = 1<<53 - 1
	load(fmt.Sprintf(`{"kind": "quire conversations", "version": 1, "conversations": [{"id": "odd", "settings": {"answers": 1000000000}, "chosen": {"0": %[1]d, "%[1]d": 5}, "messages": [
		{"id": 7, "parent": 0, "role": "user", "text": "Not this."}, {"id": %[1]d, "parent": 0, "role": "user", "text": "Hi."},
		{"id": 5, "parent": %[1]d, "role": "assistant", "text": "One."}, {"id": 6, "parent": %[1]d, "role": "assistant", "text": "Two."}]}]}`, last))
	p.wait(told + `.join() === 'One.'`)
	assert.Equal(t, []string{"Hi."}, get[[]string](p, said))
	p.ask("say Yes.")
	p.wait(told + `.join() === 'One.,Yes.' && ` + idle)

	p.fill("#talk-title", "Grass")
	get[bool](p, `document.activeElement.blur() ?? true`)
	assert.Equal(t, "Grass", get[string](p, `document.querySelector('#talks [aria-current] span').textContent`))
	p.quiet()
}

// The library shows what is kept, and what else there is.
func TestLibrary(t *testing.T) {
	p := newTab(t, serveParrot(t), "")
	rows := `[...document.querySelectorAll('#library-list strong')].map((e) => e.textContent)`
	p.press("Models", 0)
	p.wait(rows + `.length > 3`)
	assert.Equal(t, []string{"Quire Tales", "owner/finch:Q4_K_M", "50%wren.gguf"}, get[[]string](p, rows)[:3])
	list := get[string](p, `document.querySelector('#library-list').textContent`)
	assert.Contains(t, list, "500 MB; takes up to 1.04 GB of GPU memory")
	assert.Contains(t, list, "100 MB of it are here")
	assert.Contains(t, get[string](p, `document.querySelector('#library-room').textContent`), "Models take 600 MB here; there is room for 10.0 GB.")
	get[bool](p, `import('/quire.js').then(({Quire}) => {
		let kept = [['quire.chat/1', 3e6], ['another/2', 1e6], ['quire.chat/3', 2e6]].map(([name, bytes]) => ({name, bytes}));
		Quire.sessions = {list: async () => kept, remove: async (name) => { kept = kept.filter((s) => s.name !== name); }};
		Quire.models.storage = async () => ({quota: 2e10, usage: 6e8, free: 1e10, models: 6e8, sessions: kept.reduce((sum, {bytes}) => sum + bytes, 0), persisted: false});
		return true;
	})`)
	p.press("Close", 0)
	p.press("Models", 0)
	p.wait(rows + `.includes('What models have read')`)
	assert.Contains(t, get[string](p, `document.querySelector('#library-room').textContent`), "Models take 600 MB here, kept conversations 6.00 MB; there is room for 10.0 GB.")
	assert.Contains(t, get[string](p, `document.querySelector('#library-list').textContent`), "Kept with conversations (2): without it their words are read again5.00 MB")
	p.picture("library-read")
	p.press("Delete what models have read", 0)
	p.wait(`!(` + rows + `).includes('What models have read')`)
	assert.Contains(t, get[string](p, `document.querySelector('#library-room').textContent`), "kept conversations 1.00 MB;", "others keep theirs")
	p.press("Delete https://example.org/50%wren.gguf", 0)
	p.wait(`!(` + rows + `).includes('50%wren.gguf')`)
	p.press("Use owner/finch:Q4_K_M", 0)
	p.wait(`opened === 'hf:owner/finch:Q4_K_M' && !document.querySelector('#library').open`)
	assert.Equal(t, "Parrot", get[string](p, `document.querySelector('#chip').textContent`))
	p.press("Parrot", 0)
	p.wait(`document.querySelector('#library-list').textContent.includes('500 MB; takes 2.05 MB of GPU memory, of which 1.05 MB for conversations')`) // as it was loaded
	assert.Contains(t, get[string](p, `document.querySelector('[aria-label="Load again owner/finch:Q4_K_M"]').parentElement.textContent`), "In use · Kept")
	p.fill("#library-name", "https://example.org/other.gguf")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.wait(`opened === 'https://example.org/other.gguf' && !document.querySelector('#library').open`)

	// An adapter has the model loaded again with room for it, and a conversation takes it.
	p.press("Parrot", 0)
	get[string](p, `document.querySelector('#lora-rank').value = '0'`)
	p.fill("#library-lora", "https://example.org/pirate.gguf")
	p.do(chromedp.KeyEvent(kb.Enter))
	p.wait(rows + `.at(-1) === 'pirate'`)
	assert.Equal(t, "32", get[string](p, `document.querySelector('#lora-rank').value`))
	p.picture("library-adapter")
	p.press("Close", 0)
	p.do(chromedp.Click(css("#open-parameters")))
	get[bool](p, `((s) => { s.value = 'pirate'; s.dispatchEvent(new Event('input', {bubbles: true})); return true; })(document.querySelector('#lora'))`)
	p.do(chromedp.KeyEvent(kb.Escape))
	p.ask("say Arr.")
	p.wait(told + `[0] === 'Arr.' && ` + idle)
	assert.Equal(t, []any{map[string]any{"name": "pirate"}}, get[[]any](p, `asked.at(-1).lora`))
	p.quiet()
}

// A page that was used opens without the network, with what was said.
func TestOffline(t *testing.T) {
	site := parrot(t)
	p := newTab(t, site.URL, "")
	p.ask("say Still here.")
	p.wait(told + `[0] === 'Still here.' && ` + idle)
	p.wait(`navigator.serviceWorker.controller`)
	p.wait(`globalThis.found || caches.match('quire.wasm').then((r) => { globalThis.found = r; }) && false`)
	assert.Regexp(t, `^\[?"?quire\.page\.[0-9a-f]{16}`, get[string](p, `caches.keys().then((names) => names.join())`))
	get[bool](p, kept(`"Still here.`))
	site.CloseClientConnections()
	site.Close()
	p.do(chromedp.Reload())
	p.wait(`document.querySelector('#talks button')`)
	p.do(chromedp.Click(css("#talks button")))
	p.ask("say And again.")
	p.wait(told + `[1] === 'And again.' && ` + idle)
	p.do(chromedp.Navigate(site.URL + "/attention.html"))
	p.wait(`document.querySelector('#measure')`)
}

// A conversation that the browser has no room for, as it finds in the end, is told of, and kept as soon as there is room.
func TestConversationWithoutRoom(t *testing.T) {
	p := newTab(t, serveParrot(t), "")
	get[bool](p, `(({prototype}) => {
		const {put} = prototype;
		globalThis.room = false;
		prototype.put = function (...all) {
			const asked = put.apply(this, all);
			if (!room) asked.addEventListener('success', () => this.transaction.abort());
			return asked;
		};
		return true;
	})(IDBObjectStore)`)
	p.ask("say One.")
	p.wait(told + `[0] === 'One.' && ` + idle)
	p.wait(`!document.querySelector('#unkept').hidden`)
	assert.Equal(t, []any{false, 3.0}, get[[]any](p, `import('/page/chat/store.js').then(async ({Store}) => {
		const store = new Store(() => {}, () => {}), talk = {id: 'x', version: 3};
		await store.open();
		return [await store.put(talk), talk.version];
	})`), "another tab's fourth version is newer")
	get[bool](p, `globalThis.room = true`)
	p.press("New conversation", 0)
	p.ask("say Two.")
	p.wait(told + `[0] === 'Two.' && ` + idle)
	p.wait(`document.querySelector('#unkept').hidden`)
	p.do(chromedp.Reload())
	p.wait(`document.querySelectorAll('#talks button').length === 2`)
	p.quiet()
}

// What one tab says, another shows.
func TestTabsShareConversations(t *testing.T) {
	site := serveParrot(t)
	one, two := newTab(t, site, ""), newTab(t, site, "")
	one.ask("say From one.")
	two.wait(`document.querySelector('#talks button')`)
	two.do(chromedp.Click(css("#talks button")))
	two.wait(told + `[0] === 'From one.'`)
	two.ask("say From two.")
	one.wait(told + `[1] === 'From two.'`)
	two.press("Delete the conversation", 0)
	one.wait(`document.querySelectorAll('#talks button').length === 0`)
	assert.Empty(t, get[[]string](one, told))
	one.quiet()
}
