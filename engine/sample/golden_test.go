package sample

import (
	_ "embed"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

//go:embed testdata/repetition.json
var repetition []byte

// The repetition penalty is what transformers makes of it, whatever of the text is prompt.
func TestRepetitionGolden(t *testing.T) {
	var golden struct {
		Cases []struct {
			Penalty float64
			IDs     []int32
			Logits  []float32
			Want    []float64
		}
	}
	require.NoError(t, json.Unmarshal(repetition, &golden))
	require.NotEmpty(t, golden.Cases)
	for _, c := range golden.Cases {
		for _, prompt := range []int{0, len(c.IDs) / 2, len(c.IDs)} {
			got := Adjust(c.Logits, Params{RepetitionPenalty: c.Penalty}, c.IDs[:prompt], c.IDs[prompt:], nil)
			assert.InDeltaSlice(t, c.Want, got, 1e-5, "penalty %g after %v", c.Penalty, c.IDs)
		}
	}
}
