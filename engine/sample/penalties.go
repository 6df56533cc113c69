package sample

import (
	"fmt"
	"strconv"
)

// MaxBias is the most that a logit bias adds or takes off.
const MaxBias = 100

// The bounds of penalties.
const (
	maxPenalty    = 2
	MinRepetition = 0.001
	MaxRepetition = 1000
)

func (p Params) validatePenalties() error {
	penalty := fmt.Sprintf("between %d and %d", -maxPenalty, maxPenalty)
	switch {
	case !(p.PresencePenalty >= -maxPenalty && p.PresencePenalty <= maxPenalty):
		return &ParamError{"presence_penalty", p.PresencePenalty, penalty}
	case !(p.FrequencyPenalty >= -maxPenalty && p.FrequencyPenalty <= maxPenalty):
		return &ParamError{"frequency_penalty", p.FrequencyPenalty, penalty}
	case p.RepetitionPenalty != 0:
		if err := checkRepetition(p.RepetitionPenalty); err != nil {
			return err
		}
	}
	bad := int32(-1) // the first, whatever order the map has
	for id, bias := range p.LogitBias {
		if !(bias >= -MaxBias && bias <= MaxBias) && (bad < 0 || id < bad) {
			bad = id
		}
	}
	if bad >= 0 {
		return &ParamError{fmt.Sprintf("logit_bias of token %d", bad), p.LogitBias[bad], fmt.Sprintf("between %d and %d", -MaxBias, MaxBias)}
	}
	return p.DRY.validate()
}

// checkRepetition holds a repetition penalty to its range.
func checkRepetition(x float64) error {
	if !(x >= MinRepetition && x <= MaxRepetition) {
		return &ParamError{"repetition_penalty", x, fmt.Sprintf("between %g and %d; 1 is none", MinRepetition, MaxRepetition)}
	}
	return nil
}

// SetRepetition sets a repetition penalty that somebody has asked for: 0, which means none in Params, is out of range.
func (p *Params) SetRepetition(x float64) error {
	p.RepetitionPenalty = x
	return checkRepetition(x)
}

// SetBias sets the logit bias from JSON's map, whose names are token ids.
func (p *Params) SetBias(bias map[string]float64) error {
	p.LogitBias = make(map[int32]float64, len(bias))
	for name, b := range bias {
		id, err := strconv.ParseInt(name, 10, 32)
		if err != nil || id < 0 {
			return &ParamError{"logit_bias", strconv.Quote(name), "a map from token ids to numbers"}
		}
		if _, twice := p.LogitBias[int32(id)]; twice {
			return &ParamError{"logit_bias", strconv.Quote(name), "there once only"}
		}
		p.LogitBias[int32(id)] = b
	}
	return nil
}

// Repeats reports whether the repetition penalty changes anything.
func (p Params) Repeats() bool { return p.RepetitionPenalty != 0 && p.RepetitionPenalty != 1 }

// Counts reports whether tokens that the output has are penalised by number or presence.
func (p Params) Counts() bool { return p.FrequencyPenalty != 0 || p.PresencePenalty != 0 }

// Penalizes reports whether anything changes logits before temperature.
func (p Params) Penalizes() bool {
	return len(p.LogitBias) > 0 || p.Repeats() || p.Counts() || p.DRY.On()
}
