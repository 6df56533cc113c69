//go:build js

package main

import (
	"context"
	"strings"
	"syscall/js"
	"time"

	"quire/cmd/wasm/port"
	"quire/engine"
	"quire/engine/openai"
)

// ask is a call of the API as quire.js writes it. Its body comes beside it.
type ask struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"` // by names in small letters
	Journal *journal          `json:"journal"` // of a tab that another engine may go on for (web/quire/calls.js)
}

// journal is openai.Journal.
type journal struct {
	Seed  uint64 `json:"seed"`
	Asked int64  `json:"asked"` // in milliseconds since 1970
	Bytes int    `json:"bytes"`
	Had   []told `json:"had"`
}

// told is a chunk of the engine's, with all that makes events.
type told struct {
	Token  engine.Token        `json:"token"`
	Text   string              `json:"text,omitempty"`
	Index  int                 `json:"index,omitempty"` // of the choice
	Reason engine.FinishReason `json:"reason,omitempty"`
}

// handle answers a call, from where a journal stands if it has one.
func (b *bridge) handle(ctx context.Context, id int, j *journal, c openai.Call) *openai.Answer {
	if j == nil {
		return b.api.Handle(ctx, c)
	}
	own := openai.Journal{Seed: j.Seed, Asked: time.UnixMilli(j.Asked), Bytes: j.Bytes, Tell: func(c engine.Chunk) {
		b.events.tell(id, told{c.Token, c.Text, c.Index, c.Reason})
	}}
	for _, t := range j.Had {
		own.Had = append(own.Had, engine.Chunk{Token: t.Token, Text: t.Text, Index: t.Index, Reason: t.Reason})
	}
	return own.Handle(ctx, &b.api, c)
}

// head is what an answer begins with. Events come after the head of a stream, its body with any other.
type head struct {
	Status  int         `json:"status"`
	Headers [][2]string `json:"headers"`
	Stream  bool        `json:"stream"`
}

// exchange is a call of the API that has not ended.
type exchange struct {
	ctx    context.Context
	cancel context.CancelFunc
	held   bool          // its reader has enough for now
	wake   chan struct{} // holds one signal: held has changed
}

// flow is how a slow reader holds events back.
type flow struct {
	ID   int  `json:"id"`
	Open bool `json:"open"`
}

// ask answers a call of the API by a head, and then by events if there are any.
func (b *bridge) ask(id int, argument string, body js.Value) error {
	var a ask
	if err := port.Decode(argument, &a); err != nil {
		return err
	}
	call := openai.Call{Method: a.Method, Path: a.Path, Header: func(name string) string { return a.Headers[strings.ToLower(name)] }}
	if body.Truthy() {
		call.Body = make([]byte, body.Length())
		js.CopyBytesToGo(call.Body, body)
	}
	x := &exchange{wake: make(chan struct{}, 1)}
	x.ctx, x.cancel = context.WithCancel(context.Background())
	b.exchanges[id] = x
	go b.answer(id, x, a.Journal, call)
	return nil
}

func (b *bridge) answer(id int, x *exchange, j *journal, call openai.Call) {
	defer func() {
		x.cancel()
		delete(b.exchanges, id)
	}()
	answer := b.handle(x.ctx, id, j, call)
	h := head{answer.Status, port.OrEmpty(answer.Header), answer.Events != nil}
	if !h.Stream {
		b.Answer("head", id, h, bytesOf(answer.Body))
		return
	}
	b.Answer("head", id, h, js.Null())
	for event := range answer.Events {
		b.events.add(id, event)
		if !x.flows() {
			break
		}
	}
	b.events.end(id)
}

// flows waits while the reader has enough, and reports whether there still is one.
func (x *exchange) flows() bool {
	for x.held && x.ctx.Err() == nil {
		select {
		case <-x.wake:
		case <-x.ctx.Done():
		}
	}
	return x.ctx.Err() == nil
}

func (x *exchange) hold(held bool) {
	x.held = held
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// bytesOf copies bytes to JavaScript.
func bytesOf(data []byte) js.Value {
	array := js.Global().Get("Uint8Array").New(len(data))
	js.CopyBytesToJS(array, data)
	return array
}
