//go:build js

package main

import (
	"context"
	"syscall/js"

	"quire/engine"
)

// loraUse is engine.LoRA as quire.js writes it.
type loraUse struct {
	Adapter uint64  `json:"adapter"`
	Scale   float64 `json:"scale"`
}

// adapters are those that a request names.
func (r *asked) adapters() (all []engine.LoRA) {
	for _, use := range r.LoRA {
		all = append(all, engine.LoRA{Adapter: use.Adapter, Scale: use.Scale})
	}
	return all
}

// addLoRA answers with the number of an adapter that it loads.
func (b *bridge) addLoRA(id int, e *engine.Engine, url string, blob js.Value) {
	source, err := openSource(context.Background(), url, blob)
	if err == nil {
		var number uint64
		if number, err = e.AddLoRA(source); err == nil {
			b.Answer("done", id, number, js.Null())
			return
		}
	}
	b.Fail(id, err)
}
