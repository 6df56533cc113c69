//go:build js

package main

import (
	"context"
	"syscall/js"

	"quire/cmd/wasm/port"
	"quire/engine"
)

// embedRequest asks for an embedding as quire.js writes it, with one of prompt, ids and messages.
type embedRequest struct {
	asked
	Pooling   string `json:"pooling"`
	Normalize *bool  `json:"normalize"`
}

// embedded is what comes of it.
type embedded struct {
	PromptIDs []int32        `json:"promptIds"`
	Embedding []float32      `json:"embedding,omitempty"`
	Scores    []float32      `json:"scores,omitempty"`
	Figures   engine.Figures `json:"figures"`
}

// embed starts to embed a prompt; the call is answered when that is done.
func (b *bridge) embed(id int, argument string) error {
	var r embedRequest
	if err := port.Decode(argument, &r); err != nil {
		return err
	}
	prompt, err := r.tokens(b.engine, b.engine.EmbedPrompt)
	if err != nil {
		return err
	}
	ask := &engine.Embed{Pooling: engine.Pooling(r.Pooling), Raw: r.Normalize != nil && !*r.Normalize}
	s, err := b.engine.Submit(context.Background(), engine.Request{Prompt: prompt, Embed: ask, Priority: r.Priority, Tenant: r.Tenant, Salt: r.Salt, LoRA: r.adapters()})
	if err != nil {
		return err
	}
	b.streams[id] = s
	go func() {
		result := s.Result()
		delete(b.streams, id)
		if result.Err != nil {
			b.Fail(id, result.Err)
			return
		}
		b.Answer("done", id, embedded{prompt, result.Embedding, result.Scores, result.Figures}, js.Null())
	}()
	return nil
}
