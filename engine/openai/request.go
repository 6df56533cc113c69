package openai

import (
	"errors"
	"strings"

	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/words"
)

// request gives what is asked as the engine takes it, but for the prompt.
func (s *Sampling) request(a *API, l *lease) (generation.Request, *Error) {
	r := generation.Request{
		MinTokens: s.MinTokens, Stop: s.Stop, IgnoreEnd: s.IgnoreEnd, Special: s.Special, Priority: s.Priority, Tenant: s.Tenant, Salt: s.Salt,
		N: s.N, BestOf: s.BestOf, MaxTokens: valueOr(s.MaxTokens, 0), Sample: s.params(l.about.Defaults, a.newSeed()),
	}
	if r.Tenant == "" {
		r.Tenant = s.User
	}
	f, err := s.form(nil)
	if err != nil {
		return r, err
	}
	if f != nil {
		r.Grammar = &f.grammar
	}
	if s.DraftMax != nil {
		if r.DraftMax = *s.DraftMax; r.DraftMax == 0 {
			r.DraftMax = -1
		}
	}
	if s.Deadline > 0 {
		r.Deadline = a.now().Add(s.Deadline)
	}
	if b := s.Beams; b != nil {
		r.Beams = &generation.Beams{Width: b.Width, LengthPenalty: valueOr(b.LengthPenalty, 1), EarlyStopping: earlyStopping(b.EarlyStopping)}
	}
	for i, used := range s.LoRA {
		number, err := l.engine.LoRA(used.Name)
		if err != nil {
			return r, invalid(item("lora", i), "adapter_not_found", "The model %q has no adapter %s: %s", l.name, quoted(used.Name), words.Error(err))
		}
		r.LoRA = append(r.LoRA, generation.LoRA{Adapter: number, Scale: used.Scale})
	}
	return r, nil
}

func earlyStopping(rule string) generation.EarlyStopping {
	switch rule {
	case "true":
		return generation.StopAtWidth
	case "never":
		return generation.StopNever
	}
	return generation.StopHeuristic
}

// params are the parameters that tokens are drawn with.
func (s *Sampling) params(p sample.Params, seed uint64) sample.Params {
	set(&p.Temperature, s.Temperature)
	set(&p.TopP, s.TopP)
	set(&p.MinP, s.MinP)
	if s.TopK != nil {
		p.TopK = max(*s.TopK, 0)
	}
	if s.Beams != nil {
		p.Temperature = 0
	}
	p.PresencePenalty, p.FrequencyPenalty, p.RepetitionPenalty, p.LogitBias = s.PresencePenalty, s.FrequencyPenalty, valueOr(s.RepetitionPenalty, 1), s.LogitBias
	p.DRY = s.DRY.params()
	p.Seed = seed
	if s.Seed != nil {
		p.Seed = uint64(*s.Seed)
	}
	return p
}

// params are DRY's, with the usual numbers for what is left open. As llama-server has it, a range of 0 tokens turns it off, and one
// below looks at all.
func (d *DRY) params() sample.DRY {
	if d.Multiplier == 0 || d.Range != nil && *d.Range == 0 {
		return sample.DRY{}
	}
	p := sample.NewDRY(d.Multiplier)
	set(&p.Base, d.Base)
	set(&p.AllowedLength, d.AllowedLength)
	if d.Range != nil {
		p.Range = max(*d.Range, 0)
	}
	if d.Breakers != nil {
		p.Breakers = d.Breakers
	}
	return p
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// fieldNames are the fields by their names in the engine's refusals.
var fieldNames = words.Names([][2]string{
	{"N", "n"}, {"BestOf", "best_of"}, {"MaxTokens", "max_tokens"}, {"MinTokens", "min_tokens"}, {"Stop", "stop"}, {"Sample.Temperature", "temperature"},
	{"Beams", "beams"}, {"Beams.Width", "beams"}, {"Beams.LengthPenalty", "length_penalty"}, {"Beams.EarlyStopping", "early_stopping"},
	{"logit_bias", "logit_bias"}, {"MaxSeqs", "the server's number of sequences"},
})

// badRequest tells what the engine refuses, with the field's name here.
func badRequest(err error, prompt string) *Error {
	var param *sample.ParamError
	if errors.As(err, &param) {
		return invalid(param.Field, "invalid_value", "%q is %v, it must be %s.", param.Field, param.Value, param.Want)
	}
	text := strings.TrimPrefix(words.Error(err), generation.ErrBadRequest.Error()+": ")
	field := prompt
	for _, word := range strings.Fields(text) {
		if name, ok := fieldNames[strings.Trim(word, ".,:;()")]; ok && word != "MaxSeqs" {
			field = name
			break
		}
	}
	return invalid(field, "invalid_value", "%s", words.Fields(text, fieldNames))
}
