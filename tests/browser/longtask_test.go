//go:build !js

package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// observed counts what the page is given to read and to show while an answer comes: the most at once or in one task, in characters. A frame
// that comes late on a busy machine has the work of several.
const observed = `(async () => {
	const {Marked} = await import('/page/lib/marked.js');
	globalThis.work = {read: 0, shown: 0, all: 0, tasks: 0};
	let read = 0, shown = 0, counting = false;
	const sum = () => { // behind what runs: what a page shows at once it shows without waiting for anything
		counting = false;
		work.tasks++;
		work.read = Math.max(work.read, read);
		work.shown = Math.max(work.shown, shown);
		work.all += shown;
		read = shown = 0;
	};
	const count = () => { if (!counting) queueMicrotask(sum, counting = true); };
	const {lexer, parser} = Marked.prototype, {sanitize} = DOMPurify;
	globalThis.atOnce = async (text) => { // milliseconds that the machine takes to read and clean a text at once, at best
		const marked = new Marked(), times = [];
		for (let turn = 0; turn < 8; turn++) {
			const start = performance.now();
			sanitize.call(DOMPurify, parser.call(marked, lexer.call(marked, text)));
			times.push(performance.now() - start);
			await new Promise((resolve) => { setTimeout(resolve); });
		}
		return Math.min(...times);
	};
	Marked.prototype.lexer = function (text, ...more) { count(); read = Math.max(read, text.length); return lexer.call(this, text, ...more); };
	Marked.prototype.parser = function (tokens, ...more) { count(); shown += tokens[0].raw.length; return parser.call(this, tokens, ...more); };
	return true;
})()`

// long is 8 kB of Markdown of every kind, a kind with much of it at once.
const long = `(() => {
	const words = (n, i) => Array.from({length: n}, (_, k) => ['fox', 'kite', '*owl*', 'tree', '` + "`code`" + `'][(7 * k + i) % 5]).join(' ');
	const lines = (n, line) => Array.from({length: n}, (_, i) => line(i)).join('\n');
	return ['# Title', words(280, 1), lines(40, (i) => '- ' + words(7, i)), '| a | b | c |\n|---|---|---|\n' + lines(30, (i) => '| ' + words(3, i) + ' | ' + i + ' | **x** |'),
		'` + "```" + `go\n' + lines(60, (i) => '\tx' + i + ' := f(' + i + ')') + '\n` + "```" + `', words(400, 3), lines(20, (i) => (i + 1) + '. ' + words(6, i)), '> ' + words(40, 2), 'The end.'].join('\n\n');
})()`

// While a long answer comes, no task reads or shows more than a few blocks of it, whatever they are; nothing keeps the page for long.
func TestNoLongTasks(t *testing.T) {
	p := newTab(t, serveParrot(t), "")
	p.ask("say Warm **up**.\n\n- a list\n\n| a |\n|---|\n| b |")
	p.wait(told + `.length === 1 && ` + idle)
	assert.Greater(t, get[int](p, `(globalThis.long = `+long+`).length`), 8000)
	get[bool](p, observed)
	longest, most := math.Inf(1), 50.0
	for answers := 2; longest >= most && answers < 8; answers += 2 { // the same work takes longer where others have the caches
		p.ask("say nothing yet")
		p.wait(fmt.Sprintf(told+`.length === %d && `+idle, answers))
		stopTracing := p.tasks()
		get[bool](p, `(document.querySelector('#message').value = 'say ' + long, document.querySelector('#message').dispatchEvent(new Event('input')), document.querySelector('#send').click(), true)`)
		p.wait(fmt.Sprintf(told+`.length === %d && `+told+`.at(-1).endsWith('The end.') && `+idle, answers+1))
		work := get[struct {
			Read, Shown, All, Tasks int
		}](p, `work`)
		tasks := stopTracing()
		t.Logf("at most %d characters read at once, %d shown at once, %d shown in all, in %d times; the longest took %v ms", work.Read, work.Shown, work.All, work.Tasks, tasks[:5])
		assert.Less(t, work.Read, 6000, "characters read of an answer at once")
		assert.LessOrEqual(t, work.Shown, 4000, "characters shown at once, of what they come from")
		longest = min(longest, tasks[0])
		if longest >= most {
			most = max(most, 4*get[float64](p, `atOnce(long)`)) // a slow machine
			t.Logf("%.0f ms would not be much here", most)
		}
	}
	assert.Less(t, longest, most, "milliseconds that the main thread computed in one task")

	// What is shown bit by bit is what is shown at once; and so it is after a reload, the end first.
	assert.True(t, get[bool](p, `import('/page/chat/markdown.js').then(async ({Markdown}) => {
		const whole = new Markdown();
		whole.show(long);
		while (!whole.node.textContent.trimEnd().endsWith('The end.')) await new Promise((resolve) => setTimeout(resolve));
		const told = [...document.querySelectorAll('.told .markdown')].at(-1);
		globalThis.apart = [told.innerHTML, whole.node.innerHTML];
		return apart[0] === apart[1];
	})`))
	p.picture("chat-long")
	p.quiet()
}

// tasks begins to trace the tab. What it returns ends that, and gives how long the main thread computed in each task, in milliseconds,
// the longest first. That is the processor's time: other programs on a busy machine do not count.
func (p *tab) tasks() func() []float64 {
	type event struct {
		Name     string
		Cat      string
		PID, TID int
		TDur     float64 // microseconds
		Args     struct{ Name string }
	}
	var events []event
	done := make(chan struct{})
	listening, leave := context.WithCancel(p.ctx)
	require.NoError(p, chromedp.Listen(listening, func(ev any) {
		switch ev := ev.(type) {
		case *tracing.EventDataCollected:
			for _, value := range ev.Value {
				var e event
				if json.Unmarshal(value, &e) == nil {
					events = append(events, e)
				}
			}
		case *tracing.EventTracingComplete:
			close(done)
		}
	}))
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, tracing.Start, tracing.StartParams{TraceConfig: &tracing.TraceConfig{IncludedCategories: []string{"toplevel", "blink.user_timing"}}})
		return err
	}))
	get[bool](p, `Boolean(performance.mark('this tab'))`)
	return func() []float64 {
		p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, tracing.End, struct{}{})
			return err
		}))
		<-done
		leave() // or it hears of the next trace, too
		var tasks []float64
		at := slices.IndexFunc(events, func(e event) bool { return e.Name == "this tab" })
		require.GreaterOrEqual(p, at, 0)
		for _, e := range events {
			if e.Cat == "toplevel" && e.PID == events[at].PID && e.TID == events[at].TID {
				tasks = append(tasks, e.TDur/1000)
			}
		}
		slices.Sort(tasks)
		slices.Reverse(tasks)
		return tasks
	}
}
