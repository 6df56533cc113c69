//go:build js

package main

import (
	"context"
	"errors"
	"syscall/js"

	"quire/cmd/wasm/port"
	"quire/engine"
	"quire/engine/gpu"
)

// save answers with a session's file, or writes it to the handle of one that the browser keeps.
func (b *bridge) save(id int, s *engine.Session, to js.Value) {
	file, err := gpu.NewSaving(to)
	if err != nil {
		b.Fail(id, err)
		return
	}
	err = s.Save(file)
	blob, ended := file.End(err == nil)
	if err = errors.Join(err, ended); err != nil {
		b.Fail(id, err)
		return
	}
	b.Answer("done", id, struct{}{}, blob)
}

// restore answers with the tokens of a session that was saved, in a Blob or in a file that the browser keeps.
func (b *bridge) restore(id int, e *engine.Engine, from js.Value) {
	s, err := restore(e, from)
	if err != nil {
		b.Fail(id, err)
		return
	}
	b.Answer("done", id, port.OrEmpty(s.Tokens()), js.Null())
}

func restore(e *engine.Engine, from js.Value) (*engine.Session, error) {
	source, err := gpu.OpenSaved(context.Background(), from)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	return e.RestoreFrom(source)
}
