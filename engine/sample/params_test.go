package sample

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestValidate(t *testing.T) {
	require.NoError(t, Defaults().Validate())
	require.NoError(t, Params{}.Validate())
	for field, p := range map[string]Params{
		"temperature": {Temperature: -0.1},
		"top_k":       {TopK: -1},
		"top_p":       {TopP: 1.01},
		"min_p":       {MinP: math.NaN()},
		"logprobs":    {Logprobs: MaxTop + 1},
	} {
		var e *ParamError
		require.ErrorAs(t, p.Validate(), &e)
		assert.Equal(t, field, e.Field)
		assert.ErrorContains(t, e, field)
	}
	assert.Error(t, Params{Temperature: math.Inf(1)}.Validate())
	assert.Error(t, Params{Temperature: math.NaN()}.Validate())
}

func TestWords(t *testing.T) {
	assert.EqualValues(t, flagGreedy, Params{TopP: 1}.Words()[6])
	w := Params{Temperature: 1, TopK: 5, TopP: 0.5, MinP: 0.25, Seed: 7<<32 | 9, Logprobs: 3}.Words()
	assert.Equal(t, [LaneWords]uint32{math.Float32bits(math.Log2E), 5, 1 << 31, math.Float32bits(2), 9, 7, flagTopK | flagTopP, 3}, w)
	assert.Zero(t, Defaults().Words()[6])
}
