package kernel

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/quant"
	"quire/engine/reference"
)

// loraCase is what adapters add to a product.
type loraCase struct {
	ranks  int         // there is room for
	slots  []int       // where the rows of each matrix begin
	rows   [][]Adapter // of each row of x in turn
	unused bool        // no adapter changes the product
	params *LoRAParams
	a, b   []float32 // [slot][ranks][k], [n][ranks]
	of     []int     // whose adapters row m has
}

// addAdapters adds the formula of adapters to y.
func addAdapters[T reference.Float](l *loraCase, y, x []T, n, k int) {
	if l.unused {
		return
	}
	for m := range len(y) / n {
		for _, adapter := range l.rows[l.of[m]] {
			for r := adapter.First; r < adapter.First+adapter.Ranks; r++ {
				down := make([]T, len(l.slots))
				for s := range down {
					for i := range k {
						down[s] += T(l.a[(s*l.ranks+r)*k+i]) * x[m*k+i]
					}
				}
				for row := range n {
					y[m*n+row] += T(adapter.Factor) * T(l.b[row*l.ranks+r]) * down[l.slot(row)]
				}
			}
		}
	}
}

// slot is the matrix that a row is of.
func (l *loraCase) slot(row int) (slot int) {
	if l.params.InTurn {
		return row % 2
	}
	for i, begin := range l.slots {
		if row >= begin {
			slot = i
		}
	}
	return slot
}

// make fills in what the case leaves to chance, and tells the step of it: each token is a sequence of its own.
func (l *loraCase) make(r *rig, c linearCase, p *LinearParams, step *StepData) *LoRAParams {
	l.params = &LoRAParams{K: c.k, N: c.n, Rank: l.ranks, Slots: l.slots, InTurn: len(l.slots) == 2 && c.Gated != "", XStride: p.XStride, MWord: p.MWord, Norm: c.Norm, Eps: eps, Gather: c.Gather}
	l.a, l.b = r.floats(len(l.slots)*l.ranks*c.k, 0.3), r.floats(c.n*l.ranks, 0.3)
	for t := range c.tokens {
		step.Rows = append(step.Rows, StepRow{First: uint32(t), Count: 1})
		step.Adapters = append(step.Adapters, AdapterFours(l.rows[t%len(l.rows)]))
	}
	l.of = nil
	for m := range c.m {
		token := m
		if c.Gather {
			token = int(step.Outputs[m].Token)
		}
		l.of = append(l.of, token%len(l.rows))
	}
	return l.params
}

// bind binds A and B; sums that no kernel has written are no numbers.
func (l *loraCase) bind(r *rig, p *LoRAParams, v LinearViews, step *StepData, m int) (adapters gpu.View, record func(*gpu.Recorder, bool)) {
	all := make([]float32, p.BWords(m))
	for row := range p.N {
		for r := range l.ranks {
			all[p.bWord(row, r)] = l.b[row*l.ranks+r]
		}
	}
	for row := range m {
		copy(all[p.sumsWord(row, 0):], r.same(len(l.slots)*p.ranks(), float32(math.NaN())))
	}
	k, err := NewLoRA(r.dev, *p)
	require.NoError(r, err)
	require.NoError(r, k.Wait(context.Background()))
	a, b := r.rows("a", l.a, p.K, RowStride(p.K), 0), r.rows("b", all, len(all), len(all), 0)
	bound, err := k.Bind(v.Step, a.All(), v.X, v.Norm, b.All())
	require.NoError(r, err)
	return b.All(), func(rec *gpu.Recorder, many bool) {
		if !l.unused {
			k.Record(rec, bound, step, m, many)
		}
	}
}

// Products with adapters give what the formula does, whichever rows have which, in kernels for few rows and for many.
func TestLoRAProducts(t *testing.T) {
	some := [][]Adapter{
		nil,
		{{First: 0, Ranks: 5, Factor: 0.5}},
		{{First: 5, Ranks: 4, Factor: -1}},
		{{First: 0, Ranks: 5, Factor: 1}, {First: 9, Ranks: 2, Factor: 2}},
	}
	var wide [][]Adapter // more fours than invocations share a row
	for i := range 3 {
		wide = append(wide, []Adapter{{First: 7 * i, Ranks: 250, Factor: 0.1}})
	}
	cases := []linearCase{
		{n: 45, k: 300, m: 8, LinearParams: LinearParams{Norm: true, MaxRows: 8}, lora: &loraCase{ranks: 12, slots: []int{0, 21, 30}, rows: some}},
		{n: 70, k: 96, m: 40, LinearParams: LinearParams{Norm: true, MinRows: 33}, lora: &loraCase{ranks: 12, slots: []int{0, 20}, rows: some}},
		{n: 20, k: 64, m: 1, LinearParams: LinearParams{MaxRows: 1}, lora: &loraCase{ranks: 11, slots: []int{0}, rows: some[3:]}},
		{n: 20, k: 256, m: 1, LinearParams: LinearParams{MaxRows: 1, Norm: true, Row: &RowShape{Lanes: 8, Tile: 4, Workgroup: 256, Strips: true}}, lora: &loraCase{ranks: 11, slots: []int{0, 8}, rows: some[3:]}},
		{n: 20, k: 64, m: 4, LinearParams: LinearParams{MaxRows: 4}, lora: &loraCase{ranks: 11, slots: []int{0}, rows: some}},
		{n: 20, k: 64, m: 3, LinearParams: LinearParams{MaxRows: 4}, lora: &loraCase{ranks: 11, slots: []int{0}, rows: some, unused: true}},
		{n: 44, k: 300, m: 13, LinearParams: LinearParams{Norm: true, Bias: true, Gated: SiLU, MaxRows: 16}, lora: &loraCase{ranks: 11, slots: []int{0, 1}, rows: some}},
		{n: 30, k: 128, m: 2, tokens: 9, LinearParams: LinearParams{Gather: true, Norm: true, MaxRows: 2}, lora: &loraCase{ranks: 11, slots: []int{0}, rows: some}},
		{n: 24, k: 64, m: 5, LinearParams: LinearParams{Add: true, Scale: 3, MaxRows: 8}, lora: &loraCase{ranks: 264, slots: []int{0, 16}, rows: wide}},
		{n: 70, k: 96, m: 67, tokens: 70, LinearParams: LinearParams{Gated: GELU, Gather: true, MinRows: 33}, lora: &loraCase{ranks: 264, slots: []int{0, 1}, rows: wide}},
		{n: 45, k: 2100, m: 6, LinearParams: LinearParams{Norm: true, Deterministic: true}, lora: &loraCase{ranks: 12, slots: []int{0, 21, 30}, rows: some}},
	}
	if runtime.GOOS == "js" && os.Getenv("QUIRE_ALL") == "" {
		cases = cases[:2]
	}
	for _, c := range cases {
		c.typ = quant.F32
		t.Run(fmt.Sprintf("%s/ranks%d", c, c.lora.ranks), func(t *testing.T) {
			r := newRig(t)
			got := r.runLinear(c)
			r.accurate(got.want, got.plain, got.got)
		})
	}
}

// Fours come in order, each once, with the factors of all adapters in them.
func TestAdapterFours(t *testing.T) {
	assert.Empty(t, AdapterFours(nil))
	assert.Equal(t, []AdapterFour{{1, [4]float32{0, 0, 2, 3}}, {2, [4]float32{3, 0, 0, 0}}, {5, [4]float32{4, 0, 0, 0}}},
		AdapterFours([]Adapter{{First: 20, Ranks: 1, Factor: 4}, {First: 7, Ranks: 2, Factor: 3}, {First: 6, Ranks: 1, Factor: 2}}))
}
