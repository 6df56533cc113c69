package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"quire/engine/sample"
)

// samplingFlags say how tokens are drawn; those that are not given are nil.
type samplingFlags struct {
	Temperature *float64 `placeholder:"T" help:"Divide logits by T; 0 takes the best token. Default: ${temperature}."`
	TopK        *int     `placeholder:"K" help:"Draw among the K best tokens. 0: all."`
	TopP        *float64 `placeholder:"P" help:"Draw among the best tokens that together have probability P. Default: ${topP}."`
	MinP        *float64 `placeholder:"P" help:"Draw among tokens at least P times as probable as the best. Default: ${minP}."`
	Seed        *uint64  `placeholder:"SEED" help:"The same seed gives the same text from the same logits. Without it, a random one."`

	LogitBias         []string `placeholder:"ID=BIAS" sep:"none" help:"Add BIAS, -100 to 100, to the logit of token ID. May come several times. \"quire tokenize\" tells ids."`
	RepetitionPenalty *float64 `placeholder:"X" help:"Divide logits of tokens that prompt or text have by X where they are positive, multiply where not. 1: none."`
	FrequencyPenalty  *float64 `placeholder:"X" help:"Take X, -2 to 2, off the logit of a token as often as the text has it."`
	PresencePenalty   *float64 `placeholder:"X" help:"Take X, -2 to 2, off the logit of a token that the text has."`

	DRYMultiplier       *float64 `name:"dry-multiplier" placeholder:"X" help:"Penalise tokens that would repeat a sequence of n tokens further (DRY): take X times base^(n - allowed length) off. 0: off."`
	DRYBase             *float64 `name:"dry-base" placeholder:"X" help:"Default: 1.75."`
	DRYAllowedLength    *int     `name:"dry-allowed-length" placeholder:"TOKENS" help:"Sequences up to this may be repeated. Default: 2."`
	DRYRange            *int     `name:"dry-range" placeholder:"TOKENS" help:"Look at so many last tokens of prompt and text. 0: all."`
	DRYSequenceBreakers []string `name:"dry-sequence-breaker" placeholder:"TEXT" sep:"none" help:"Sequences end at this text, may come several times; \"none\" for none. Default: line breaks, colons, quotes and asterisks."`
}

// params fills in what the flags leave open for a model of a name.
func (s *samplingFlags) params(model string) sample.Params {
	p := sample.Suited(model)
	s.over(&p)
	return p
}

// over sets what flags say.
func (s *samplingFlags) over(p *sample.Params) {
	set(&p.Temperature, s.Temperature)
	set(&p.TopK, s.TopK)
	set(&p.TopP, s.TopP)
	set(&p.MinP, s.MinP)
	set(&p.Seed, s.Seed)
}

// penalties sets what changes logits before they are drawn from.
func (s *samplingFlags) penalties(p *sample.Params) error {
	for _, text := range s.LogitBias {
		if err := readBias(p, text); err != nil {
			return err
		}
	}
	asked := penaltyKeys{
		RepetitionPenalty: s.RepetitionPenalty, FrequencyPenalty: s.FrequencyPenalty, PresencePenalty: s.PresencePenalty,
		DRYMultiplier: s.DRYMultiplier, DRYBase: s.DRYBase, DRYAllowedLength: s.DRYAllowedLength, DRYRange: s.DRYRange,
	}
	switch breakers := s.DRYSequenceBreakers; {
	case len(breakers) == 1 && breakers[0] == "none":
		asked.DRYSequenceBreakers = &[]string{}
	case len(breakers) > 0:
		asked.DRYSequenceBreakers = &breakers
	}
	return asked.apply(p)
}

// readBias reads ID=BIAS.
func readBias(p *sample.Params, text string) error {
	name, value, ok := strings.Cut(text, "=")
	id, idErr := strconv.ParseInt(strings.TrimSpace(name), 10, 32)
	bias, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if !ok || idErr != nil || id < 0 || err != nil {
		return fmt.Errorf("--logit-bias must be ID=BIAS, such as 50256=-100, not %q", text)
	}
	if _, twice := p.LogitBias[int32(id)]; twice {
		return fmt.Errorf("--logit-bias has token %d twice", id)
	}
	if p.LogitBias == nil {
		p.LogitBias = map[int32]float64{}
	}
	p.LogitBias[int32(id)] = bias
	return nil
}

// penaltyKeys are penalties as a line of JSON has them, and flags give them; nil: not given.
type penaltyKeys struct {
	RepetitionPenalty *float64 `json:"repetition_penalty"`
	FrequencyPenalty  *float64 `json:"frequency_penalty"`
	PresencePenalty   *float64 `json:"presence_penalty"`

	DRYMultiplier       *float64  `json:"dry_multiplier"`
	DRYBase             *float64  `json:"dry_base"`
	DRYAllowedLength    *int      `json:"dry_allowed_length"`
	DRYRange            *int      `json:"dry_range"`
	DRYSequenceBreakers *[]string `json:"dry_sequence_breakers"`

	LogitBias map[string]float64 `json:"logit_bias"`
}

// apply sets what is given.
func (k *penaltyKeys) apply(p *sample.Params) error {
	if k.RepetitionPenalty != nil {
		if err := p.SetRepetition(*k.RepetitionPenalty); err != nil {
			return errors.New(say(err))
		}
	}
	set(&p.FrequencyPenalty, k.FrequencyPenalty)
	set(&p.PresencePenalty, k.PresencePenalty)
	if k.LogitBias != nil {
		if err := p.SetBias(k.LogitBias); err != nil {
			return errors.New(say(err))
		}
	}
	if p.DRY.Base == 0 {
		p.DRY = sample.NewDRY(0)
	}
	set(&p.DRY.Multiplier, k.DRYMultiplier)
	set(&p.DRY.Base, k.DRYBase)
	set(&p.DRY.AllowedLength, k.DRYAllowedLength)
	set(&p.DRY.Range, k.DRYRange)
	set(&p.DRY.Breakers, k.DRYSequenceBreakers)
	if !p.DRY.On() && k.DRYMultiplier == nil && (k.DRYBase != nil || k.DRYAllowedLength != nil || k.DRYRange != nil || k.DRYSequenceBreakers != nil) {
		return errors.New("DRY is off without its multiplier: set dry_multiplier too")
	}
	return nil
}
