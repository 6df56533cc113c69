package sample

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample/sampletest"
)

func log(probabilities ...float64) []float32 {
	out := make([]float32, len(probabilities))
	for i, p := range probabilities {
		out[i] = float32(math.Log(p))
	}
	return out
}

func TestDistribution(t *testing.T) {
	logits := log(0.1, 0.4, 0.2, 0.2, 0.1)
	tests := []struct {
		name string
		p    Params
		want []float64
	}{
		{"as it is", Params{Temperature: 1, TopP: 1}, []float64{0.1, 0.4, 0.2, 0.2, 0.1}},
		{"greedy", Params{TopP: 1}, []float64{0, 1, 0, 0, 0}},
		{"half the temperature squares", Params{Temperature: 0.5, TopP: 1}, []float64{1. / 26, 16. / 26, 4. / 26, 4. / 26, 1. / 26}},
		{"top-k", Params{Temperature: 1, TopK: 3, TopP: 1}, []float64{0, 0.5, 0.25, 0.25, 0}},
		{"top-k at a tie keeps the lowest id", Params{Temperature: 1, TopK: 2, TopP: 1}, []float64{0, 2. / 3, 1. / 3, 0, 0}},
		{"top-p", Params{Temperature: 1, TopP: 0.75}, []float64{0, 0.5, 0.25, 0.25, 0}},
		{"top-p at a tie keeps the lowest id", Params{Temperature: 1, TopP: 0.55}, []float64{0, 2. / 3, 1. / 3, 0, 0}},
		{"top-p keeps one", Params{Temperature: 1}, []float64{0, 1, 0, 0, 0}},
		{"top-p is of what top-k kept", Params{Temperature: 1, TopK: 3, TopP: 0.7}, []float64{0, 2. / 3, 1. / 3, 0, 0}},
		{"min-p", Params{Temperature: 1, TopP: 1, MinP: 0.4}, []float64{0, 0.5, 0.25, 0.25, 0}},
		{"min-p of one", Params{Temperature: 1, TopP: 1, MinP: 1}, []float64{0, 1, 0, 0, 0}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			assert.InDeltaSlice(t, c.want, Distribution(logits, c.p), 1e-6)
		})
	}
	assert.Equal(t, []float64{0, 1, 0}, Distribution([]float32{1, 2, 2}, Params{}), "the lowest id of equals")
	assert.Empty(t, Distribution(nil, Params{}))
	assert.Equal(t, -1, Draw(nil, Params{}, 0))
}

func TestMass(t *testing.T) {
	assert.EqualValues(t, 1<<31, mass(0))
	assert.Zero(t, mass(32))
	assert.Zero(t, mass(1e30))
	before := mass(0)
	for i := range 200000 {
		y := float32(i) / 10000
		got := mass(y)
		require.InDelta(t, math.Exp2(31-float64(y)), float64(got), 13*math.Exp2(-math.Floor(float64(y)))+1)
		require.LessOrEqual(t, got, before)
		before = got
	}
}

// The integer draw never leaves the kept set and finds its tokens as often as the float64 distribution says.
func TestDrawFits(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	logits := make([]float32, 64)
	for i := range logits {
		logits[i] = float32(math.Round(rng.NormFloat64()*4) / 2)
	}
	for _, p := range []Params{
		{Temperature: 1.3, TopP: 1}, {Temperature: 1, TopK: 9, TopP: 1}, {Temperature: 1, TopP: 0.8},
		{Temperature: 1, TopP: 1, MinP: 0.1}, {Temperature: 0.8, TopK: 20, TopP: 0.9, MinP: 0.05}, {},
	} {
		p.Seed = 42
		want, counts := Distribution(logits, p), make([]int, len(logits))
		const draws = 20000
		for i := range draws {
			counts[Draw(logits, p, uint32(i))]++
		}
		assert.Greater(t, sampletest.ChiSquare(want, counts), 1e-4, "%+v", p)
	}
}

// At min-p's edge the integer draw keeps a token whose distance is the reach, and not the next one; a hair away from it both say
// the same as the float64 distribution.
func TestMinPEdge(t *testing.T) {
	drawn := func(logits []float32, p Params) bool {
		for i := range uint32(4000) {
			if Draw(logits, p, i) == 1 {
				return true
			}
		}
		return false
	}
	for _, minP := range []float64{1, 0.75, 0.5, 0.25, 0.1, 0.05, 0.02} {
		for _, temperature := range []float64{math.Log2E, 0.7, 1, 3} { // the first makes a logit's distance its own power of two
			p := Params{Temperature: temperature, TopP: 1, MinP: minP, Seed: 11}
			edge := p.reach()
			assert.InEpsilon(t, minP, math.Exp2(-float64(edge)), 1e-6)
			if temperature == math.Log2E {
				require.Equal(t, float32(1), p.scale())
				assert.True(t, drawn([]float32{0, -edge}, p), "min-p %g: at the edge", minP)
				assert.False(t, drawn([]float32{0, -math.Nextafter32(edge, 100)}, p), "min-p %g: past the edge", minP)
			}
			for _, off := range []float64{-1e-5, 1e-5} {
				distance := float32(temperature * (-math.Log(minP) + off))
				logits := []float32{3, 3 - distance}
				if distance <= 0 {
					continue // as likely as the best
				}
				kept := Distribution(logits, p)[1] > 0
				assert.Equal(t, off < 0, kept, "min-p %g, temperature %g, off %g", minP, temperature, off)
				assert.Equal(t, kept, drawn(logits, p), "min-p %g, temperature %g, off %g", minP, temperature, off)
			}
		}
	}
	// Equals of the best are kept whatever min-p is, and 0 keeps what is within 32 powers of two.
	assert.True(t, drawn([]float32{5, 5}, Params{Temperature: 1, TopP: 1, MinP: 1}))
	assert.Equal(t, []float64{0.5, 0.5}, Distribution([]float32{5, 5}, Params{Temperature: 1, TopP: 1, MinP: 1}))
	assert.EqualValues(t, everything, Params{Temperature: 1}.reach())
}
