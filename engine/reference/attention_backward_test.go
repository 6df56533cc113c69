package reference

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestALiBiSlopes(t *testing.T) {
	assert.Equal(t, []float64{1.0 / 16, 1.0 / 256}, ALiBiSlopes(2))
	eight := ALiBiSlopes(8)
	assert.Equal(t, []float64{0.5, 0.25}, eight[:2])
	assert.Equal(t, 1.0/256, eight[7])
	twelve := ALiBiSlopes(12)
	assert.Equal(t, eight, twelve[:8])
	assert.InDeltaSlice(t, []float64{math.Sqrt2 / 2, math.Sqrt2 / 4, math.Sqrt2 / 8, math.Sqrt2 / 16}, twelve[8:], 1e-12)
}

func TestAttentionBias(t *testing.T) {
	p := AttentionParams{Heads: 1, KVHeads: 1, HeadDim: 1, Scale: 1, Slopes: []float64{2},
		Mask: func(_, _, key int) (float64, bool) { return float64(10 * key), key != 1 }}
	_, lse := Attention([]float64{0}, []float64{5, 5, 5}, []float64{1, 1, 1}, p)
	// The query stands at position 2: key 0 scores −4, key 1 is hidden, key 2 scores 20.
	assert.InDelta(t, math.Log(math.Exp(-4)+math.Exp(20)), lse[0], 1e-12)
}

func TestAttentionRows(t *testing.T) {
	p := AttentionParams{Heads: 2, KVHeads: 1, HeadDim: 3, Causal: true, Scale: 0.5}
	rng := rand.New(rand.NewPCG(1, 2))
	q, k, v := noise(rng, 5*6), noise(rng, 7*3), noise(rng, 7*3)
	all, lse := Attention(q, k, v, p)
	p.Rows, p.QueryRows = []int{1, 4}, 5
	some, someLSE := Attention(append(append([]float64{}, q[6:12]...), q[24:30]...), k, v, p)
	assert.Equal(t, append(append([]float64{}, all[6:12]...), all[24:30]...), some)
	assert.Equal(t, append(append([]float64{}, lse[2:4]...), lse[8:10]...), someLSE)
}

func noise(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

// The gradients are what the loss does when one input moves a little.
func TestAttentionBackward(t *testing.T) {
	dropout := func(head, row, key int) float64 {
		if (head+3*row+5*key)%4 == 0 {
			return 0
		}
		return 4.0 / 3
	}
	mask := func(head, row, key int) (float64, bool) { return 0.1 * float64(head-key), (row+key)%5 != 0 }
	for i, p := range []AttentionParams{
		{Heads: 1, KVHeads: 1},
		{Heads: 4, KVHeads: 2, Causal: true},
		{Heads: 2, KVHeads: 1, Causal: true, Window: 2, Sinks: 1, Softcap: 1.5},
		{Heads: 2, KVHeads: 2, Slopes: []float64{0.3, 0.1}, Mask: mask, Dropout: dropout},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			p.HeadDim, p.Scale = 3, 0.7
			rng := rand.New(rand.NewPCG(3, uint64(i)))
			const rows, keys = 4, 6
			q, k, v := noise(rng, rows*p.Heads*3), noise(rng, keys*p.KVHeads*3), noise(rng, keys*p.KVHeads*3)
			do := noise(rng, len(q))
			loss := func() (sum float64) {
				out, _ := Attention(q, k, v, p)
				return dot(do, out)
			}
			dq, dk, dv := AttentionBackward(q, k, v, do, p)
			for _, side := range []struct{ x, gradient []float64 }{{q, dq}, {k, dk}, {v, dv}} {
				for j, x := range side.x {
					const h = 1e-5
					side.x[j] = x + h
					up := loss()
					side.x[j] = x - h
					down := loss()
					side.x[j] = x
					assert.InDelta(t, (up-down)/(2*h), side.gradient[j], 1e-8)
				}
			}
		})
	}
}

// Weights from given log-sum-exps are the softmax's where these are its own.
func TestAttentionBackwardFromLSE(t *testing.T) {
	p := AttentionParams{Heads: 2, KVHeads: 1, HeadDim: 3, Causal: true, Scale: 0.5}
	rng := rand.New(rand.NewPCG(3, 4))
	q, k, v, do := noise(rng, 5*6), noise(rng, 7*3), noise(rng, 7*3), noise(rng, 5*6)
	_, lse := Attention(q, k, v, p)
	dq, dk, dv := AttentionBackward(q, k, v, do, p)
	p.LSE = func(head, row int) float64 { return lse[row*p.Heads+head] }
	dq2, dk2, dv2 := AttentionBackward(q, k, v, do, p)
	assert.InDeltaSlice(t, dq, dq2, 1e-12)
	assert.InDeltaSlice(t, dk, dk2, 1e-12)
	assert.InDeltaSlice(t, dv, dv2, 1e-12)
	p.LSE = func(head, row int) float64 { return lse[row*p.Heads+head] + math.Ln2 }
	_, _, half := AttentionBackward(q, k, v, do, p)
	assert.InDelta(t, dv[0]/2, half[0], 1e-12, "twice the sum, half the weights")
}
