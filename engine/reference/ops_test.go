package reference

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func normal(random *rand.Rand, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = random.NormFloat64()
	}
	return out
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, f := range x {
		out[i] = float32(f)
	}
	return out
}

func widen(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, f := range x {
		out[i] = float64(f)
	}
	return out
}

func TestRMSNorm(t *testing.T) {
	got := RMSNorm([]float64{3, 4, 0, 0}, []float64{1, 2}, 0)
	root := math.Sqrt(12.5)
	assert.InDeltaSlice(t, []float64{3 / root, 8 / root}, got[:2], 1e-15)
	assert.True(t, math.IsNaN(got[2]), "a zero row without eps")
	assert.Equal(t, []float64{0, 0}, RMSNorm([]float64{0, 0}, []float64{1, 2}, 1e-5))
	assert.InDeltaSlice(t, []float64{1 / math.Sqrt(2)}, RMSNorm([]float64{1}, []float64{1}, 1), 1e-15)
}

func TestMatMul(t *testing.T) {
	for _, n := range []int{1, 3, 4, 5, 9} { // four outputs go together, the rest one by one
		random := rand.New(rand.NewPCG(1, uint64(n)))
		const m, k = 3, 7
		w, x := normal(random, n*k), normal(random, m*k)
		got := MatMul(w, x, k)
		require.Len(t, got, m*n)
		for i := range m {
			for r := range n {
				want := 0.0
				for j := range k {
					want += x[i*k+j] * w[r*k+j]
				}
				assert.InDelta(t, want, got[i*n+r], 1e-12, "row %d, output %d of %d", i, r, n)
			}
		}
		assert.Equal(t, got[n:2*n], MatVec(w, x[k:2*k]))
	}
	assert.Equal(t, []float64{11}, MatVec([]float32{1, 2}, []float64{3, 4}))
	assert.Empty(t, MatMul([]float64{1, 2}, []float64{}, 2))
}

func TestAdd(t *testing.T) {
	assert.Equal(t, []float64{11, 22, 13, 24}, Add([]float64{1, 2, 3, 4}, []float32{10, 20}))
}

func TestSwiGLU(t *testing.T) {
	got := SwiGLU([]float64{0, 1, -1, 1000, -1000}, []float64{5, 2, 2, 3, 3})
	assert.InDeltaSlice(t, []float64{0, 2 / (1 + math.Exp(-1)), -2 / (1 + math.E), 3000, 0}, got, 1e-12)
	small := SwiGLU([]float32{-1000}, []float32{3})
	assert.Zero(t, small[0])
}

func TestSoftmax(t *testing.T) {
	assert.InDeltaSlice(t, []float64{0.25, 0.75}, Softmax([]float64{1000, 1000 + math.Log(3)}), 1e-12)
	assert.Equal(t, []float32{1, 0}, Softmax([]float32{3e38, -3e38}))
	assert.Empty(t, Softmax([]float64{}))
	p, lse := softmax([]float64{math.Log(2), math.Log(6)})
	assert.InDeltaSlice(t, []float64{0.25, 0.75}, p, 1e-15)
	assert.InDelta(t, math.Log(8), lse, 1e-15)
}

// The float32 instantiation is the yardstick of accuracy: near the truth, yet not equal to it.
func TestFloat32IsPlainFloat32(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	w, x := narrow(normal(random, 8*500)), narrow(normal(random, 500))
	single, double := widen(MatVec(w, x)), MatVec(w, widen(x))
	worst := largestDifference(t, double, single)
	assert.Greater(t, worst, 1e-7)
	assert.Less(t, worst, 1e-3)
}
