package loader

import (
	"context"
	"slices"

	"quire/engine/generation"
	"quire/engine/openai"
)

// WithAdapters lets adapters of one of the models be asked for by their names, as vLLM has it: such a name is the model with its
// adapter, beside those that a request names itself.
func WithAdapters(models openai.Models, base string, names []string) openai.Models {
	if len(names) == 0 {
		return models
	}
	return &adapted{models, base, names}
}

type adapted struct {
	openai.Models
	base  string
	names []string
}

// List implements openai.Models.
func (a *adapted) List(ctx context.Context) (all []openai.ModelInfo) {
	for _, m := range a.Models.List(ctx) {
		all = append(all, m)
		if m.ID != a.base {
			continue
		}
		for _, name := range a.names {
			m.ID, m.Parent = name, a.base
			all = append(all, m)
		}
	}
	return all
}

// Take implements openai.Models.
func (a *adapted) Take(ctx context.Context, name string) (openai.Engine, func(), error) {
	if !slices.Contains(a.names, name) {
		return a.Models.Take(ctx, name)
	}
	e, release, err := a.Models.Take(ctx, a.base)
	if err != nil {
		return nil, nil, err
	}
	number, err := e.LoRA(name)
	if err != nil {
		release()
		return nil, nil, err
	}
	return &tuned{e, name, number}, release, nil
}

// tuned is a model with an adapter.
type tuned struct {
	openai.Engine
	name    string
	adapter uint64
}

// About implements openai.Engine.
func (t *tuned) About() openai.About {
	about := t.Engine.About()
	about.Name = t.name
	return about
}

// Submit implements openai.Engine.
func (t *tuned) Submit(ctx context.Context, r generation.Request) (openai.Stream, error) {
	own := func(l generation.LoRA) bool { return l.Adapter == t.adapter }
	if !slices.ContainsFunc(r.LoRA, own) { // else the request says how much of it
		r.LoRA = append([]generation.LoRA{{Adapter: t.adapter, Scale: 1}}, r.LoRA...)
	}
	return t.Engine.Submit(ctx, r)
}
