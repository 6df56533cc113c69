package generation

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine/sample"
)

// limits are those of an engine of 4 sequences that has 100 slots, and 60 tokens of context.
var limits = Limits{Vocabulary: 512, Ends: []int32{1}, MaxSeqs: 4, Context: func(n int) int { return min(60, 100/n) }}

func TestValidate(t *testing.T) {
	for says, r := range map[string]Request{
		"the prompt is empty":  {Prompt: []int32{}},
		"token 1 is -1":        {Prompt: []int32{5, -1}},
		"token 0 is 512":       {Prompt: []int32{512}},
		"MaxTokens is -1":      {MaxTokens: -1},
		"a stop text is empty": {Stop: []string{"a", ""}},
		"temperature is -1":    {Sample: sample.Params{Temperature: -1}},
		"N is -1":              {N: -1},
		"BestOf is 2":          {N: 3, BestOf: 2},
		"5 samples":            {N: 5},
		"one sample only":      {N: 2, Logits: func(int, []float32) {}},
		"Beams.Width is 0":     {Beams: &Beams{}},
		"Beams.Width is 5":     {Beams: &Beams{Width: 5}},
		"Temperature is 1":     {Beams: &Beams{Width: 2}, Sample: sample.Defaults()},
		"N is 3":               {Beams: &Beams{Width: 2}, N: 3},
		"do not go with":       {Beams: &Beams{Width: 2}, Stop: []string{"x"}},
		"MinTokens is -1":      {MinTokens: -1},
		"MinTokens is 6":       {MinTokens: 6, MaxTokens: 5},
		"EarlyStopping is 3":   {Beams: &Beams{Width: 2, EarlyStopping: 3}},
		"LengthPenalty is NaN": {Beams: &Beams{Width: 2, LengthPenalty: math.NaN()}},
		"scale is 1e+40":       {LoRA: []LoRA{{Scale: 1e40}}},
		"scale is NaN":         {LoRA: []LoRA{{Scale: math.NaN()}}},
		"Grammar.Kind is 4":    {Grammar: &Grammar{Kind: 4, Source: "a"}},
		"must be a regular":    {Grammar: &Grammar{Kind: Regex}},
		"needs none":           {Grammar: &Grammar{Kind: JSONObject, Source: "{}"}},
		"with an embedding":    {Grammar: &Grammar{Kind: Regex, Source: "a"}, Embed: &Embed{}},
	} {
		if r.Prompt == nil {
			r.Prompt = []int32{1}
		}
		err := r.Validate(limits)
		assert.ErrorIs(t, err, ErrBadRequest, says)
		assert.ErrorContains(t, err, says)
	}
}

func TestValidateLength(t *testing.T) {
	for _, c := range []struct {
		prompt  int
		request Request
		says    string // nothing: it fits
	}{
		{59, Request{}, ""},
		{60, Request{}, "it has 60 tokens, the context 60"},
		{49, Request{N: 2}, ""},
		{50, Request{N: 2}, "it has 50 tokens, and 2 sequences beside each other may have 50 each"},
		{60, Request{BestOf: 2}, "the context 60"},
		{24, Request{Beams: &Beams{Width: 4}}, ""},
		{25, Request{Beams: &Beams{Width: 4}}, "4 sequences beside each other may have 25 each"},
	} {
		c.request.Prompt = make([]int32, c.prompt)
		err := c.request.Validate(limits)
		if c.says == "" {
			assert.NoError(t, err)
			continue
		}
		assert.ErrorIs(t, err, ErrContextTooLong)
		assert.ErrorContains(t, err, c.says)
	}
}

// End tokens take places among the likeliest that a step knows.
func TestValidateWideBeams(t *testing.T) {
	wide := limits
	wide.MaxSeqs = 64
	r := Request{Prompt: []int32{1}, Beams: &Beams{Width: 20}}
	assert.ErrorContains(t, r.Validate(wide), "between 1 and 19")
	r.IgnoreEnd = true
	assert.NoError(t, r.Validate(wide))
	wide.Vocabulary = 19
	assert.ErrorContains(t, r.Validate(wide), "vocabulary of 19")
}
