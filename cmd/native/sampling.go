package main

import (
	"math/rand/v2"

	"quire/engine/sample"
)

const (
	maxLogprobs    = 20
	maxTemperature = 100.0
)

// settings say how tokens are drawn.
type settings struct {
	Temperature, TopP, MinP float64
	TopK                    int
	Seed                    *uint64 // nil: another text each time
}

// Defaults: what the built-in model was tuned for, and what suits most others.
var (
	builtInSettings = settings{Temperature: 0.7, MinP: 0.05}
	commonSettings  = settings{Temperature: 0.8, TopP: 0.95}
)

// samplingFlags declares the sampling flags; the result fills in what they leave open.
func samplingFlags(f *flags) func(builtIn bool) settings {
	f.group("sampling")
	temperature := f.real("temperature", 0, 0, maxTemperature, "0 takes the best token; default 0.7 for the built-in model, 0.8 for others")
	topK := f.whole("top-k", 0, 0, 1<<24, "draw among the `K` best tokens; 0: all")
	topP := f.real("top-p", 0, 0, 1, "draw among the best tokens that together have probability `P`; default 0.95, off for the built-in model")
	minP := f.real("min-p", 0, 0, 1, "draw among tokens at least `P` times as probable as the best; default 0.05 for the built-in model, else off")
	seed := f.seed("seed", "the same `SEED` gives the same text; default: random")
	return func(builtIn bool) settings {
		s := commonSettings
		if builtIn {
			s = builtInSettings
		}
		if f.given("temperature") {
			s.Temperature = *temperature
		}
		if f.given("top-k") {
			s.TopK = *topK
		}
		if f.given("top-p") {
			s.TopP = *topP
		}
		if f.given("min-p") {
			s.MinP = *minP
		}
		if f.given("seed") {
			s.Seed = seed
		}
		return s
	}
}

// params turns the settings into the engine's, with a random seed where none is set.
func (s settings) params() sample.Params {
	seed := rand.Uint64()
	if s.Seed != nil {
		seed = *s.Seed
	}
	return sample.Params{Temperature: float32(s.Temperature), TopK: s.TopK, TopP: float32(s.TopP), MinP: float32(s.MinP), Seed: seed}
}
