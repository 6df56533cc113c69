package kernel

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
	"quire/engine/reference"
)

// expertCase is a product by experts to check.
type expertCase struct {
	ExpertLinearParams
	typ                 quant.Type
	experts, used, n, k int
	tokens              int
	pieces              int // that the matrix must have; 0: 1
	maxBinding          uint64
	choose              func(choice int) int // an expert; nil: any
	many                bool
}

func (c expertCase) String() string {
	s := fmt.Sprintf("%s/%d of %d/%dx%d/t%d", c.typ, c.used, c.experts, c.n, c.k, c.tokens)
	for _, f := range []struct {
		on   bool
		name string
	}{{c.Norm, "norm"}, {c.Bias, "bias"}, {c.Sum, "sum"}, {c.Add, "add"}, {c.Gated != "", "gated"}, {c.Over != "", "over"}, {c.pieces > 1, "split"}, {c.many, "many"},
		{c.Deterministic, "det"}} {
		if f.on {
			s += "/" + f.name
		}
	}
	return s + "/" + c.Variant
}

// plainExperts is the product's formula in one precision.
func plainExperts[T reference.Float](c expertCase, w, x, bias, norm, y0 []float32, chosen []uint32, weights []float32) []T {
	var out []T
	for choice, e := range chosen {
		at := choice / c.used
		if c.Sum {
			at = choice
		}
		row := make([]T, c.k)
		for i, f := range x[at*c.k:][:c.k] {
			row[i] = T(f)
		}
		if c.Norm {
			row = reference.RMSNorm(row, norm, T(c.Eps))
		}
		y := reference.MatMul(w[int(e)*c.n*c.k:][:c.n*c.k], row, c.k)
		if c.Bias {
			for i := range y {
				at := int(e)*c.n + i
				if c.Gated != "" {
					at = at%2*c.experts*c.n/2 + at/2
				}
				y[i] += T(bias[at])
			}
		}
		if c.Gated != "" {
			gate, up := make([]T, c.n/2), make([]T, c.n/2)
			for i := range gate {
				gate[i], up[i] = y[2*i], y[2*i+1]
			}
			y = reference.SwiGLU(gate, up)
		}
		if c.Over != "" {
			gate := make([]T, c.n)
			for i := range gate {
				gate[i] = T(y0[choice*c.n+i])
			}
			y = reference.SwiGLU(gate, y)
		}
		if !c.Sum {
			out = append(out, y...)
			continue
		}
		token := choice / c.used
		if choice%c.used == 0 {
			for i := range y {
				v := T(0)
				if c.Add {
					v = T(y0[token*c.n+i])
				}
				out = append(out, v)
			}
		}
		for i := range y {
			out[token*c.n+i] += T(weights[choice]) * y[i]
		}
	}
	return out
}

func (r *rig) runExperts(c expertCase) linearResult {
	raw, w := r.weights(c.typ, c.experts*c.n, c.k)
	width := c.n
	if c.Gated != "" {
		width /= 2
	}
	choices := c.tokens * c.used
	in, out := c.tokens, choices
	if c.Sum {
		in, out = choices, c.tokens
	}
	x, bias, norm, y0 := r.floats(in*c.k, 1), r.floats(c.experts*c.n, 1), r.floats(c.k, 1), r.floats(out*width, 1)
	weights, chosen := r.floats(choices, 0.5), make([]uint32, choices)
	var routing []byte
	for i := range chosen {
		if chosen[i] = uint32(r.rng.IntN(c.experts)); c.choose != nil {
			chosen[i] = uint32(c.choose(i))
		}
		routing = binary.LittleEndian.AppendUint32(routing, chosen[i])
		routing = binary.LittleEndian.AppendUint32(routing, math.Float32bits(weights[i]))
	}
	router, err := NewRouter(r.dev, RouterParams{Experts: c.experts, Used: c.used, Stride: RowStride(c.experts), Scale: 1, MaxTokens: c.tokens})
	require.NoError(r, err)

	p := c.ExpertLinearParams
	p.Router, p.XStride, p.YStride = router, RowStride(c.k)+32, RowStride(width)
	p.Eps, c.Eps = eps, eps
	p.Matrix, err = NewExpertMatrix(r.dev, "experts", c.typ, c.experts, c.n, c.k, c.maxBinding)
	require.NoError(r, err)
	r.Cleanup(p.Matrix.Release)
	require.Len(r, p.Matrix.Pieces, max(c.pieces, 1))
	r.repack(p.Matrix, raw, c.experts*c.n, RowMap{Stride: 1})
	l, err := NewExpertLinear(r.dev, p)
	require.NoError(r, err)
	require.NoError(r, l.Wait(context.Background()))

	normed := x
	if c.Norm {
		normed = reference.RMSNorm(x, norm, float32(eps))
	}
	v := ExpertLinearViews{
		Step: r.step(StepData{Tokens: make([]uint32, c.tokens)}), Routing: r.buffer("routing", routing).All(),
		Sorted: r.buffer("sorted", make([]byte, 4*router.SortedWords())).All(), X: r.rows("x", x, c.k, p.XStride, 0).All(),
		Y: r.rows("y", y0, width, p.YStride, 0).All(), Bias: r.rows("bias", bias, len(bias), len(bias), 0).All(), Norm: r.rows("norm", norm, c.k, RowStride(c.k), 0).All(),
		Normed: r.rows("normed", normed, c.k, p.XStride, 0).All(), Choices: r.rows("choices", r.same(choices*width, 0), width, p.YStride, 0).All(),
	}
	b, err := l.Bind(v)
	require.NoError(r, err)
	bound, err := router.Bind(v.Step, v.X, v.X, v.X, r.buffer("unused", make([]byte, 4*router.RoutingWords())).All(), v.Sorted)
	require.NoError(r, err)
	if bound.sort, err = r.dev.Bind(router.sort, v.Step, v.Routing, v.Sorted); err != nil {
		require.NoError(r, err)
	}
	r.submit(func(rec *gpu.Recorder) {
		if c.many {
			router.Sort(rec, bound)
		}
		l.Record(rec, b, c.tokens, c.many)
	})
	got := linearResult{
		want:  plainExperts[float64](c, w, x, bias, norm, y0, chosen, weights),
		plain: plainExperts[float32](c, w, x, bias, norm, y0, chosen, weights),
	}
	for at, f := range r.read(v.Y.Buffer) {
		if at%p.YStride < width {
			got.got = append(got.got, f)
		} else if f != 0 {
			r.Fatalf("wrote %g outside of y, in row %d column %d", f, at/p.YStride, at%p.YStride)
		}
	}
	return got
}

func expertCases() (cases []expertCase) {
	add := func(c expertCase) {
		if c.Variant == "" {
			c.Variant = "baseline"
		}
		for _, many := range []bool{false, true} {
			c.many = many
			cases = append(cases, c)
		}
	}
	defer func() {
		if gputest.First || os.Getenv("QUIRE_ALL") != "" {
			return
		}
		few := cases[:0] // each kernel takes software adapters long to compile, and the first host has them all
		for i, c := range cases {
			if i/2%4 == 0 {
				few = append(few, c)
			}
		}
		cases = few
	}()
	one := func(int) int { return 1 }
	gate, down := ExpertLinearParams{Norm: true, Gated: SiLU}, ExpertLinearParams{Sum: true, Add: true}
	types := []quant.Type{quant.F32, quant.Q4_K, quant.Q6_K} // kernels of many take software adapters long to compile
	if os.Getenv("QUIRE_ALL") != "" {
		types = runningTypes()
	}
	for _, t := range types {
		k := map[int]int{1: 172, 32: 160}[t.BlockWeights()]
		if k == 0 {
			k = 768
		}
		add(expertCase{typ: t, experts: 5, used: 2, n: 22, k: k, tokens: 9, ExpertLinearParams: down})
	}
	two := planeAlignment + func() uint64 { c, s := planeBytes(quant.Q4_1, 96); return 2 * 18 * (c + s) }()
	eight := planeAlignment + func() uint64 { c, s := planeBytes(quant.Q4_1, 96); return 8 * (c + s) }()
	for i, p := range []ExpertLinearParams{gate, {Gated: SiLU, Bias: true}, {Bias: true}, {Over: SiLU, Norm: true}, down, {Sum: true, Bias: true}} {
		split := []expertCase{
			{typ: quant.Q4_1, experts: 5, used: 3, n: 18, k: 96, tokens: 7, pieces: 3, maxBinding: two, ExpertLinearParams: p},
			{typ: quant.Q4_1, experts: 3, used: 2, n: 18, k: 96, tokens: 7, pieces: 9, maxBinding: eight, ExpertLinearParams: p},
		}
		if os.Getenv("QUIRE_ALL") != "" {
			add(expertCase{typ: quant.Q4_1, experts: 5, used: 3, n: 18, k: 96, tokens: 50, ExpertLinearParams: p})
			add(split[1-i%2])
		}
		if runtime.GOOS == "js" {
			i = 0 // each piece has kernels of its own
		}
		add(split[i%2])
	}
	add(expertCase{typ: quant.Q8_0, experts: 4, used: 1, n: 70, k: 32, tokens: 131, choose: one, ExpertLinearParams: gate})
	add(expertCase{typ: quant.Q8_0, experts: 4, used: 1, n: 70, k: 32, tokens: 131, choose: one, ExpertLinearParams: down})
	add(expertCase{typ: quant.F32, experts: 4, used: 4, n: 3, k: 7, tokens: 1, choose: func(c int) int { return c }, ExpertLinearParams: down})
	add(expertCase{typ: quant.Q4_0, experts: 200, used: 8, n: 10, k: 32, tokens: 40, ExpertLinearParams: gate})
	add(expertCase{typ: quant.Q4_0, experts: 200, used: 8, n: 10, k: 2048, tokens: 3, ExpertLinearParams: ExpertLinearParams{Sum: true, Variant: "subgroup"}})
	return cases
}

func TestExpertLinear(t *testing.T) {
	for _, c := range expertCases() {
		t.Run(c.String(), func(t *testing.T) {
			r := newRig(t)
			if c.Variant == "subgroup" && subgroupSize(r.dev.Info()) == 0 {
				t.Skip("no subgroups of a known size")
			}
			got := r.runExperts(c)
			r.accurate(got.want, got.plain, got.got)
		})
	}
}

// In deterministic mode many tokens' products are the same bits as few's: each choice's come from it alone.
func TestExpertLinearDeterministic(t *testing.T) {
	for _, p := range []ExpertLinearParams{{Norm: true, Gated: SiLU}, {Sum: true}} {
		p.Deterministic = true
		c := expertCase{typ: quant.Q4_1, experts: 5, used: 3, n: 18, k: 96, tokens: 64, ExpertLinearParams: p}
		few := newRig(t).runExperts(c).got
		c.many = true
		assert.Equal(t, few, newRig(t).runExperts(c).got)
	}
}

func TestExpertLinearRefuses(t *testing.T) {
	r := newRig(t)
	router, err := NewRouter(r.dev, RouterParams{Experts: 3, Used: 1, Stride: 32, Scale: 1, MaxTokens: 1})
	require.NoError(t, err)
	m, err := NewExpertMatrix(r.dev, "experts", quant.F32, 3, 5, 32, 0)
	require.NoError(t, err)
	t.Cleanup(m.Release)
	for name, p := range map[string]ExpertLinearParams{
		"no experts":   {Matrix: r.matrix(quant.F32, 15, 32, make([]byte, 15*128), 0), XStride: 32, YStride: 32},
		"narrow x":     {Matrix: m, YStride: 32},
		"narrow y":     {Matrix: m, XStride: 32},
		"half a pair":  {Matrix: m, XStride: 32, YStride: 32, Gated: SiLU},
		"no such kind": {Matrix: m, XStride: 32, YStride: 32, Variant: "warp"},
	} {
		p.Router = router
		_, err := NewExpertLinear(r.dev, p)
		assert.Error(t, err, name)
	}
	_, err = NewExpertMatrix(r.dev, "experts", quant.F32, 0, 5, 32, 0)
	assert.ErrorIs(t, err, ErrMatrixShape)
}
