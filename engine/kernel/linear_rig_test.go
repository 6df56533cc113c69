package kernel

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
	"quire/engine/reference"
)

// linearCase is a product to check.
type linearCase struct {
	LinearParams
	typ        quant.Type
	n, k, m    int
	tokens     int  // rows of x; 0: m
	anyBits    bool // weights' blocks are of any bits
	maxBinding uint64
	lora       *loraCase                                // what adapters add; nil: nothing
	rounded    func(w, rows []float32, k int) []float32 // the product in the kernel's own precision; nil: f32
}

func (c linearCase) String() string {
	s := fmt.Sprintf("%s/%dx%d/m%d", c.typ, c.n, c.k, c.m)
	for _, f := range []struct {
		on   bool
		name string
	}{{c.Norm, "norm"}, {c.Bias, "bias"}, {c.Add, "add"}, {c.Scale != 0, "scale"}, {c.Cap != 0, "cap"}, {c.Activated != "", string(c.Activated)}, {c.Gated == SiLU, "swiglu"}, {c.Gated == GELU, "geglu"}, {c.Gather, "gather"}, {c.Deterministic, "det"}, {c.maxBinding != 0, "split"}, {c.anyBits, "any bits"}} {
		if f.on {
			s += "/" + f.name
		}
	}
	if c.only != nil {
		s += fmt.Sprintf("/%T%v", c.only, c.only)
	}
	return s + "/" + c.Variant
}

// linearResult is what a product should be and is, [m][width].
type linearResult struct {
	want       []float64
	plain, got []float32
}

// plainLinear is the product's formula in one precision. x is [tokens][k], y0 [m][width].
func plainLinear[T reference.Float](c linearCase, w, x, bias, norm, y0 []float32, outputs []Output) []T {
	rows := make([]T, 0, c.m*c.k)
	for m := range c.m {
		from := m
		if c.Gather {
			from = int(outputs[m].Token)
		}
		for _, f := range x[from*c.k : (from+1)*c.k] {
			rows = append(rows, T(f))
		}
	}
	if c.Norm {
		rows = reference.RMSNorm(rows, norm, T(c.Eps))
	}
	y := reference.MatMul(w, rows, c.k)
	if of, ok := any(rows).([]float32); ok && c.rounded != nil {
		for i, f := range c.rounded(w, of, c.k) {
			y[i] = T(f)
		}
	}
	if c.lora != nil {
		addAdapters(c.lora, y, rows, c.n, c.k)
	}
	if c.Bias && c.Gated != "" {
		turned := make([]float32, 0, c.n) // as the rows are: gate and up in turn
		for i := range c.n / 2 {
			turned = append(turned, bias[i], bias[c.n/2+i])
		}
		bias = turned
	}
	if c.Bias {
		y = reference.Add(y, bias)
	}
	for i := range y {
		if c.Scale != 0 {
			y[i] *= T(c.Scale)
		}
		y[i] = plainActivation(c, y[i])
	}
	if c.Gated != "" {
		gate, up := make([]T, 0, len(y)/2), make([]T, 0, len(y)/2)
		for i := 0; i < len(y); i += 2 {
			gate, up = append(gate, y[i]), append(up, y[i+1])
		}
		if c.Gated == GELU {
			y = reference.GeGLU(gate, up)
		} else {
			y = reference.SwiGLU(gate, up)
		}
	}
	if c.Add {
		y = reference.Add(y, y0)
	}
	return y
}

func plainActivation[T reference.Float](c linearCase, x T) T {
	switch {
	case c.Cap != 0:
		return T(c.Cap) * T(math.Tanh(float64(x/T(c.Cap))))
	case c.Activated == GELU:
		return reference.GeGLU([]T{x}, []T{1})[0]
	case c.Activated == GELUErf:
		return x * T(math.Erfc(-float64(x)/math.Sqrt2)/2)
	case c.Activated == SiLU:
		return reference.SwiGLU([]T{x}, []T{1})[0]
	}
	return x
}

// runLinear computes c on the GPU and on the CPU.
func (r *rig) runLinear(c linearCase) linearResult {
	if c.tokens == 0 {
		c.tokens = c.m
	}
	weights := r.weights
	if c.anyBits {
		weights = r.anyBlocks
	}
	raw, w := weights(c.typ, c.n, c.k)
	width := c.n
	if c.Gated != "" {
		width = c.n / 2
	}
	x, bias, norm := r.floats(c.tokens*c.k, 1), r.floats(c.n, 1), r.floats(c.k, 1)
	y0 := r.floats(c.m*width, 1)

	p := c.LinearParams
	p.Matrix = r.matrix(c.typ, c.n, c.k, raw, c.maxBinding)
	if c.maxBinding != 0 {
		require.Len(r, p.Matrix.Pieces, ceilDiv(c.n, 8))
	}
	p.XStride = RowStride(c.k) + 32
	p.YOffset = 3
	p.YStride = RowStride(width + p.YOffset)
	p.Eps, c.Eps = eps, eps
	step := StepData{Tokens: make([]uint32, c.tokens)}
	p.MWord = WordTokens
	if c.Gather {
		p.MWord = WordOutputs
		for range c.m {
			step.Outputs = append(step.Outputs, Output{Token: uint32(r.rng.IntN(c.tokens))})
		}
	}
	if c.lora != nil {
		p.Adapters = c.lora.make(r, c, &p, &step)
	}
	l, err := NewLinear(r.dev, p)
	require.NoError(r, err)
	require.NoError(r, l.Wait(context.Background()))

	// Rows past those of the step hold NaN, which must not leak.
	nan := float32(math.NaN())
	xs := append(append([]float32(nil), x...), r.same(c.k, nan)...)
	shift := make([]float32, 0, c.m*p.YStride)
	for m := range c.m {
		shift = append(append(shift, 7, 7, 7), y0[m*width:(m+1)*width]...)
	}
	shift = append(shift, r.same(width+p.YOffset, 7)...)
	v := LinearViews{
		Step: r.step(step), X: r.rows("x", xs, c.k, p.XStride, 0).All(), Y: r.rows("y", shift, width+p.YOffset, p.YStride, 7).All(),
		Bias: r.rows("bias", bias, c.n, c.n, 0).All(), Norm: r.rows("norm", norm, c.k, RowStride(c.k), 0).All(),
		Normed: r.rows("normed", r.same(c.k*(c.m+1), 0), c.k, p.XStride, 0).All(),
	}
	if p.Room > 0 {
		words := RoundedWords(c.k, p.Room)
		v.Rounded = r.rows("rounded", r.same(words, nan), words, words, 0).All()
	}
	if p.PartsRoom > 0 {
		words := 8 * c.m * RowStride(c.n) // of 8 parts
		v.Parts = r.rows("parts", r.same(words, nan), words, words, 0).All()
	}
	var adapt func(*gpu.Recorder, bool)
	if c.lora != nil {
		v.Adapters, adapt = c.lora.bind(r, p.Adapters, v, &step, c.m)
	}
	b, err := l.Bind(v)
	require.NoError(r, err)
	r.submit(func(rec *gpu.Recorder) {
		if adapt != nil {
			adapt(rec, l.Way(b, c.m).Many())
		}
		l.Record(rec, b, c.m)
	})

	got := linearResult{
		want:  plainLinear[float64](c, w, x, bias, norm, y0, step.Outputs),
		plain: plainLinear[float32](c, w, x, bias, norm, y0, step.Outputs),
	}
	for at, f := range r.read(v.Y.Buffer) {
		m, n := at/p.YStride, at%p.YStride-p.YOffset
		if m < c.m && n >= 0 && n < width {
			got.got = append(got.got, f)
		} else if f != 7 {
			r.Fatalf("wrote %g outside of y, in row %d column %d", f, m, n)
		}
	}
	return got
}

func (r *rig) same(n int, v float32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// r8 is a binding limit under which a piece holds eight rows of k weights.
func r8(t quant.Type, k int) uint64 { return bindingOf(t, k, 8) }

// bindingOf is the size of a binding that holds rows of k weights.
func bindingOf(t quant.Type, k, rows int) uint64 {
	codes, scales := planeBytes(t, k)
	return planeAlignment + uint64(4*len(t.Table())) + uint64(rows)*(codes+scales)
}

func linearCases() []linearCase {
	var cases []linearCase
	add := func(c linearCase) { cases = append(cases, c) }
	baseline := func(fewest, most int) LinearParams {
		return LinearParams{Variant: "baseline", MinRows: fewest, MaxRows: most}
	}
	all := os.Getenv("QUIRE_ALL") != ""
	fewer := !gputest.First && !all // each kernel takes software adapters long to compile, and the first host has them all
	for _, t := range runningTypes() {
		k := map[int]int{1: 172, 32: 160, 64: 320, 256: 768}[t.BlockWeights()]
		least := max(t.BlockWeights(), 32)
		rare := !all && !t.Quantizes()
		if rare && fewer && !slices.Contains([]quant.Type{quant.Q3_K, quant.MXFP4, quant.IQ2_S, quant.IQ1_M, quant.TQ1_0}, t) {
			continue
		}
		if fewer {
			add(linearCase{typ: t, n: 77, k: k, m: 2, anyBits: true, LinearParams: baseline(0, 2)})
			if slices.Contains([]quant.Type{quant.F32, quant.Q5_1, quant.Q8_0, quant.Q4_K}, t) {
				add(linearCase{typ: t, n: 77, k: k, m: 70, LinearParams: baseline(70, 0)})
			}
			if t == quant.Q8_0 && runtime.GOOS != "js" {
				add(linearCase{typ: t, n: 77, k: k, m: 130, LinearParams: LinearParams{Variant: "tile128"}})
			}
			continue
		}
		add(linearCase{typ: t, n: 77, k: k, m: 3, anyBits: true, LinearParams: baseline(0, 4)})
		add(linearCase{typ: t, n: 77, k: k, m: 70, LinearParams: baseline(70, 0)})
		if rare {
			continue
		}
		add(linearCase{typ: t, n: 77, k: k, m: 1, LinearParams: baseline(0, 1)})
		add(linearCase{typ: t, n: 77, k: k, m: 5, LinearParams: baseline(0, 8)})
		add(linearCase{typ: t, n: 77, k: k, m: 130, LinearParams: LinearParams{Variant: "tile128"}})
		add(linearCase{typ: t, n: 77, k: k, m: 2, LinearParams: LinearParams{Variant: "subgroup", Norm: true, MaxRows: 2}})
		add(linearCase{typ: t, n: 20, k: least, m: 1, maxBinding: r8(t, least), LinearParams: baseline(0, 1)})
	}
	// few keeps of a case that has company only the kernels for one row and two, or for many.
	few := func(p *LinearParams, m int) {
		if p.MaxRows = 2; m > 2 {
			p.MinRows, p.MaxRows = m, 0
		}
	}
	for _, m := range []int{1, 2, 3, 7, 8, 9, 33, 65} {
		for i, p := range []LinearParams{
			{Norm: true, Gated: SiLU, Bias: true}, {Norm: true, Gated: GELU}, {Gather: true, Add: true}, {Norm: true, Gather: true}, {Add: true, Bias: true},
		} {
			c := linearCase{LinearParams: p, typ: quant.Q4_1, n: 66, k: 96, m: m}
			if p.Gather {
				c.tokens = m + 3
			}
			c.Variant = "baseline"
			if fewer && i > 0 {
				if few(&c.LinearParams, m); m > 2 && (m < 65 || i%2 > 0) {
					continue
				}
			}
			add(c)
			if m == 2 || m == 65 {
				c.Variant, c.Deterministic = "", true
				add(c)
			}
		}
	}
	for _, m := range []int{2, 65} {
		for i, p := range []LinearParams{
			{Bias: true, Activated: GELUErf}, {Activated: GELU, Norm: true}, {Bias: true, Scale: 0.22, Add: true}, {Scale: 1.5, Cap: 4}, {Activated: SiLU},
		} {
			p.Variant = "baseline"
			if fewer {
				if few(&p, m); m > 2 && i%2 == 0 {
					continue
				}
			}
			add(linearCase{LinearParams: p, typ: quant.Q4_1, n: 66, k: 96, m: m})
		}
	}
	most := 8
	if fewer {
		most = 2
	}
	add(linearCase{typ: quant.F32, n: 10, k: 8, m: 2, LinearParams: baseline(0, most)})
	add(linearCase{typ: quant.F32, n: 10, k: 8, m: 40, LinearParams: LinearParams{Deterministic: true}})
	add(linearCase{typ: quant.F16, n: 9, k: 7, m: min(3, most), LinearParams: baseline(0, most)})
	add(linearCase{typ: quant.BF16, n: 9, k: 33, m: min(3, most), LinearParams: baseline(0, most)})
	add(linearCase{typ: quant.Q4_1, n: 1, k: 32, m: 1, LinearParams: LinearParams{MaxRows: 1}})
	add(linearCase{typ: quant.Q8_0, n: 5, k: 4096, m: 2, LinearParams: baseline(0, most)})
	add(linearCase{typ: quant.Q4_0, n: 5, k: 4096, m: 8, LinearParams: baseline(0, 8)})
	add(linearCase{typ: quant.Q4_0, n: 20, k: 64, m: 70, maxBinding: r8(quant.Q4_0, 64), LinearParams: LinearParams{Gated: SiLU, Bias: true, Deterministic: true}})
	add(linearCase{typ: quant.Q4_0, n: 20, k: 64, m: 2, maxBinding: r8(quant.Q4_0, 64), LinearParams: LinearParams{Gated: SiLU, Bias: true, MaxRows: 2}})
	return cases
}
