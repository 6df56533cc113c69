// Package sample holds the sampling parameters, the counter-based generator that draws tokens, and the distribution they
// define: in float64, and in the integers that the GPU uses.
package sample

import (
	"fmt"
	"math"
)

// Params choose how a token is drawn from logits. The order is: logit bias, repetition penalty, frequency and presence
// penalty, DRY; then temperature, top-k, top-p over what top-k kept, min-p relative to the most likely token. The first
// group changes greedy choices too, and no log-probabilities: those are of the raw logits. The zero value is greedy;
// Defaults gives a plain draw.
type Params struct {
	Temperature float64 `json:"temperature"` // 0 to 1000; 0, and anything under 1e-5, takes the most likely token, the lowest id of equals
	TopK        int     `json:"topK"`        // keeps exactly so many of the most likely tokens, the lowest ids of equals; 0 keeps all
	TopP        float64 `json:"topP"`        // 0 to 1: keeps the fewest most likely tokens that together have this probability, at least one
	MinP        float64 `json:"minP"`        // 0 to 1: keeps tokens at least so likely, relative to the most likely; 0 keeps all
	Seed        uint64  `json:"-"`
	Logprobs    int     `json:"-"` // best tokens whose log-probabilities are wanted beside the chosen one's; at most MaxTop

	LogitBias         map[int32]float64 `json:"-"` // -100 to 100, added to the logits of these tokens; kept, not changed
	RepetitionPenalty float64           `json:"-"` // 0.001 to 1000: logits of tokens that the prompt or the output has are divided by it where they are positive, and multiplied where not; 1, and 0, is none
	FrequencyPenalty  float64           `json:"-"` // -2 to 2, taken off the logit of a token as often as the output has it
	PresencePenalty   float64           `json:"-"` // -2 to 2, taken off the logit of a token that the output has
	DRY               DRY               `json:"-"` // against repeated sequences of prompt and output
}

// MaxTop is how many of the best tokens' log-probabilities can be had.
const MaxTop = 20

// Defaults returns the parameters that leave the model's distribution as it is.
func Defaults() Params { return Params{Temperature: 1, TopP: 1} }

// ParamError names a sampling parameter outside its range.
type ParamError struct {
	Field string
	Value any
	Want  string
}

func (e *ParamError) Error() string {
	return fmt.Sprintf("sample: %s is %v, it must be %s", e.Field, e.Value, e.Want)
}

const (
	maxTemperature = 1000
	minTemperature = 1e-5
)

// Validate returns a *ParamError for the first parameter outside its range.
func (p Params) Validate() error {
	switch {
	case !(p.Temperature >= 0 && p.Temperature <= maxTemperature):
		return &ParamError{"temperature", p.Temperature, "between 0 and 1000"}
	case p.TopK < 0 || p.TopK > math.MaxInt32:
		return &ParamError{"top_k", p.TopK, "0 (all) or a positive number of tokens"}
	case !(p.TopP >= 0 && p.TopP <= 1):
		return &ParamError{"top_p", p.TopP, "between 0 and 1"}
	case !(p.MinP >= 0 && p.MinP <= 1):
		return &ParamError{"min_p", p.MinP, "between 0 and 1"}
	case p.Logprobs < 0 || p.Logprobs > MaxTop:
		return &ParamError{"logprobs", p.Logprobs, fmt.Sprintf("between 0 and %d", MaxTop)}
	}
	return p.validatePenalties()
}

// Greedy reports whether the most likely token is taken without a draw.
func (p Params) Greedy() bool { return p.Temperature < minTemperature }

// LaneWords is the number of words that Words gives.
const LaneWords = 8

// Flags in a lane's words (shaders/lib/choice.wgsl has them too).
const (
	flagGreedy = 1 << iota
	flagTopK
	flagTopP
)

// everything is a reach in masses' exponents past which all masses are 0.
const everything = 64

// Words returns the parameters as a lane's words on the GPU: scale (f32 bits of log2(e)/temperature), top-k, top-p as a
// fraction of 2^32 rounded down, reach (f32 bits of the greatest scaled distance from the maximum that min-p keeps),
// the seed's low and high half, flags, and the number of log-probabilities.
func (p Params) Words() [LaneWords]uint32 {
	scale, reach := p.scale(), p.reach()
	w := [LaneWords]uint32{math.Float32bits(scale), uint32(p.TopK), 0, math.Float32bits(reach),
		uint32(p.Seed), uint32(p.Seed >> 32), 0, uint32(p.Logprobs)}
	if p.Greedy() {
		w[6] |= flagGreedy
	}
	if p.TopK > 0 {
		w[6] |= flagTopK
	}
	if p.TopP < 1 {
		w[2] = p.fraction()
		w[6] |= flagTopP
	}
	return w
}

func (p Params) scale() float32 {
	if p.Greedy() {
		return 1
	}
	return float32(math.Log2E / p.Temperature)
}

func (p Params) reach() float32 {
	if p.MinP == 0 {
		return everything
	}
	return float32(math.Min(everything, math.Abs(math.Log2(p.MinP))))
}

// fraction is top-p in units of 2^-32, for a top-p under 1.
func (p Params) fraction() uint32 { return uint32(min(p.TopP*(1<<32), math.MaxUint32)) }
