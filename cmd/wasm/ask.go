//go:build js

package main

import (
	"context"
	"strings"
	"syscall/js"

	"quire/cmd/wasm/port"
	"quire/engine/openai"
)

// ask is a call of the API as quire.js writes it. Its body comes beside it.
type ask struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Headers map[string]string `json:"headers"` // by names in small letters
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
	go b.answer(id, x, call)
	return nil
}

func (b *bridge) answer(id int, x *exchange, call openai.Call) {
	defer func() {
		x.cancel()
		delete(b.exchanges, id)
	}()
	answer := b.api.Handle(x.ctx, call)
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
