//go:build js

// Package port is what Quire's programs in a worker share: calls that come from its JavaScript (web/worker.js), and answers.
package port

import (
	"fmt"
	"syscall/js"

	"quire/engine"
	"quire/engine/json"
)

// Port posts to the worker's JavaScript.
type Port struct {
	Post    func(kind string, id int, json string, bytes js.Value)
	Failure func(error) *Failure
}

// Open returns a port to globalThis.quirePost, which is called with (kind, id, JSON, a Uint8Array, a Blob or null).
func Open(failure func(error) *Failure) *Port {
	post := js.Global().Get("quirePost")
	return &Port{func(kind string, id int, json string, bytes js.Value) { post.Invoke(kind, id, json, bytes) }, failure}
}

// Serve sets globalThis.quireCall(method, id, JSON, blob), which never throws and returns nothing, and says that it is there.
// Each call is to be answered by one "done" or "failed" under its id.
func (p *Port) Serve(call func(method string, id int, argument string, blob js.Value)) {
	js.Global().Set("quireCall", js.FuncOf(func(_ js.Value, args []js.Value) any {
		call(args[0].String(), args[1].Int(), args[2].String(), args[3])
		return nil
	}))
	p.Answer("ready", 0, struct{}{}, js.Null())
}

// Answer posts a value; bytes is a Uint8Array or a Blob that goes with it, or null.
func (p *Port) Answer(kind string, id int, value any, bytes js.Value) {
	text, err := json.Marshal(value)
	if err != nil {
		p.Fail(id, err)
		return
	}
	p.Post(kind, id, string(text), bytes)
}

// Fail answers a call by an error.
func (p *Port) Fail(id int, err error) { p.Answer("failed", id, p.Failure(err), js.Null()) }

// Decode reads one JSON value whose fields are all known.
func Decode(text string, value any) error {
	if err := json.Unmarshal([]byte(text), value); err != nil {
		return fmt.Errorf("%w: %w", engine.ErrBadRequest, err)
	}
	return nil
}

// OrEmpty gives a list that JSON writes as one.
func OrEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
