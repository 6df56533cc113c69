//go:build js

package main

import (
	"context"
	"encoding/binary"
	"math"

	"quire/cmd/wasm/port"
	"quire/engine"
)

// lookRequest asks for a look at a prompt, with one of prompt, ids and messages.
type lookRequest struct {
	asked
	Layer   *int `json:"layer"`
	Answers int  `json:"answers"`
}

// look answers by a head, and the floats one after another: the query, what comes of it, K, V and sinks.
func (b *bridge) look(id int, argument string) error {
	var r lookRequest
	if err := port.Decode(argument, &r); err != nil {
		return err
	}
	prompt, err := r.tokens(b.engine, b.engine.TextPrompt)
	if err != nil {
		return err
	}
	layer := -1
	if r.Layer != nil {
		layer = *r.Layer
	}
	go func(e *engine.Engine) {
		l, err := e.Look(context.Background(), prompt, layer, r.Answers)
		if err != nil {
			b.Fail(id, err)
			return
		}
		var data []byte
		for _, list := range [][]float32{l.Query, l.Out, l.Keys, l.Values, l.Sinks} {
			for _, x := range list {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
			}
		}
		b.Answer("head", id, l, bytesOf(data))
	}(b.engine)
	return nil
}
