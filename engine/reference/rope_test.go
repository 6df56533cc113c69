package reference

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The Llama 3 values were computed apart from this code, by wavelengths as in the model's own release.
func TestFrequencies(t *testing.T) {
	llama31 := RopeParams{Base: 500000, Dim: 128, Scaling: Llama3Scaling, Factor: 8,
		LowFreqFactor: 1, HighFreqFactor: 4, OriginalContext: 8192}
	llama32 := llama31
	llama32.Dim, llama32.Factor = 64, 32
	for _, tc := range []struct {
		name   string
		params RopeParams
		want   map[int]float64
	}{
		{"plain", RopeParams{Base: 10000, Dim: 4}, map[int]float64{0: 1, 1: 0.01}},
		{"linear", RopeParams{Base: 10000, Dim: 4, Scaling: LinearScaling, Factor: 4}, map[int]float64{0: 0.25, 1: 0.0025}},
		{"divisors", RopeParams{Base: 10000, Dim: 4, Divisors: []float32{1, 8}}, map[int]float64{0: 1, 1: 0.00125}},
		{"Llama 3.1 8B", llama31, map[int]float64{0: 1, 28: 0.0032114459947525913, 29: 0.002166570763503359,
			31: 0.0008567514129196321, 34: 0.00017850781276799638, 35: 9.556212353964683e-05, 63: 3.068925988914511e-07}},
		{"Llama 3.2 1B", llama32, map[int]float64{0: 1, 14: 0.0032114459947525913, 15: 0.001290547928209264,
			16: 0.00042955679655936815, 17: 9.70828780262767e-05, 31: 9.418306725434909e-08}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := tc.params.Frequencies()
			require.Len(t, got, tc.params.Dim/2)
			for i, want := range tc.want {
				assert.InEpsilon(t, want, got[i], 1e-12, "pair %d", i)
			}
		})
	}
}

func TestRopeTable(t *testing.T) {
	cos, sin := RopeTable(RopeParams{Base: 10000, Dim: 4}, []int{0, 1, 131071})
	assert.InDeltaSlice(t, []float64{1, 1, math.Cos(1), math.Cos(0.01), math.Cos(131071), math.Cos(1310.71)}, cos, 1e-9)
	assert.InDeltaSlice(t, []float64{0, 0, math.Sin(1), math.Sin(0.01), math.Sin(131071), math.Sin(1310.71)}, sin, 1e-9)
}

func TestRoPEPairs(t *testing.T) {
	// A quarter turn of the first pair and none of the second; elements 4 and 5 are not rotated.
	x, cos, sin := []float64{1, 2, 3, 4, 5, 6}, []float64{0, 1}, []float64{1, 0}
	assert.Equal(t, []float64{-2, 1, 3, 4, 5, 6}, RoPE(x, 1, 6, cos, sin, Adjacent))
	assert.Equal(t, []float64{-3, 2, 1, 4, 5, 6}, RoPE(x, 1, 6, cos, sin, Halves))
	assert.Equal(t, []float64{1, 2, 3, 4, 5, 6}, x, "the argument is left alone")
	// Each row has its own angle, which all its heads share.
	got := RoPE([]float64{1, 0, 2, 0, 3, 0, 4, 0}, 2, 2, []float64{1, 0}, []float64{0, 1}, Halves)
	assert.Equal(t, []float64{1, 0, 2, 0, 0, 3, 0, 4}, got)
	assert.Empty(t, RoPE[float64](nil, 2, 2, nil, nil, Halves))
}

// The product of a rotated query and key depends on their distance alone.
func TestRoPEIsRelative(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	params := RopeParams{Base: 10000, Dim: 16}
	q, k := normal(random, 16), normal(random, 16)
	for _, pairing := range []Pairing{Adjacent, Halves} {
		at := func(x []float64, position int) []float64 {
			cos, sin := RopeTable(params, []int{position})
			return RoPE(x, 1, 16, cos, sin, pairing)
		}
		want := dot(at(q, 5), at(k, 2))
		assert.InDelta(t, want, dot(at(q, 8191), at(k, 8188)), 1e-9)
		assert.Greater(t, math.Abs(want-dot(at(q, 5), at(k, 3))), 1e-3)
	}
}
