package main

import "quire/engine/sample"

// samplingFlags say how tokens are drawn; those that are not given are nil.
type samplingFlags struct {
	Temperature *float64 `placeholder:"T" help:"Divide logits by T; 0 takes the best token. Default: ${temperature}."`
	TopK        *int     `placeholder:"K" help:"Draw among the K best tokens. 0: all."`
	TopP        *float64 `placeholder:"P" help:"Draw among the best tokens that together have probability P. Default: ${topP}."`
	MinP        *float64 `placeholder:"P" help:"Draw among tokens at least P times as probable as the best. Default: ${minP}."`
	Seed        *uint64  `placeholder:"SEED" help:"The same seed gives the same text from the same logits. Without it, a random one."`
}

// params fills in what the flags leave open for a model of a name.
func (s *samplingFlags) params(model string) sample.Params {
	p := sample.Suited(model)
	set(&p.Temperature, s.Temperature)
	set(&p.TopK, s.TopK)
	set(&p.TopP, s.TopP)
	set(&p.MinP, s.MinP)
	set(&p.Seed, s.Seed)
	return p
}
