package kernel

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

// choose is what a router's scores of one token mean, in float64: experts, best first, with their weights.
func (p *RouterParams) choose(scores, bias, scales []float32) (experts []int, weights []float64) {
	key, value := make([]float64, p.Experts), make([]float64, p.Experts)
	best := float64(slices.Max(scores))
	for e, x := range scores {
		value[e] = math.Exp(float64(x) - best)
		key[e] = float64(x)
		if p.Sigmoid {
			value[e] = 1 / (1 + math.Exp(-float64(x)))
			key[e] = float64(float32(value[e]))
		}
		if p.Bias {
			key[e] = float64(float32(key[e]) + bias[e])
		}
		experts = append(experts, e)
	}
	slices.SortStableFunc(experts, func(a, b int) int { return cmp.Compare(key[b], key[a]) })
	experts = experts[:p.Used]
	total := 1.0
	if !p.Whole {
		total = float64(p.Least)
	} else if !p.Sigmoid {
		total = 0
		for _, v := range value {
			total += v
		}
	}
	for _, e := range experts {
		if !p.Whole {
			total += value[e]
		}
	}
	for _, e := range experts {
		w := value[e] / total * float64(p.Scale)
		if p.Scaled {
			w *= float64(scales[e])
		}
		weights = append(weights, w)
	}
	return experts, weights
}

// Experts are those of the best scores, of equal ones the lowest, and their weights are the formula's in float64. Sorted, all
// choices lie with their expert's, in tiles that hold one expert's each.
func TestRouter(t *testing.T) {
	for _, p := range []RouterParams{
		{Experts: 5, Used: 2}, {Experts: 1, Used: 1}, {Experts: 8, Used: 8, Whole: true}, {Experts: 130, Used: 1}, {Experts: 300, Used: 10, Whole: true},
		{Experts: 128, Used: 8}, {Experts: 6, Used: 2, Sigmoid: true, Bias: true, Scale: 2.5, Least: 1e-6}, {Experts: 33, Used: 4, Sigmoid: true, Whole: true},
		{Experts: 7, Used: 3, Scaled: true},
	} {
		t.Run(fmt.Sprintf("%+v", p), func(t *testing.T) {
			r := newRig(t)
			p.Scale = cmp.Or(p.Scale, 1)
			const tokens = 71
			p.Stride, p.MaxTokens = RowStride(p.Experts), tokens+3
			scores := r.floats(tokens*p.Experts, 2)
			for e := range p.Experts {
				scores[e] = 0                                                    // all alike
				scores[p.Experts+e] = float32(math.Copysign(0, float64(e%2)-.5)) // zeros of both signs
				scores[2*p.Experts+e] = float32(e / 2 % 3)                       // ties
				scores[3*p.Experts+e] = float32(e%3-1) * 1e30                    // far apart
				scores[4*p.Experts+e] = -float32(e) * 1e-30                      // all but alike
				scores[5*p.Experts+e] = float32(min(e, 1)) - 40                  // one less than the others
			}
			bias, scales := r.floats(p.Experts, 0.3), r.floats(p.Experts, 1)
			router, err := NewRouter(r.dev, p)
			require.NoError(t, err)
			require.NoError(t, router.Wait(context.Background()))
			routing := r.buffer("routing", make([]byte, 4*router.RoutingWords()))
			sorted := r.buffer("sorted", make([]byte, 4*router.SortedWords()))
			bound, err := router.Bind(r.step(StepData{Tokens: make([]uint32, tokens)}), r.rows("scores", scores, p.Experts, p.Stride, 7).All(),
				r.rows("bias", bias, p.Experts, p.Experts, 0).All(), r.rows("scales", scales, p.Experts, p.Experts, 0).All(), routing.All(), sorted.All())
			require.NoError(t, err)
			r.submit(func(rec *gpu.Recorder) {
				router.Record(rec, bound, tokens)
				router.Sort(rec, bound)
			})
			got := r.read(routing)
			var chosen []int
			for i := range tokens {
				experts, weights := p.choose(scores[i*p.Experts:][:p.Experts], bias, scales)
				for j, e := range experts {
					at := 2 * (i*p.Used + j)
					require.EqualValues(t, e, math.Float32bits(got[at]), "token %d, choice %d", i, j)
					require.InDelta(t, weights[j], got[at+1], 2e-6*max(1, math.Abs(weights[j])), "token %d, choice %d", i, j)
					chosen = append(chosen, e)
				}
			}
			assert.Equal(t, make([]float32, 2*3*p.Used), got[2*len(chosen):], "past the last token")

			words := r.words(sorted)
			order := words[p.orderWord():][:len(chosen)]
			seen := map[uint32]bool{}
			rows := 0
			for tile := range words[0] {
				e, first, end := words[4+4*tile], words[5+4*tile], words[6+4*tile]
				require.Less(t, first, end)
				for _, c := range order[first:min(end, first+matmulTile)] {
					assert.EqualValues(t, e, chosen[c])
					assert.False(t, seen[c], "choice %d is there twice", c)
					seen[c] = true
					rows++
				}
			}
			assert.Equal(t, len(chosen), rows)
			assert.LessOrEqual(t, int(words[0]), p.tiles(tokens))
		})
	}
}

func TestRouterRefuses(t *testing.T) {
	r := newRig(t)
	for name, p := range map[string]RouterParams{
		"none":           {Used: 1, Stride: 32, MaxTokens: 1},
		"none used":      {Experts: 4, Stride: 32, MaxTokens: 1},
		"more than all":  {Experts: 4, Used: 5, Stride: 32, MaxTokens: 1},
		"far too many":   {Experts: MaxExperts + 1, Used: 5, Stride: 2048, MaxTokens: 1},
		"a narrow score": {Experts: 40, Used: 5, Stride: 32, MaxTokens: 1},
	} {
		_, err := NewRouter(r.dev, p)
		assert.ErrorIs(t, err, ErrMatrixShape, name)
	}
}

// Rows are multiplied by the sigmoids of their gates, and no others.
func TestGateRows(t *testing.T) {
	r := newRig(t)
	const width, stride, rows = 37, 64, 5
	k, err := NewGateRows(r.dev, GateRowsParams{Width: width, GStride: 32, XStride: stride, MWord: WordTokens})
	require.NoError(t, err)
	gates, x := r.floats(rows+1, 3), r.floats((rows+1)*width, 1)
	gates[0], gates[1] = 200, -200
	v := r.rows("x", x, width, stride, 0)
	b, err := k.Bind(r.step(StepData{Tokens: make([]uint32, rows)}), r.rows("gates", gates, 1, 32, 7).All(), v.All())
	require.NoError(t, err)
	r.submit(func(rec *gpu.Recorder) { k.Record(rec, b, rows) })
	for i, got := range r.read(v) {
		row, column := i/stride, i%stride
		want := 0.0
		if column < width {
			if want = float64(x[row*width+column]); row < rows {
				want /= 1 + math.Exp(-float64(gates[row]))
			}
		}
		require.InDelta(t, want, got, 1e-6, "row %d column %d", row, column)
	}
	_, err = NewGateRows(r.dev, GateRowsParams{Width: 37, GStride: 1, XStride: 32})
	assert.ErrorIs(t, err, ErrMatrixShape)
}
