//go:build !js

package browser

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ledger is put before the worker's script: Go's table of JavaScript's objects can be counted.
const ledger = `
const Plain = globalThis.Go;
globalThis.Go = class extends Plain {
  constructor() {
    super();
    globalThis.held = () => ({references: this._values.length - this._idPool.length, memory: globalThis.quireGPU.memory.buffer.byteLength});
  }
};
`

// 200 requests of every kind leave nothing behind: no object of the page or its worker, no reference of Go's to one, no buffer on the GPU,
// and no memory.
func TestRequestsLeaveNothing(t *testing.T) {
	p := newTab(t, serve(t, ledger)+"/empty.html", "")
	get[bool](p, `import('/quire.js').then(async ({Quire}) => {
		globalThis.quire = await Quire.open({model: '/assistant.gguf', keep: false, kvMemory: 4 << 20, context: 64});
		globalThis.signal = new AbortController().signal;
		const ask = {prompt: 'A', maxTokens: 1, signal};
		const messages = [{role: 'user', content: 'A'}];
		const read = async (stream) => { for await (const _ of stream); };
		const complete = (more) => quire.chat.completions.create({messages, max_tokens: 1, ...more}, {signal});
		const kinds = [
			() => quire.generate(ask).result,
			() => read(quire.generate(ask)),
			async () => { const g = quire.generate({...ask, maxTokens: 40}); g.cancel(); await g.result; },
			() => quire.generate({...ask, signal: AbortSignal.abort()}).result.catch(() => {}),
			async () => { const c = new AbortController(), {result} = quire.generate({...ask, maxTokens: 40, signal: c.signal}); c.abort(); await result.catch(() => {}); },
			() => quire.generate({...ask, topP: 2}).result.catch(() => {}),
			() => quire.session().generate(ask).result,
			() => complete({}),
			async () => read(await complete({stream: true})),
			async () => { for await (const _ of await complete({stream: true, max_tokens: 40})) break; },
			() => complete({top_p: 2}).catch(() => {}),
			() => quire.fetch('http://localhost/v1/models', {signal}).then((r) => r.json()),
			async () => { const stop = quire.watch(() => {}); await quire.generate(ask).result; stop(); },
		];
		globalThis.requests = async (n) => {
			for (let i = 0; i < n; i += kinds.length) await Promise.all(kinds.map((kind) => kind()));
			for (let turn = 0; turn < 4; turn++) { // so much memory has Go collect what it no longer needs, and then what that has let go
				await quire.fetch('http://localhost/v1/none', {method: 'POST', body: new Uint8Array(24 << 20)});
				await new Promise((resolve) => { setTimeout(resolve, 50); });
			}
		};
		return true;
	})`)
	worker := p.worker()
	type held struct {
		Page, Worker, References, Memory, Buffers int
	}
	measure := func() (h held) {
		h.Page, h.Worker = objects(t, p.ctx), objects(t, worker)
		about, err := chromedp.Run(worker, chromedp.Evaluate[struct{ References, Memory int }](`held()`))
		require.NoError(t, err)
		h.References, h.Memory = about.References, about.Memory
		h.Buffers = get[int](p, `quire.stats().then(({gpuBuffers}) => gpuBuffers)`)
		return h
	}
	n := 26
	if os.Getenv("QUIRE_ALL") != "" {
		n = 208
	}
	get[any](p, `requests(13)`)
	// What is made once, such as what kernels that come late are bound to, or Go's memory as it settles, comes in one turn or two. What is
	// left of each request comes in all.
	flat := false
	for range 4 {
		before := measure()
		get[any](p, fmt.Sprintf(`requests(%d)`, n))
		after := measure()
		t.Logf("%+v, after %d requests %+v", before, n, after)
		least := n / 13      // of a kind
		in := max(least, 13) // where Go has not collected all at any moment
		if flat = after.Page-before.Page < least && after.Worker-before.Worker < in && after.References-before.References < in &&
			after.Buffers == before.Buffers && after.Memory == before.Memory; flat {
			break
		}
	}
	assert.True(t, flat)
	p.quiet()
}

// worker gives the context of the tab's one worker.
func (p *tab) worker() context.Context {
	p.Helper()
	all, err := chromedp.Targets(p.ctx)
	require.NoError(p, err)
	at := slices.IndexFunc(all, func(i *target.Info) bool { return i.Type == "worker" && strings.HasSuffix(i.URL, "/worker.js") })
	require.GreaterOrEqual(p, at, 0, "no worker")
	ctx, cancel := chromedp.NewContext(p.ctx, chromedp.WithTargetID(all[at].TargetID))
	p.Cleanup(cancel)
	require.NoError(p, chromedp.Do(ctx))
	return ctx
}

// objects counts the objects that live in a page or a worker once what nobody holds is gone.
func objects(t *testing.T, ctx context.Context) (count int) {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		prototype, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: "Object.prototype", ObjectGroup: "count"})
		if err != nil {
			return err
		}
		all, err := chromedp.Call(ctx, runtime.QueryObjects, runtime.QueryObjectsParams{PrototypeObjectID: prototype.Result.ObjectID, ObjectGroup: "count"})
		if err != nil {
			return err
		}
		by := true
		length, err := chromedp.Call(ctx, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
			FunctionDeclaration: "function () { return this.length; }", ObjectID: all.Objects.ObjectID, ReturnByValue: &by,
		})
		if err != nil {
			return err
		}
		if _, err := chromedp.Call(ctx, runtime.ReleaseObjectGroup, runtime.ReleaseObjectGroupParams{ObjectGroup: "count"}); err != nil {
			return err
		}
		_, err = fmt.Sscan(string(length.Result.Value), &count)
		return err
	})))
	return count
}
