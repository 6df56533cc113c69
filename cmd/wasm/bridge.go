//go:build js

package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"syscall/js"
	"time"

	"quire/cmd/wasm/port"
	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/openai"
	"quire/engine/openai/local"
	"quire/engine/split"
	"quire/engine/tokenizer"
)

// bridge holds the worker's one engine. Its methods run in JavaScript's event loop: what waits runs in a goroutine.
type bridge struct {
	*port.Port
	engine   *engine.Engine
	opening  bool
	streams  map[int]*engine.Stream // by the id of their call
	outbox   *outbox
	watching *watcher // nil: nobody watches the blocks

	compiling map[int]context.CancelFunc // ends those whose grammar is being compiled, by the id of their call

	api       openai.API
	exchanges map[int]*exchange // of the API, by the id of their call
	local     *local.Engine     // the engine as the API asks for it
	events    *eventbox
}

func newBridge(p *port.Port) *bridge {
	b := &bridge{Port: p, streams: map[int]*engine.Stream{}, compiling: map[int]context.CancelFunc{}, exchanges: map[int]*exchange{}}
	b.outbox = newOutbox(func(messages []message) { b.Answer("chunks", 0, messages, js.Null()) })
	b.events = newEventbox(func(parts []part, bytes []byte) { b.Answer("events", 0, parts, bytesOf(bytes)) })
	return b
}

// call runs a method; blob is a Blob for "open", "restore" and "addLoRA", or for "restore" and "save" the handle of a file, the bytes of the body for "ask", and otherwise nothing.
func (b *bridge) call(method string, id int, argument string, blob js.Value) {
	result, err := b.run(method, id, argument, blob)
	switch {
	case err != nil:
		b.Fail(id, err)
	case result != nil:
		b.Answer("done", id, result, js.Null())
	}
}

// run returns a method's result, or nothing when the answer comes later.
func (b *bridge) run(method string, id int, argument string, blob js.Value) (any, error) {
	if method == "open" {
		if b.engine != nil || b.opening {
			return nil, fmt.Errorf("%w: the worker has a model", engine.ErrBadRequest)
		}
		var o openOptions
		if err := port.Decode(argument, &o); err != nil {
			return nil, err
		}
		b.opening = true
		go b.open(id, o, blob)
		return nil, nil
	}
	if b.engine == nil {
		return nil, engine.ErrClosed
	}
	switch method {
	case "submit":
		return nil, b.submit(id, argument)
	case "embed":
		return nil, b.embed(id, argument)
	case "look":
		return nil, b.look(id, argument)
	case "ask":
		return nil, b.ask(id, argument, blob)
	case "flow":
		var f flow
		if err := port.Decode(argument, &f); err != nil {
			return nil, err
		}
		if x := b.exchanges[f.ID]; x != nil {
			x.hold(!f.Open)
		}
		return struct{}{}, nil
	case "cancel":
		var stream int
		if err := port.Decode(argument, &stream); err != nil {
			return nil, err
		}
		if s := b.streams[stream]; s != nil {
			s.Cancel()
		}
		if cancel := b.compiling[stream]; cancel != nil {
			cancel()
		}
		if x := b.exchanges[stream]; x != nil {
			x.cancel()
		}
		return struct{}{}, nil
	case "encode":
		var a struct {
			Text    string `json:"text"`
			Special bool   `json:"special"`
		}
		if err := port.Decode(argument, &a); err != nil {
			return nil, err
		}
		return port.OrEmpty(b.engine.Tokenizer().Encode(a.Text, tokenizer.EncodeOptions{Special: a.Special})), nil
	case "decode":
		var a struct {
			IDs     []int32 `json:"ids"`
			Special bool    `json:"special"`
		}
		if err := port.Decode(argument, &a); err != nil {
			return nil, err
		}
		if err := checkIDs(b.engine, a.IDs); err != nil {
			return nil, err
		}
		return string(b.engine.Tokenizer().Decode(a.IDs, tokenizer.DecodeOptions{Special: a.Special})), nil
	case "save":
		var ids []int32
		if err := port.Decode(argument, &ids); err != nil {
			return nil, err
		}
		if err := checkIDs(b.engine, ids); err != nil {
			return nil, err
		}
		go b.save(id, b.engine.NewSession(ids...), blob)
		return nil, nil
	case "restore":
		go b.restore(id, b.engine, blob)
		return nil, nil
	case "addLoRA":
		var file loraFile
		if err := port.Decode(argument, &file); err != nil {
			return nil, err
		}
		go b.addLoRA(id, b.engine, file, blob)
		return nil, nil
	case "dropLoRA":
		var number uint64
		if err := port.Decode(argument, &number); err != nil {
			return nil, err
		}
		return struct{}{}, b.local.DropLoRA(number)
	case "stats":
		return b.engine.Stats(), nil
	case "hostTimes":
		go b.hostTimes(id, b.engine)
		return nil, nil
	case "watch":
		var on bool
		if err := port.Decode(argument, &on); err != nil {
			return nil, err
		}
		b.watch(on)
		return struct{}{}, nil
	case "close":
		b.watch(false)
		go b.close(id, b.engine)
		b.engine = nil
		return nil, nil
	}
	return nil, fmt.Errorf("%w: no method %q", engine.ErrBadRequest, method)
}

func checkIDs(e *engine.Engine, ids []int32) error {
	vocabulary := e.Info().Vocabulary
	for i, token := range ids {
		if token < 0 || int(token) >= vocabulary {
			return fmt.Errorf("%w: token %d is %d, the vocabulary has %d", engine.ErrBadRequest, i, token, vocabulary)
		}
	}
	return nil
}

// gcOpening is by how many percent memory may grow before the collector runs while a model opens: most of what is made then stays, and
// there is one thread for all. So it first runs at 64 MiB; a llama of 128,256 tokens makes 43 in all.
const gcOpening = 1600

func (b *bridge) open(id int, o openOptions, blob js.Value) {
	ctx := context.Background()
	source, err := openSource(ctx, o.URL, blob)
	if err == nil {
		options := o.options()
		if o.Drafter != "" {
			if options.DraftModel, err = openSource(ctx, o.Drafter, js.Null()); err != nil {
				source.Close()
				b.opening = false
				b.Fail(id, fmt.Errorf("draftModel: %w", err))
				return
			}
		}
		options.Progress = b.progress(id)
		defer debug.SetGCPercent(debug.SetGCPercent(gcOpening)) // behind the answer
		b.engine, err = engine.Open(ctx, source, options)
	}
	b.opening = false
	if err != nil {
		b.Fail(id, err)
		return
	}
	b.local = local.New(b.engine, "", 0)
	b.api.Models = local.Models{Engine: b.local}
	b.Answer("done", id, b.engine.Info(), js.Null())
}

// tellEvery is how often a page hears how far the weights have come: each tensor's word would take as long as its bytes.
const tellEvery = 30 * time.Millisecond

// progress tells a page how far a call has come.
func (b *bridge) progress(id int) func(engine.Progress) {
	var told time.Time
	return func(p engine.Progress) {
		if p.Stage == "weights" && p.Done < p.Total && time.Since(told) < tellEvery {
			return
		}
		told = time.Now()
		b.Answer("progress", id, p, js.Null())
	}
}

func openSource(ctx context.Context, url string, blob js.Value) (gpu.Source, error) {
	if blob.Truthy() {
		return openBlobs(ctx, blob)
	}
	if url == "" {
		return nil, fmt.Errorf("%w: no model is given", engine.ErrBadRequest)
	}
	source, err := gpu.OpenURL(ctx, url)
	if err != nil {
		return nil, err
	}
	joined, err := split.Open(ctx, split.File{Name: url, Source: source}, gpu.OpenURL)
	if err != nil {
		source.Close()
	}
	return joined, err
}

// openBlobs opens a Blob, or a list of those that a model lies in.
func openBlobs(ctx context.Context, blobs js.Value) (gpu.Source, error) {
	if !js.Global().Get("Array").Call("isArray", blobs).Bool() {
		blobs = js.ValueOf([]any{blobs})
	}
	var files []split.File
	fail := func(err error) (gpu.Source, error) {
		for _, f := range files {
			f.Close()
		}
		return nil, err
	}
	for i := range blobs.Length() {
		source, err := gpu.OpenBlob(ctx, blobs.Index(i))
		if err != nil {
			return fail(err)
		}
		name := ""
		if given := blobs.Index(i).Get("name"); given.Type() == js.TypeString {
			name = given.String()
		}
		files = append(files, split.File{Name: name, Source: source})
	}
	joined, err := split.Join(files)
	if err != nil {
		return fail(fmt.Errorf("%w: %w", engine.ErrBadRequest, err))
	}
	return joined, nil
}

// submit starts a stream; the answer to its call, which tells the prompt's token ids, comes later: where a grammar must be compiled nothing
// else would run meanwhile.
func (b *bridge) submit(id int, argument string) error {
	var r request
	if err := port.Decode(argument, &r); err != nil {
		return err
	}
	e := b.engine
	q, err := r.request(e)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.compiling[id] = cancel
	go func() {
		defer cancel()
		s, err := e.Submit(ctx, q)
		if errors.Is(err, context.Canceled) { // it ends like any other that is cancelled
			q.Grammar = nil
			s, err = e.Submit(ctx, q)
		}
		delete(b.compiling, id)
		if err != nil {
			b.Fail(id, err)
			return
		}
		b.streams[id] = s
		runtime.Gosched() // the GPU has its first step before the answer is written
		b.Answer("done", id, accepted{q.Prompt, r.dropped}, js.Null())
		b.follow(id, s, q)
	}()
	return nil
}

// accepted is the answer to a submit.
type accepted struct {
	PromptIDs []int32 `json:"promptIds"`
	Dropped   int     `json:"dropped"` // messages
}

// follow sends what a stream says.
func (b *bridge) follow(id int, s *engine.Stream, q engine.Request) {
	for {
		chunk, more := s.Next()
		if !more {
			break
		}
		b.outbox.add(id, chunk, q.Sample.Logprobs > 0)
	}
	delete(b.streams, id)
	b.outbox.end(id, resultOf(s.Result()))
}

func (b *bridge) close(id int, e *engine.Engine) {
	if err := e.Close(); err != nil {
		b.Fail(id, err)
		return
	}
	b.Answer("done", id, struct{}{}, js.Null())
}
