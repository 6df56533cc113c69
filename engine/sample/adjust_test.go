package sample

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAdjust(t *testing.T) {
	logits := []float32{2, -1, 0, 3, 1}
	prompt, output := []int32{0, 1, 0}, []int32{3, 2, 3}
	tests := []struct {
		name string
		p    Params
		want []float64
	}{
		{"as it is", Params{}, []float64{2, -1, 0, 3, 1}},
		{"bias", Params{LogitBias: map[int32]float64{1: 100, 4: -0.5}}, []float64{2, 99, 0, 3, 0.5}},
		{"repetition: of prompt and output", Params{RepetitionPenalty: 2}, []float64{1, -2, 0, 1.5, 1}},
		{"repetition under 1 favours", Params{RepetitionPenalty: 0.5}, []float64{4, -0.5, 0, 6, 1}},
		{"repetition of 1", Params{RepetitionPenalty: 1}, []float64{2, -1, 0, 3, 1}},
		{"presence: of the output, once", Params{PresencePenalty: 0.25}, []float64{2, -1, -0.25, 2.75, 1}},
		{"frequency: of the output, each time", Params{FrequencyPenalty: 0.25}, []float64{2, -1, -0.25, 2.5, 1}},
		{"bias comes before repetition", Params{LogitBias: map[int32]float64{1: 5}, RepetitionPenalty: 2}, []float64{1, 2, 0, 1.5, 1}},
		{"repetition comes before the others", Params{RepetitionPenalty: 2, FrequencyPenalty: 1, PresencePenalty: 0.5}, []float64{1, -2, -1.5, -1, 1}},
	}
	for _, c := range tests {
		assert.InDeltaSlice(t, c.want, Adjust(logits, c.p, prompt, output, nil), 1e-12, c.name)
	}
	odd := []float32{float32(math.NaN()), float32(math.Inf(-1)), 3e38, -3e38}
	got := Adjust(odd, Params{RepetitionPenalty: 3, LogitBias: map[int32]float64{0: 1, 1: 1}}, []int32{0, 1, 2, 3}, nil, nil)
	assert.True(t, math.IsNaN(got[0]) && math.IsInf(got[1], -1), "what is no number stays")
	assert.InDelta(t, 1e34/3, got[2], 1e25)
	assert.InDelta(t, -3e34, got[3], 1e25)
}

// What the author's text on DRY says of examples, by hand.
func TestDRY(t *testing.T) {
	const a, b, c, x, y, stop = 1, 2, 3, 4, 5, 6
	alone := &Breakers{Alone: map[int32]bool{stop: true}}
	sequence := &Breakers{Alone: map[int32]bool{}, Sequences: [][]int32{{stop, x}}}
	tests := []struct {
		name     string
		dry      DRY
		text     []int32
		breakers *Breakers
		want     map[int32]int // length of what is repeated
	}{
		{"nothing comes again", NewDRY(1), []int32{a, b, c}, nil, map[int32]int{}},
		{"one token is allowed", NewDRY(1), []int32{a, x, a}, nil, map[int32]int{}},
		{"one that is not", DRY{Multiplier: 1, Base: 2, AllowedLength: 1}, []int32{a, x, a}, nil, map[int32]int{x: 1}},
		{"three of them", NewDRY(1), []int32{a, b, c, x, y, a, b, c}, nil, map[int32]int{x: 3}},
		{"the longest counts", NewDRY(1), []int32{b, c, x, y, a, b, c, x, x, a, b, c}, nil, map[int32]int{x: 3}},
		{"each follower", NewDRY(1), []int32{b, c, x, a, b, c, y, a, b, c}, nil, map[int32]int{x: 2, y: 3}},
		{"overlapping", NewDRY(1), []int32{a, a, a, a}, nil, map[int32]int{a: 3}},
		{"the range", DRY{Multiplier: 1, Base: 2, AllowedLength: 2, Range: 6}, []int32{a, b, c, x, a, b, c}, nil, map[int32]int{x: 2}},
		{"a breaker ends it", NewDRY(1), []int32{a, b, stop, c, y, x, a, b, stop, c, y}, alone, map[int32]int{x: 2}},
		{"a breaker is no follower", NewDRY(1), []int32{a, b, stop, a, b}, alone, map[int32]int{}},
		{"a breaker a moment ago", NewDRY(1), []int32{a, b, stop, x, a, b, stop}, alone, map[int32]int{}},
		{"a breaker of two tokens", NewDRY(1), []int32{a, stop, x, b, c, y, a, stop, x, b, c}, sequence, map[int32]int{y: 2}},
		{"half of one", NewDRY(1), []int32{a, stop, b, c, y, a, stop, b, c}, sequence, map[int32]int{y: 4}},
		{"allowing nothing", DRY{Multiplier: 1, Base: 2}, []int32{a, b, c}, nil, map[int32]int{b: 0, c: 0}},
	}
	for _, c := range tests {
		got := c.dry.lengths(c.text, c.breakers)
		if got == nil {
			got = map[int32]int{}
		}
		assert.Equal(t, c.want, got, c.name)
	}
	logits := make([]float32, 7)
	got := Adjust(logits, Params{DRY: DRY{Multiplier: 0.8, Base: 1.75, AllowedLength: 2}}, []int32{a, b, c, x}, []int32{y, a, b, c}, nil)
	assert.InDelta(t, -0.8*1.75, got[x], 1e-12)
	got = Adjust(logits, Params{DRY: DRY{Multiplier: 1, Base: 100}}, nil, make([]int32, 200), nil)
	assert.Equal(t, -MostDRY, got[0])
}

// The last breaker is the one that begins last; of several there, the longest.
func TestBreak(t *testing.T) {
	b := &Breakers{Alone: map[int32]bool{}}
	b.Add(1, nil)
	b.Add(2, []int32{3})
	b.Add(2, []int32{3, 4})
	b.Add(4, make([]int32, 30))
	assert.Len(t, b.Sequences[2], 1+maxBreakerAfter, "longer ones are cut")
	for _, c := range []struct {
		text       []int32
		begin, end int
	}{
		{nil, -1, 0}, {[]int32{5, 2}, -1, 0}, {[]int32{1, 5, 1, 5}, 2, 3}, {[]int32{1, 2, 3, 5}, 1, 3}, {[]int32{2, 3, 4, 5}, 0, 3}, {[]int32{2, 3, 1}, 2, 3},
		{[]int32{2, 3, 4, 2, 3, 5}, 3, 5},
	} {
		begin, end := b.Break(c.text)
		assert.Equal(t, []int{c.begin, c.end}, []int{begin, max(end, 0)}, "%v", c.text)
	}
	begin, _ := (*Breakers)(nil).Break([]int32{1})
	assert.Equal(t, -1, begin)
}

func TestValidatePenalties(t *testing.T) {
	for field, p := range map[string]Params{
		"presence_penalty":       {PresencePenalty: 2.1},
		"frequency_penalty":      {FrequencyPenalty: math.NaN()},
		"repetition_penalty":     {RepetitionPenalty: -1},
		"logit_bias of token 7":  {LogitBias: map[int32]float64{9: -101, 8: 100, 7: 101}},
		"dry_multiplier":         {DRY: DRY{Multiplier: -1}},
		"dry_base":               {DRY: DRY{Multiplier: 1}},
		"dry_allowed_length":     {DRY: DRY{Multiplier: 1, Base: 1, AllowedLength: -1}},
		"dry_range":              {DRY: DRY{Multiplier: 1, Base: 1, Range: -1}},
		"dry_sequence_breakers":  {DRY: DRY{Multiplier: 1, Base: 1, Breakers: []string{""}}},
		"dry_sequence_breakers ": {DRY: DRY{Multiplier: 1, Base: 1, Breakers: make([]string, MaxBreakers+1)}},
	} {
		var e *ParamError
		require.ErrorAs(t, p.Validate(), &e, field)
		assert.Equal(t, field[:len(e.Field)], e.Field)
	}
	valid := Params{PresencePenalty: -2, FrequencyPenalty: 2, RepetitionPenalty: 1.3, LogitBias: map[int32]float64{0: -100, 5: 100}, DRY: NewDRY(0.8)}
	require.NoError(t, valid.Validate())
	assert.True(t, valid.Penalizes())
	assert.False(t, Params{RepetitionPenalty: 1, DRY: NewDRY(0)}.Penalizes())

	var p Params
	assert.NoError(t, p.SetRepetition(1.1))
	assert.Error(t, p.SetRepetition(0), "asked for, 0 would divide by it")
	require.NoError(t, p.SetBias(map[string]float64{"3": 1.5, "50256": -100}))
	assert.Equal(t, map[int32]float64{3: 1.5, 50256: -100}, p.LogitBias)
	for _, bad := range []string{"a", "-1", "", "1.5", "99999999999"} {
		assert.ErrorContains(t, p.SetBias(map[string]float64{bad: 1}), "logit_bias")
	}
	assert.ErrorContains(t, p.SetBias(map[string]float64{"5": 1, "05": 2}), "once")
}

// A text that repeats less costs no more.
func TestAdjustNeverFavours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Int32Range(0, 3), 0, 40).Draw(t, "text")
		d := DRY{Multiplier: 1, Base: 1.5, AllowedLength: rapid.IntRange(0, 3).Draw(t, "allowed"), Range: rapid.IntRange(0, 40).Draw(t, "range")}
		with := d.lengths(text, &Breakers{Alone: map[int32]bool{3: true}})
		for id, n := range d.lengths(text, nil) {
			require.LessOrEqual(t, with[id], n)
			require.GreaterOrEqual(t, n, d.AllowedLength)
		}
		require.NotContains(t, with, int32(3))
	})
}
