package main

import "quire/engine/sample"

// Defaults: what the built-in model was tuned for, and what suits most others.
var (
	builtInSampling = sample.Params{Temperature: 0.7, TopP: 1, MinP: 0.05}
	commonSampling  = sample.Params{Temperature: 0.8, TopP: 0.95}
)

// samplingFlags declares the sampling flags; the result fills in what they leave open.
func samplingFlags(f *flags) func(builtIn bool) sample.Params {
	f.group("sampling")
	var set sample.Params
	f.real("temperature", &set.Temperature, "divide logits by `T`; 0 takes the best token; default 0.7 for the built-in model, 0.8 for others")
	f.whole("top-k", &set.TopK, 0, "draw among the `K` best tokens; 0: all")
	f.real("top-p", &set.TopP, "draw among the best tokens that together have probability `P`; default 1 (off) for the built-in model, 0.95 for others")
	f.real("min-p", &set.MinP, "draw among tokens at least `P` times as probable as the best; default 0.05 for the built-in model, 0 (off) for others")
	f.seed("seed", &set.Seed, "the same `SEED` gives the same text; default: random")
	return func(builtIn bool) sample.Params {
		p := commonSampling
		if builtIn {
			p = builtInSampling
		}
		for _, given := range []struct {
			name string
			take func()
		}{
			{"temperature", func() { p.Temperature = set.Temperature }},
			{"top-k", func() { p.TopK = set.TopK }},
			{"top-p", func() { p.TopP = set.TopP }},
			{"min-p", func() { p.MinP = set.MinP }},
			{"seed", func() { p.Seed = set.Seed }},
		} {
			if f.given(given.name) {
				given.take()
			}
		}
		return p
	}
}
