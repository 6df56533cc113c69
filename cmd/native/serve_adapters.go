package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"quire/engine/openai"
	openaihttp "quire/engine/openai/http"
	"quire/engine/openai/loader"
)

// serveAdapter is a LoRA adapter of the first model.
type serveAdapter struct{ name, file string }

// readServeAdapters reads adapters as NAME=FILE.
func readServeAdapters(texts []string) (all []serveAdapter, err error) {
	for _, text := range texts {
		name, file, _ := strings.Cut(text, "=")
		switch {
		case name == "" || file == "":
			return nil, usagef("--lora must be NAME=FILE, not %q", text)
		case slices.ContainsFunc(all, func(a serveAdapter) bool { return a.name == name }):
			return nil, usagef("--lora: two adapters have the name %q", name)
		}
		all = append(all, serveAdapter{name, file})
	}
	return all, nil
}

// models gives what requests may name.
func (s *shelf) models(metrics *openaihttp.Metrics) openai.Models {
	return loader.WithAdapters(metrics.Watch(s.Loader), s.listed[0].Name, s.adapters)
}

// base gives the name of an adapter's model, and of a model its own.
func (s *shelf) base(name string) string {
	if slices.Contains(s.adapters, name) {
		return s.listed[0].Name
	}
	return name
}

// Keep implements openaihttp.Catalog.
func (s *shelf) Keep(name string, how time.Duration) { s.Loader.Keep(s.base(name), how) }

// Load implements openaihttp.Catalog.
func (s *shelf) Load(ctx context.Context, name string) error {
	return s.Loader.Load(ctx, s.base(name))
}
