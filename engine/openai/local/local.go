// Package local lets the API's calls be answered by an engine in this program.
package local

import (
	"context"
	"errors"
	"maps"
	"sync"

	"quire/engine"
	"quire/engine/generation"
	"quire/engine/openai"
)

// Engine is an engine as the API asks for it.
type Engine struct {
	*engine.Engine
	about openai.About

	mu       sync.Mutex
	adapters map[string]uint64
}

// New makes an engine answer calls. Name is what answers call its model; "" for the name that its file gives. Created is when the
// model came to be, in seconds since 1970, or 0.
func New(e *engine.Engine, name string, created int64) *Engine {
	info := e.Info()
	if name == "" {
		name = info.Name
	}
	longest := 0
	for id := range e.Tokenizer().Size() {
		longest = max(longest, len(e.Tokenizer().Token(int32(id)).Bytes))
	}
	return &Engine{Engine: e, adapters: map[string]uint64{}, about: openai.About{
		Name: name, Context: info.Context, Vocabulary: info.Vocabulary, TokenBytes: longest, Template: info.Template, Defaults: info.Defaults,
		Pooling: info.Pooling, Dimensions: info.Dimensions, NoText: info.NoText, Scores: info.Labels > 0, Created: created,
	}}
}

// NameLoRA gives an adapter that Engine.AddLoRA has loaded a name for requests.
func (e *Engine) NameLoRA(number uint64, name string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.adapters[name] = number
}

// DropLoRA takes an adapter away from requests to come, and its name.
func (e *Engine) DropLoRA(number uint64) error {
	e.mu.Lock()
	maps.DeleteFunc(e.adapters, func(_ string, n uint64) bool { return n == number })
	e.mu.Unlock()
	return e.Engine.DropLoRA(number)
}

// Submit queues a request.
func (e *Engine) Submit(ctx context.Context, r generation.Request) (openai.Stream, error) {
	s, err := e.Engine.Submit(ctx, r)
	if err != nil {
		return nil, err
	}
	return s, nil
}

var errNoLoRA = errors.New("none of that name is loaded")

// LoRA gives an adapter's number by its name.
func (e *Engine) LoRA(name string) (uint64, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	number, ok := e.adapters[name]
	if !ok {
		return 0, errNoLoRA
	}
	return number, nil
}

// About describes the model.
func (e *Engine) About() openai.About { return e.about }

// Models is one engine, whatever the name that a request gives.
type Models struct{ *Engine }

// List gives the one model.
func (m Models) List(context.Context) []openai.ModelInfo {
	a := m.About()
	return []openai.ModelInfo{{ID: a.Name, Created: a.Created, Context: a.Context, Loaded: true}}
}

// Take gives the one engine.
func (m Models) Take(context.Context, string) (openai.Engine, func(), error) {
	return m.Engine, func() {}, nil
}
