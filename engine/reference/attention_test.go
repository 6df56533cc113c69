package reference

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestVisible(t *testing.T) {
	const x, o = true, false
	for _, tc := range []struct {
		name   string
		keys   int
		causal bool
		window int
		sinks  int
		sees   [][]bool
	}{
		{"all", 3, false, 0, 0, [][]bool{{x, x, x}, {x, x, x}}},
		{"causal, square", 3, true, 0, 0, [][]bool{{x, o, o}, {x, x, o}, {x, x, x}}},
		{"causal, cached", 4, true, 0, 0, [][]bool{{x, x, x, o}, {x, x, x, x}}},
		{"causal, decode", 3, true, 0, 0, [][]bool{{x, x, x}}},
		{"causal, more rows than keys", 1, true, 0, 0, [][]bool{{o}, {o}, {x}}},
		{"window 1", 3, true, 1, 0, [][]bool{{x, o, o}, {o, x, o}, {o, o, x}}},
		{"window 2, cached", 5, true, 2, 0, [][]bool{{o, o, x, x, o}, {o, o, o, x, x}}},
		{"window over all", 2, true, 9, 0, [][]bool{{x, o}, {x, x}}},
		{"window, not causal", 3, false, 1, 0, [][]bool{{x, o, o}, {o, x, o}, {o, o, x}}},
		{"window 2, not causal", 4, false, 2, 0, [][]bool{{o, x, x, x}, {o, o, x, x}}},
		{"sink", 5, true, 2, 1, [][]bool{{x, o, x, x, o}, {x, o, o, x, x}}},
		{"sinks before the rows only", 3, true, 1, 2, [][]bool{{x, o, o}, {x, x, o}, {x, x, x}}},
		{"no keys", 0, true, 0, 0, [][]bool{{}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for row, want := range tc.sees {
				got := make([]bool, tc.keys)
				for s := range got {
					position := tc.keys - len(tc.sees) + row
					got[s] = visible(position, s, AttentionParams{Causal: tc.causal, Window: tc.window, Sinks: tc.sinks})
				}
				assert.Equal(t, want, got, "row %d", row)
			}
		})
	}
}

func TestAttentionByHand(t *testing.T) {
	p := AttentionParams{Heads: 1, KVHeads: 1, HeadDim: 2, Causal: true, Scale: 0.5}
	q, k, v := []float64{2, 0, 0, 4}, []float64{1, 1, 0, 3}, []float64{10, 20, 30, 40}
	out, lse := Attention(q, k, v, p)
	// Row 0 sees key 0 alone with score 1; row 1 scores 2 and 6.
	share := 1 / (1 + math.Exp(4))
	assert.InDeltaSlice(t, []float64{10, 20, 30 - 20*share, 40 - 20*share}, out, 1e-12)
	assert.InDeltaSlice(t, []float64{1, 6 + math.Log(1+math.Exp(-4))}, lse, 1e-12)

	p.Softcap = 3
	_, lse = Attention(q, k, v, p)
	a, b := 3*math.Tanh(2.0/3), 3*math.Tanh(2.0)
	assert.InDeltaSlice(t, []float64{3 * math.Tanh(1.0/3), math.Log(math.Exp(a) + math.Exp(b))}, lse, 1e-12)
}

func TestAttentionSharesKVHeads(t *testing.T) {
	p := AttentionParams{Heads: 6, KVHeads: 2, HeadDim: 1, Scale: 1}
	out, _ := Attention([]float64{0, 0, 0, 0, 0, 0}, []float64{1, 1}, []float64{7, 9}, p)
	assert.Equal(t, []float64{7, 7, 7, 9, 9, 9}, out)
}

func TestAttentionNeverReadsWhatIsNotSeen(t *testing.T) {
	nan := math.NaN()
	p := AttentionParams{Heads: 1, KVHeads: 1, HeadDim: 1, Causal: true, Window: 1, Scale: 1}
	out, lse := Attention([]float64{1}, []float64{nan, 2}, []float64{nan, 5}, p)
	assert.Equal(t, []float64{5}, out)
	assert.Equal(t, []float64{2}, lse)
	out, lse = Attention([]float64{1, 1, 1}, []float64{2}, []float64{5}, p)
	assert.Equal(t, []float64{0, 0, 5}, out)
	assert.Equal(t, []float64{math.Inf(-1), math.Inf(-1), 2}, lse)
}

// Attention over two halves of the keys, merged by their log-sum-exps, is attention over all.
func TestAttentionMergesByLSE(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	p := AttentionParams{Heads: 4, KVHeads: 2, HeadDim: 3, Scale: 0.7}
	const rows, keys, half = 2, 7, 3
	q, k, v := normal(random, rows*12), normal(random, keys*6), normal(random, keys*6)
	want, wantLSE := Attention(q, k, v, p)
	a, lseA := Attention(q, k[:half*6], v[:half*6], p)
	b, lseB := Attention(q, k[half*6:], v[half*6:], p)
	for i := range want {
		lse := wantLSE[i/3]
		assert.InDelta(t, want[i], a[i]*math.Exp(lseA[i/3]-lse)+b[i]*math.Exp(lseB[i/3]-lse), 1e-12)
		assert.InDelta(t, math.Exp(lse), math.Exp(lseA[i/3])+math.Exp(lseB[i/3]), 1e-9)
	}
}
