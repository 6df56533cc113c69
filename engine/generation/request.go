// Package generation is a request while it runs: what it asks for, its sequences (choices, or the beams of a search), the
// stop texts that end them, and the result that is made of them. It sees tokens come and says what ends; it knows no GPU,
// and the step loop drives it.
package generation

import (
	"maps"
	"slices"
	"time"

	"quire/engine/grammar"
	"quire/engine/sample"
)

// Request asks for tokens after a prompt.
type Request struct {
	Prompt    []int32       // token ids, at least one, computed once for all choices
	MaxTokens int           // the most tokens to generate; 0: until the model ends or the context is full
	MinTokens int           // before these no end token is drawn, and no stop text ends generation
	Sample    sample.Params // the zero value is greedy; its Logprobs asks for log-probabilities
	Stop      []string      // texts that end generation; they are not part of the output
	IgnoreEnd bool          // go on past end tokens; with a Grammar draw none
	Special   bool          // show special tokens in the text; a Grammar means their names then
	Grammar   *Grammar      // what the text must be; nil: anything
	Priority  int           // the lower, the sooner
	Tenant    string        // turns are shared out among tenants
	Salt      string        // cached blocks are shared only under an equal salt, such as a tenant's or an origin's name; sessions have none

	LoRA []LoRA // adapters that change the model for it, which add up; cached blocks are shared only under the same

	DraftMax int // the most tokens of a draft; 0: as the engine is opened; below 0: none. Logit bias, penalties, beams and Logits have none

	Deadline time.Time // finishes the request as cancelled, with ErrDeadline; zero: none

	N      int    // choices to give; 0: 1. Choice i is drawn with Sample.Seed+i
	BestOf int    // draws to make, of which the N with the best mean log-probability are given; 0: N
	Beams  *Beams // search instead of drawing; Sample must be greedy, and there is no BestOf, Stop or Logits

	// Landed is what each choice has had of an engine that is gone, in order, and the sink has been told: the request goes on from there,
	// with the same prompt, Seed and counters. Where choices are known at the end only, they are computed anew.
	Landed [][]sample.Token

	Embed *Embed // an embedding of the prompt, or its score, in place of tokens after it

	// Logits, when set, receives the logits of every position, the prompt's too, in order. Slow: for tests and research. It runs
	// in the step loop and must not call the engine.
	Logits func(position int, logits []float32)

	matcher *grammar.Matcher          // Grammar's start, once Grammars.Compile has been
	encode  func(text []byte) []int32 // spells what it forces

	room int // tokens that the context has for an answer; 0: not settled
}

// Clone gives a request that shares nothing its caller may change.
func (r Request) Clone() Request {
	r.Prompt, r.Stop, r.LoRA = slices.Clone(r.Prompt), slices.Clone(r.Stop), slices.Clone(r.LoRA)
	r.Landed = slices.Clone(r.Landed)
	for i := range r.Landed {
		r.Landed[i] = slices.Clone(r.Landed[i])
	}
	r.Sample.LogitBias, r.Sample.DRY.Breakers = maps.Clone(r.Sample.LogitBias), slices.Clone(r.Sample.DRY.Breakers)
	if r.Grammar != nil {
		grammar := *r.Grammar
		r.Grammar = &grammar
	}
	if r.Beams != nil {
		beams := *r.Beams
		r.Beams = &beams
	}
	if r.Embed != nil {
		embed := *r.Embed
		r.Embed = &embed
	}
	return r
}

// Sequences is how many sequences run at once: samples, or beams.
func (r *Request) Sequences() int {
	if r.Beams != nil {
		return r.Beams.Width
	}
	return r.samples()
}

// samples is how many sequences are forked from the prompt at once.
func (r *Request) samples() int {
	if r.Beams != nil {
		return 1
	}
	return max(r.BestOf, r.choices())
}

// choices is how many answers are asked for.
func (r *Request) choices() int { return max(r.N, 1) }

// late says that choices are known at the end only.
func (r *Request) late() bool { return r.Beams != nil || r.BestOf > r.choices() }
