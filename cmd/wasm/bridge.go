//go:build js

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall/js"

	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/tokenizer"
	"quire/engine/words"
)

// bridge holds the worker's one engine. Its methods run in JavaScript's event loop: what waits runs in a goroutine.
type bridge struct {
	post     func(kind string, id int, json string, bytes js.Value)
	engine   *engine.Engine
	opening  bool
	streams  map[int]*engine.Stream // by the id of their call
	outbox   *outbox
	watching *watcher // nil: nobody watches the blocks
}

func newBridge(post func(kind string, id int, json string, bytes js.Value)) *bridge {
	b := &bridge{post: post, streams: map[int]*engine.Stream{}}
	b.outbox = newOutbox(func(messages []message) { b.answer("chunks", 0, messages, js.Null()) })
	return b
}

// call runs a method; blob is a Blob for "open" and otherwise nothing.
func (b *bridge) call(method string, id int, argument string, blob js.Value) {
	result, err := b.run(method, id, argument, blob)
	switch {
	case err != nil:
		b.fail(id, err)
	case result != nil:
		b.answer("done", id, result, js.Null())
	}
}

// run returns a method's result, or nothing when the answer comes later.
func (b *bridge) run(method string, id int, argument string, blob js.Value) (any, error) {
	if method == "open" {
		if b.engine != nil || b.opening {
			return nil, fmt.Errorf("%w: the worker has a model", engine.ErrBadRequest)
		}
		var o openOptions
		if err := decode(argument, &o); err != nil {
			return nil, err
		}
		b.opening = true
		go b.open(id, o, blob)
		return nil, nil
	}
	if method == "tune" {
		return nil, b.tune(id, argument)
	}
	if method == "attention" {
		return nil, b.measureAttention(id, argument)
	}
	if b.engine == nil {
		return nil, engine.ErrClosed
	}
	switch method {
	case "submit":
		return b.submit(id, argument)
	case "cancel":
		var stream int
		if err := decode(argument, &stream); err != nil {
			return nil, err
		}
		if s := b.streams[stream]; s != nil {
			s.Cancel()
		}
		return struct{}{}, nil
	case "encode":
		var a struct {
			Text    string `json:"text"`
			Special bool   `json:"special"`
		}
		if err := decode(argument, &a); err != nil {
			return nil, err
		}
		return orEmpty(b.engine.Tokenizer().Encode(a.Text, tokenizer.EncodeOptions{Special: a.Special})), nil
	case "decode":
		var a struct {
			IDs     []int32 `json:"ids"`
			Special bool    `json:"special"`
		}
		if err := decode(argument, &a); err != nil {
			return nil, err
		}
		for i, token := range a.IDs {
			if token < 0 || int(token) >= b.engine.Info().Vocabulary {
				return nil, fmt.Errorf("%w: token %d is %d, the vocabulary has %d", engine.ErrBadRequest, i, token, b.engine.Info().Vocabulary)
			}
		}
		return string(b.engine.Tokenizer().Decode(a.IDs, tokenizer.DecodeOptions{Special: a.Special})), nil
	case "stats":
		return statsOf(b.engine), nil
	case "watch":
		var on bool
		if err := decode(argument, &on); err != nil {
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

func (b *bridge) open(id int, o openOptions, blob js.Value) {
	ctx := context.Background()
	source, err := openSource(ctx, o.URL, blob)
	if err == nil {
		options := o.options()
		options.Progress = func(p engine.Progress) { b.answer("progress", id, progress{p.Stage, p.Done, p.Total}, js.Null()) }
		b.engine, err = engine.Open(ctx, source, options)
	}
	b.opening = false
	if err != nil {
		b.fail(id, err)
		return
	}
	b.answer("done", id, infoOf(b.engine), js.Null())
}

func openSource(ctx context.Context, url string, blob js.Value) (gpu.Source, error) {
	if blob.Truthy() {
		return gpu.OpenBlob(ctx, blob)
	}
	if url == "" {
		return nil, fmt.Errorf("%w: no model is given", engine.ErrBadRequest)
	}
	return gpu.OpenURL(ctx, url)
}

// submit starts a stream; the answer to its call tells the prompt's token ids.
func (b *bridge) submit(id int, argument string) (any, error) {
	var r request
	if err := decode(argument, &r); err != nil {
		return nil, err
	}
	q, err := r.request(b.engine)
	if err != nil {
		return nil, err
	}
	s, err := b.engine.Submit(context.Background(), q)
	if err != nil {
		return nil, err
	}
	b.streams[id] = s
	go func() {
		for {
			chunk, more := s.Next()
			if !more {
				break
			}
			b.outbox.add(id, chunk, q.Sample.Logprobs > 0)
		}
		delete(b.streams, id)
		b.outbox.end(id, resultOf(s.Result()))
	}()
	return struct {
		PromptIDs []int32 `json:"promptIds"`
	}{q.Prompt}, nil
}

func (b *bridge) close(id int, e *engine.Engine) {
	if err := e.Close(); err != nil {
		b.fail(id, err)
		return
	}
	b.answer("done", id, struct{}{}, js.Null())
}

// answer posts a value; bytes is a Uint8Array that goes with it, or null.
func (b *bridge) answer(kind string, id int, value any, bytes js.Value) {
	text, err := json.Marshal(value)
	if err != nil {
		b.fail(id, err)
		return
	}
	b.post(kind, id, string(text), bytes)
}

func (b *bridge) fail(id int, err error) { b.answer("failed", id, failureOf(err), js.Null()) }

// decode reads one JSON value whose fields are all known.
func decode(text string, value any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	err := words.JSON(d.Decode(value))
	if err == nil {
		if _, end := d.Token(); end != io.EOF {
			err = errors.New("more than one JSON value")
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", engine.ErrBadRequest, err)
	}
	return nil
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
