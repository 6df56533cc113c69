//go:build !js

package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// led is sharing, by the other way.
var led = strings.Replace(sharing, "'worker'", "'lock'", 1)

// endless has the workers that are asked to say no more that a stream has ended, nor what comes with that.
const endless = `
channel.addEventListener('message', ({data}) => {
  if (data !== 'no end') return;
  const {postMessage} = BroadcastChannel.prototype;
  BroadcastChannel.prototype.postMessage = function (message) {
    if (!message.value?.some?.(({result, end}) => result || end)) postMessage.call(this, message);
  };
  channel.postMessage('endless');
});
`

// The tab that leads is closed in mid-stream: another goes on with all streams, without a repeated or missing token. TestTabsHandOver
// has more ways of that, with an engine that takes no time.
func TestTabsFollowALeader(t *testing.T) {
	onlyAll(t)
	site := serve(t, endless)
	follows, third := newTab(t, site+"/empty.html", ""), newTab(t, site+"/empty.html", "")
	want, said := "", ""
	require.True(t, t.Run("leads", func(t *testing.T) {
		leads := newTab(t, site+"/empty.html", "")
		info := get[string](leads, led)
		assert.Equal(t, info, get[string](follows, led))
		assert.Equal(t, info, get[string](third, led))
		assert.True(t, soon(func() bool { return leads.workers() == 1 }), "one worker for all")
		want = get[string](leads, `tell({maxTokens: 3}).result.then(({text}) => text)`)
		get[any](follows, `void (globalThis.chat = {messages: [{role: 'user', content: 'A fox.'}], max_tokens: 2, seed: 7})`)
		said = get[string](follows, `quire.chat.completions.create(chat).then(({choices}) => choices[0].message.content)`)
		get[bool](leads, `new Promise((resolve) => {
			const channel = new BroadcastChannel('test');
			channel.onmessage = ({data}) => { if (data === 'endless') resolve(true); };
			channel.postMessage('no end');
		})`)
		get[bool](third, `Boolean(globalThis.mine = tell({maxTokens: 3}))`)
		get[bool](follows, `new Promise(async (resolve) => {
			globalThis.seen = [];
			globalThis.mine = tell({maxTokens: 3});
			for await (const chunk of mine) {
				seen.push(chunk);
				resolve(true);
			}
		})`)
		get[bool](follows, `new Promise(async (resolve) => {
			globalThis.api = {ids: new Set(), text: ''};
			api.done = (async () => {
				for await (const {id, choices} of quire.chat.completions.create({...chat, stream: true})) {
					api.ids.add(id);
					api.text += choices[0]?.delta.content ?? '';
					if (api.text) resolve(true);
				}
				return [api.text, api.ids.size].join('|');
			})();
		})`)
	}))
	assert.Equal(t, said+"|1", get[string](follows, `api.done`))
	assert.Equal(t, want, get[string](follows, `mine.result.then(({text}) => text)`))
	assert.Equal(t, want, get[string](follows, `seen.map(({text}) => text).join('')`))
	assert.Equal(t, want, get[string](third, `mine.result.then(({text}) => text)`))
	assert.True(t, soon(func() bool { return follows.workers() == 1 }), "and one that goes on")
	follows.quiet()
}

// letters is a site whose engine says letters by a formula, at once. Its model is gone once gone says so.
func letters(t *testing.T) (site string, gone *atomic.Bool) {
	t.Helper()
	whole, err := url.Parse(serve(t))
	require.NoError(t, err)
	gone = &atomic.Bool{}
	mux := http.NewServeMux()
	mux.Handle("/", httputil.NewSingleHostReverseProxy(whole))
	mux.HandleFunc("/worker.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "testdata/led_worker.js") })
	mux.HandleFunc("/gone", func(w http.ResponseWriter, r *http.Request) {
		if gone.Load() {
			fmt.Fprint(w, "yes")
		}
	})
	return host(t, mux).URL + "/empty.html", gone
}

// follower opens a tab of a site of letters. See says whether it is seen, ask begins a stream, and all() is all that came of it.
func follower(t *testing.T, site, model string) *tab {
	t.Helper()
	p := newTab(t, site, "")
	open(p, model)
	return p
}

func open(p *tab, model string) {
	p.Helper()
	get[string](p, fmt.Sprintf(`Promise.all([import('/quire.js'), import('/quire/led.js')]).then(async ([{Quire}, {patience}]) => {
		Object.defineProperty(Document.prototype, 'visibilityState', {get: () => globalThis.shown === false ? 'hidden' : 'visible', configurable: true});
		Object.assign(patience, {hidden: 300, knock: 100});
		globalThis.see = (shown) => { globalThis.shown = shown; document.dispatchEvent(new Event('visibilitychange', {bubbles: true})); };
		globalThis.quire = await Quire.open({model: %q, shared: 'lock'});
		globalThis.ask = (seed, more) => new Promise((resolve) => {
			const came = [];
			globalThis.read = (async () => {
				const mine = quire.generate({prompt: 'abc', seed, maxTokens: 60, ...more});
				for await (const chunk of mine) {
					came[chunk.index] = (came[chunk.index] ?? '') + chunk.text;
					resolve(true);
				}
				return JSON.stringify([came, (await mine.result).choices.map(({text}) => text)]);
			})().catch((e) => e.name + ': ' + e.message);
		});
		globalThis.all = () => read;
		globalThis.running = () => quire.stats().then(({running}) => running);
		globalThis.engine = () => quire.stats().then(({engine}) => engine);
		return '';
	})`, model))
}

// TestTabsHandOver: whatever becomes of the tab that leads, streams go on in all others, and there is one engine.
func TestTabsHandOver(t *testing.T) {
	site, gone := letters(t)
	var first, several string // what ask(3) and ask(4, {n: 3}) are to end with
	t.Run("alone", func(t *testing.T) {
		p := follower(t, site, "/alone.gguf")
		get[bool](p, `ask(3)`)
		first = get[string](p, `all()`)
		get[bool](p, `ask(4, {n: 3})`)
		several = get[string](p, `all()`)
		for _, all := range []string{first, several} {
			var texts [2][]string
			require.NoError(t, json.Unmarshal([]byte(all), &texts))
			assert.Equal(t, texts[0], texts[1])
			assert.Len(t, texts[0][0], 60)
		}
	})
	require.NotEmpty(t, several)
	// begin opens a tab that leads and two that follow, each with a stream.
	begin := func(outer, t *testing.T, model string) (leads, two, three *tab) {
		leads, two, three = follower(t, site, model), follower(outer, site, model), follower(outer, site, model)
		engine := get[string](leads, `engine()`)
		assert.Equal(t, engine, get[string](two, `engine()`))
		assert.Equal(t, engine, get[string](three, `engine()`))
		get[bool](two, `ask(3, {minTokens: 20})`)
		get[bool](three, `ask(4, {n: 3, minTokens: 20})`)
		return leads, two, three
	}
	end := func(t *testing.T, two, three *tab) {
		assert.Equal(t, first, get[string](two, `all()`))
		assert.Equal(t, several, get[string](three, `all()`))
		assert.Equal(t, get[string](two, `engine()`), get[string](three, `engine()`), "one engine")
		assert.Zero(t, get[int](two, `running()`))
		two.quiet()
		three.quiet()
	}

	counted := "" // what a stream of the API says
	for i := range 60 {
		counted += fmt.Sprint(i, " ")
	}
	t.Run("closed", func(t *testing.T) {
		var two, three *tab
		t.Run("leads", func(in *testing.T) { _, two, three = begin(t, in, "/closed.gguf") })
		end(t, two, three)
	})
	t.Run("with a stream of the API", func(t *testing.T) {
		var two *tab
		t.Run("leads", func(in *testing.T) {
			follower(in, site, "/api.gguf")
			two = follower(t, site, "/api.gguf")
			assert.Equal(t, "0", get[string](two, `quire.fetch('/v1/chat/completions', {method: 'POST', body: '{}'}).then(async ({body}) => {
				globalThis.reader = body.pipeThrough(new TextDecoderStream()).getReader();
				globalThis.text = '';
				while (!text.includes('7 ')) text += (await reader.read()).value;
				return text[0];
			})`))
		})
		assert.Equal(t, counted, get[string](two, `(async () => {
			for (let r; !(r = await reader.read()).done;) text += r.value;
			return text;
		})()`))
	})
	t.Run("before a stream of the API begins, and again", func(t *testing.T) {
		var two *tab
		t.Run("leads then", func(then *testing.T) {
			then.Run("leads", func(in *testing.T) {
				leads := follower(in, site, "/late.gguf")
				follower(then, site, "/late.gguf")
				two = follower(t, site, "/late.gguf")
				get[any](two, `see(false)`) // it lets the other go first
				get[any](leads, `quire.encode('')`)
				get[any](two, `void (globalThis.text = '', globalThis.counted = quire.fetch('/v1/chat/completions', {method: 'POST', body: '{}'}).then(async ({body}) => {
					for await (const piece of body.pipeThrough(new TextDecoderStream())) text += piece;
					return text;
				}))`)
				get[any](two, `quire.stats()`)
			})
			two.wait(`text.includes('7 ')`)
		})
		assert.Equal(t, counted, get[string](two, `counted`))
		two.quiet()
	})
	t.Run("with a stream that was cancelled", func(t *testing.T) {
		var two *tab
		t.Run("leads", func(in *testing.T) {
			leads := follower(in, site, "/cancelled.gguf")
			two = follower(t, site, "/cancelled.gguf")
			get[any](leads, `quire.encode('')`)
			get[bool](two, `new Promise(async (resolve) => {
				globalThis.mine = quire.generate({prompt: 'abc', seed: 3, maxTokens: 60, minTokens: 20});
				for await (const _ of mine) resolve(true);
			})`)
			get[any](two, `mine.cancel()`)
			get[any](two, `quire.stats()`)
		})
		assert.Equal(t, "cancelled", get[string](two, `mine.result.then(({reason}) => reason)`))
		assert.Zero(t, get[int](two, `running()`))
	})
	t.Run("heard of late", func(t *testing.T) {
		leads, two, three := begin(t, t, "/heard.gguf")
		before := get[string](two, `engine()`)
		get[any](leads, `navigator.locks.query().then(({held}) => {
			const {name} = held.find(({name}) => name.endsWith(' leads'));
			new BroadcastChannel(name.replace(' leads', '')).postMessage({leads: 'one that is gone'});
		})`)
		end(t, two, three)
		assert.Equal(t, before, get[string](two, `engine()`), "they come back to who leads")
	})
	t.Run("reloaded", func(t *testing.T) {
		leads, two, three := begin(t, t, "/reloaded.gguf")
		before := get[string](two, `engine()`)
		leads.do(chromedp.Navigate(site))
		end(t, two, three)
		assert.NotEqual(t, before, get[string](two, `engine()`))
		open(leads, "/reloaded.gguf")
		assert.Equal(t, get[string](two, `engine()`), get[string](leads, `engine()`), "it follows")
	})
	t.Run("hidden", func(t *testing.T) {
		leads, two, three := begin(t, t, "/hidden.gguf")
		before := get[string](two, `engine()`)
		get[bool](leads, `ask(3, {minTokens: 20})`)
		get[any](two, `see(false)`) // it waits longest, and lets the other go first
		get[any](leads, `see(false)`)
		assert.Equal(t, first, get[string](leads, `all()`), "its own stream goes on, too")
		end(t, two, three)
		after := get[string](two, `engine()`)
		assert.NotEqual(t, before, after)
		get[any](two, `see(true)`)
		get[any](three, `see(false)`)
		three.wait(`engine().then((now) => now !== "` + after + `")`) // the one that is seen leads
		get[any](two, `see(false)`)
		get[any](two, `new Promise((resolve) => setTimeout(resolve, 600))`)
		last := get[string](two, `engine()`)
		get[any](three, `new Promise((resolve) => setTimeout(resolve, 600))`)
		assert.Equal(t, last, get[string](three, `engine()`), "nobody is seen: who leads goes on")
		get[any](leads, `see(true)`)
		leads.wait(`engine().then((now) => now !== "` + last + `")`)
	})
	t.Run("in the back-forward cache", func(t *testing.T) {
		leads, two, three := begin(t, t, "/back.gguf")
		get[bool](leads, `ask(3, {minTokens: 20})`)
		back := leads.behind(strings.TrimSuffix(site, "/empty.html"))
		end(t, two, three)
		back()
		assert.Equal(t, "kept", get[string](leads, cameBack))
		assert.Equal(t, first, get[string](leads, `all()`), "it comes back, and goes on")
		assert.Equal(t, get[string](two, `engine()`), get[string](leads, `engine()`))
	})
	t.Run("a follower comes back from there", func(t *testing.T) {
		leads, two := follower(t, site, "/follows-back.gguf"), follower(t, site, "/follows-back.gguf")
		get[bool](two, `ask(3, {minTokens: 20})`)
		back := two.behind(strings.TrimSuffix(site, "/empty.html"))
		leads.wait(`running().then((n) => n === 0)`)
		back()
		require.Equal(t, "kept", get[string](two, cameBack))
		assert.Equal(t, first, get[string](two, `all()`), "to the same leader")
		assert.Equal(t, get[string](leads, `engine()`), get[string](two, `engine()`))
	})
	t.Run("with its engine closed", func(t *testing.T) {
		leads, two, three := begin(t, t, "/ended.gguf")
		get[any](leads, `quire.close()`)
		end(t, two, three)
		assert.Regexp(t, `^ErrClosed`, get[string](leads, `quire.stats().catch(({name}) => name)`))
	})
	t.Run("without WebGPU in a shared worker", func(t *testing.T) {
		p := newTab(t, site, "")
		assert.Equal(t, []any{true, true}, get[[]any](p, `import('/quire.js').then(async ({Quire}) => {
			const engineOf = async (options) => (await (await Quire.open({model: '/way.gguf', ...options})).stats()).engine;
			const led = await engineOf({shared: 'lock'});
			const either = await engineOf({shared: true});
			SharedWorker = undefined;
			return [led === either, led === await engineOf({shared: true})];
		})`))
		assert.Equal(t, "ErrBadRequest: shared is \"worker\", and this browser has no workers that tabs share",
			get[string](p, `import('/quire.js').then(({Quire}) => Quire.open({model: '/way.gguf', shared: 'worker'})).catch((e) => e.name + ': ' + e.message)`))
		assert.Equal(t, "ErrCrashed: this page cannot share an engine with others: denied", get[string](p, `import('/quire.js').then(({Quire}) => {
			LockManager.prototype.request = () => Promise.reject(new DOMException('denied', 'SecurityError')); // as within a page of another site
			return Quire.open({model: '/denied.gguf', shared: 'lock'});
		}).catch((e) => e.name + ': ' + e.message)`))
	})
	t.Run("while none has opened", func(t *testing.T) {
		a, b := newTab(t, site, ""), newTab(t, site, "")
		for _, p := range []*tab{a, b} {
			get[any](p, `void (globalThis.opens = import('/quire.js').then(({Quire}) => Quire.open({model: '/race.gguf', shared: 'lock'})).then((quire) => quire.stats()).then(({engine}) => engine))`)
		}
		assert.Equal(t, get[string](a, `opens`), get[string](b, `opens`))
	})
	t.Run("a follower", func(t *testing.T) {
		var leads *tab
		t.Run("goes", func(in *testing.T) {
			leads = follower(t, site, "/follower.gguf")
			goes := follower(in, site, "/follower.gguf")
			get[bool](goes, `ask(3, {maxTokens: 1e6})`)
			assert.Equal(t, 1, get[int](leads, `running()`))
		})
		leads.wait(`running().then((n) => n === 0)`)
	})
	t.Run("with adapters", func(t *testing.T) {
		var follows *tab
		want := ""
		t.Run("leads", func(in *testing.T) {
			leads := follower(in, site, "/adapters.gguf")
			follows = follower(t, site, "/adapters.gguf")
			get[any](leads, `quire.loadLora('/a.gguf', {name: 'A'}).then((a) => { globalThis.a = a; })`)
			get[any](follows, `quire.loadLora('/b.gguf', {name: 'B'}).then((b) => { globalThis.b = b; })`)
			get[bool](follows, `ask(3, {lora: b})`)
			want = get[string](follows, `all()`)
			assert.Contains(t, want, "B")
			get[bool](follows, `ask(3, {lora: b, minTokens: 20})`)
		})
		assert.Equal(t, want, get[string](follows, `all()`), "it is loaded again, under another number")
		get[any](follows, `quire.loadLora('/c.gguf', {name: 'C'}).then((c) => { globalThis.c = c; })`)
		get[bool](follows, `ask(3, {lora: [b, {adapter: c, scale: 2}]})`)
		assert.Contains(t, get[string](follows, `all()`), "BC")
		assert.Equal(t, `["?","C"]`, get[string](follows, `b.drop().then(() => quire.stats()).then(({adapters}) => JSON.stringify(adapters))`))
	})
	t.Run("and the model is gone", func(t *testing.T) {
		var two, three *tab
		t.Run("leads", func(in *testing.T) {
			_, two, three = begin(t, in, "/gone.gguf")
			gone.Store(true)
		})
		for _, p := range []*tab{two, three} {
			assert.Equal(t, "ErrNotFound: the model is gone", get[string](p, `all()`))
		}
	})
}

// What a tab has asked for is asked again in an order that no answer upsets.
func TestCallsGoOn(t *testing.T) {
	p := newTab(t, serve(t)+"/empty.html", "")
	assert.Equal(t, []any{[]any{}, []any{4.0, "2"}, []any{4.0}, `[{"adapter":1,"scale":1}]`}, get[[]any](p, `import('/quire/calls.js').then(({Calls}) => {
		const calls = new Calls();
		const ask = (method, id, argument) => calls.asked({method, id, argument: JSON.stringify(argument)});
		const done = (id, value = {}) => calls.heard({kind: 'done', id, value});
		ask('open', 1, {});
		calls.begin();
		done(1);
		ask('addLoRA', 2, {name: 'A'});
		done(2, {id: 1});
		ask('addLoRA', 3, {name: 'B'});
		done(3, {id: 2});
		calls.end();
		calls.begin();
		done(1); // the adapters are loaded again, and one is dropped meanwhile
		ask('dropLoRA', 4, 1);
		const before = done(3, {id: 1}).more;
		const after = done(2, {id: 2}).more.flatMap(({id, argument}) => [id, argument]);
		const own = done(4).own.map(({id}) => id);
		return [before, after, own, JSON.stringify(JSON.parse(ask('submit', 5, {lora: [{adapter: 2, scale: 1}]}).argument).lora)];
	})`))
	assert.Equal(t, []string{"crashed", "listening,crashed"}, get[[]string](p, `import('/quire/hub.js').then(({Hub}) => {
		const hub = new Hub(() => {}), tab = () => ({heard: [], postMessage({kind}) { this.heard.push(kind); }});
		const tabs = [tab(), tab()];
		hub.join(tabs[0]);
		tabs[0].heard = [];
		hub.said({kind: 'crashed', id: 0, value: {name: 'ErrCrashed', message: 'gone'}});
		hub.join(tabs[1]);
		return tabs.map(({heard}) => heard.join());
	})`), "who comes later hears of a crash, too")
	p.quiet()
}

// A leader's GPU that is lost is set up again there, and all tabs' streams go on.
func TestLeaderLosesItsGPU(t *testing.T) {
	onlyAll(t)
	site := serve(t)
	leads, follows := newTab(t, site+"/empty.html", ""), newTab(t, site+"/empty.html", "")
	get[string](leads, led)
	get[string](follows, led)
	want := get[string](leads, `tell().result.then(({text}) => text)`)
	get[bool](follows, `new Promise(async (resolve) => {
		globalThis.mine = tell();
		for await (const _ of mine) resolve(true);
	})`)
	get[any](leads, `new BroadcastChannel('test').postMessage('lose')`)
	assert.Equal(t, want, get[string](follows, `mine.result.then(({text}) => text)`))
	assert.True(t, soon(func() bool { return follows.workers() == 1 }), "and one that goes on")
}
