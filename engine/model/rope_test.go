package model

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
)

// A rope has the factors of its tensor, and none that angles cannot be divided by.
func TestRopeFactors(t *testing.T) {
	load := func(factors ...float32) (Rope, error) {
		data, err := binary.Append([]byte("head"), binary.LittleEndian, factors)
		require.NoError(t, err)
		r := Rope{factors: &gguf.Tensor{Name: "rope_freqs.weight", Offset: 4, Bytes: int64(4 * len(factors))}}
		return r.Load(bytes.NewReader(data), false)
	}
	r, err := load(1, 0.5, 1e30)
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 0.5, float64(float32(1e30))}, r.Factor)
	nan, infinity := float32(math.NaN()), float32(math.Inf(1))
	for want, factor := range map[string]float32{"NaN": nan, "+Inf": infinity, "-Inf": -infinity, "0": 0, "-1": -1} {
		_, err := load(1, factor)
		assert.ErrorIs(t, err, ErrUnsupported, want)
		assert.ErrorContains(t, err, "rope_freqs.weight has "+want+" at 1")
	}
}
