package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// ExpertLinearParams describe a product by the experts that a router chose. Strides are in floats and multiples of 32.
type ExpertLinearParams struct {
	Router  *Router
	Matrix  *Matrix // of NewExpertMatrix
	XStride int
	YStride int

	// Sum adds a token's choices up by their weights: x has a row a choice, y a row a token. Without it, x has a row a token,
	// and y one a choice.
	Sum   bool
	Add   bool       // with Sum: y is added to
	Norm  bool       // x goes through RMSNorm first. Record takes x that has gone through it where it is given many tokens
	Eps   float32    // RMSNorm's
	Bias  bool       // an expert's row of a vector is added: [Experts][rows], with Gated all gates' before all ups'
	Gated Activation // rows 2i and 2i+1 of an expert are gate and up: y[i] = Gated(gate)·up
	Over  Activation // y holds gates: y[i] = Over(y[i])·row i

	Variant       string // as LinearParams.Variant
	Deterministic bool   // the products of many tokens take the kernel of few, so that they do not depend on their number
}

// ExpertLinear is a product by experts with its kernels: by each choice for few tokens, by the sorted choices for many.
type ExpertLinear struct {
	dev      *gpu.Device
	params   ExpertLinearParams
	subgroup uint32
	few      []*gpu.Kernel   // a kernel a piece
	many     [][]*gpu.Kernel // for each piece one a part of K
	sum      *gpu.Kernel     // adds up what many give
}

// ExpertLinearViews are the buffers of an ExpertLinear. Norm is RMSNorm's weight, Normed what Record's x of many tokens went through it
// to. Choices is scratch of y's width and a row a choice, where many are summed.
type ExpertLinearViews struct{ Step, Routing, Sorted, X, Y, Bias, Norm, Normed, Choices gpu.View }

// NewExpertLinear composes the kernels of a product by experts and starts to compile them.
func NewExpertLinear(dev *gpu.Device, p ExpertLinearParams) (*ExpertLinear, error) {
	m := p.Matrix
	width := m.Each
	if p.Gated != "" {
		width /= 2
	}
	switch {
	case m.Each == 0 || m.Rows/m.Each != p.Router.params.Experts:
		return nil, fmt.Errorf("experts: %w: %d rows, %d an expert, %d experts", ErrMatrixShape, m.Rows, m.Each, p.Router.params.Experts)
	case p.XStride%32 != 0 || p.YStride%32 != 0 || p.XStride < m.strips()*strip || p.YStride < width || p.Gated != "" && m.Each%2 != 0:
		return nil, fmt.Errorf("experts: %w: strides %d and %d for %d columns and %d rows", ErrMatrixShape, p.XStride, p.YStride, m.Cols, m.Each)
	}
	e := &ExpertLinear{dev: dev, params: p}
	switch p.Variant {
	case "", "subgroup":
		if e.subgroup = subgroupSize(dev.Info()); e.subgroup == 0 && p.Variant == "subgroup" {
			return nil, fmt.Errorf("experts: variant subgroup: adapter %s has no subgroups of a known size", dev.Info().Name)
		}
	case "baseline", "tile128":
	default:
		return nil, fmt.Errorf("experts: unknown variant %q", p.Variant)
	}
	if p.Deterministic {
		e.subgroup = 0
	}
	for _, piece := range m.Pieces {
		k, err := e.compile(e.fewSpec(piece))
		if err != nil {
			return nil, err
		}
		e.few = append(e.few, k)
		if p.Deterministic {
			continue
		}
		specs, err := tileParts(m, 0, p.Gated != "" || p.Over != "", func(begin, end int) Spec { return e.manySpec(piece, begin, end) })
		if err != nil {
			return nil, err
		}
		var parts []*gpu.Kernel
		for _, s := range specs {
			if k, err = e.compile(s); err != nil {
				return nil, err
			}
			parts = append(parts, k)
		}
		e.many = append(e.many, parts)
	}
	if p.Sum && !p.Deterministic {
		k, err := e.compile(Spec{
			File: "sum_choices", Variant: "baseline",
			Consts: []Const{{"VECTORS", RowStride(width) / 4}, {"X_STRIDE", p.YStride}, {"Y_STRIDE", p.YStride}, {"ADD", p.Add},
				{"USED", p.Router.params.Used}, {"M_WORD", WordTokens}},
			Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
		})
		if err != nil {
			return nil, err
		}
		e.sum = k
	}
	return e, nil
}

func (e *ExpertLinear) compile(s Spec) (*gpu.Kernel, error) {
	m, err := Module(e.dev, s)
	if err != nil {
		return nil, err
	}
	return e.dev.Kernel(m), nil
}

// rows are which rows of an expert a piece has: all, where it has whole experts.
func (m *Matrix) rows(p Piece) (begin, n int) { return p.First % m.Each, min(m.Each, p.Rows) }

// spec is what both kernels share; copies are of the weights' table, in workgroup memory.
func (e *ExpertLinear) spec(file string, piece Piece, copies bool) Spec {
	p := &e.params
	begin, n := p.Matrix.rows(piece)
	a := p.Gated
	if p.Over != "" {
		a = p.Over
	}
	slots := weightSlots(p.Matrix.Type, copies)
	slots["activation"] = a.library()
	return Spec{
		File: file, Shape: fmt.Sprintf("%d of %d %s", p.Router.params.Used, p.Router.params.Experts, p.Matrix.shape(n)), Variant: "baseline",
		Consts: []Const{
			{"STRIPS", p.Matrix.strips()}, {"EACH", p.Matrix.Each}, {"BEGIN", begin}, {"N", n}, {"FIRST", piece.First}, {"ROWS", piece.Rows},
			{"UPS", p.Matrix.Rows / 2}, {"X_STRIDE", p.XStride}, {"Y_STRIDE", p.YStride}, {"BIAS", p.Bias}, {"GATED", p.Gated != ""}, {"OVER", p.Over != ""},
		},
		Slots:    slots,
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadOnly, gpu.ReadOnly},
	}
}

// joined is how many choices one row of y adds up.
func (e *ExpertLinear) joined() int {
	if e.params.Sum {
		return e.params.Router.params.Used
	}
	return 1
}

func (e *ExpertLinear) shape() matvecShape {
	return matvecShapeOf(e.params.Matrix.strips()*e.joined(), e.params.Matrix.Each, 1, e.subgroup)
}

// fewSpec specialises shaders/expert_matvec.wgsl. What pieces after the first give of a sum is added to that of those before.
func (e *ExpertLinear) fewSpec(piece Piece) Spec {
	p, shape, subgroup := &e.params, e.shape(), e.subgroup
	if shape.lanes > int(subgroup) {
		subgroup = 0
	}
	sums := shape.tile
	if p.Norm {
		sums++
	}
	joined := 1
	if p.Sum {
		joined = p.Router.params.Used
	}
	s := e.spec("expert_matvec", piece, true)
	begin, _ := p.Matrix.rows(piece)
	s.Consts = append(s.Consts,
		Const{"USED", p.Router.params.Used}, Const{"M_WORD", WordTokens}, Const{"LANES", shape.lanes}, Const{"TILE", shape.tile},
		Const{"WORKGROUP", matvecWorkgroup}, Const{"SUMS", sums}, Const{"NORM", p.Norm}, Const{"EPS", p.Eps}, Const{"K", p.Matrix.Cols},
		Const{"SUM", p.Sum}, Const{"JOINED", joined}, Const{"ADD", p.Add || p.Sum && piece.First > begin})
	s.Bindings = append(s.Bindings, gpu.ReadOnly)
	useReduce(&s, subgroup)
	return s
}

// manySpec specialises shaders/matmul.wgsl for a part of K.
func (e *ExpertLinear) manySpec(piece Piece, begin, end int) Spec {
	p := &e.params
	each := p.Router.params.Used
	if p.Sum {
		each = 1
	}
	s := e.spec("matmul", piece, false)
	first, _ := p.Matrix.rows(piece)
	if p.Gated != "" {
		first /= 2
	}
	for i, c := range s.Consts {
		if c.Name == "BIAS" && begin > 0 {
			s.Consts[i].Value = false
		}
	}
	s.Slots["rows"], s.Slots["parts"], s.Slots["stored"], s.Slots["adapters"] = "rows_sorted", "parts_none", "stored_each", "adapters_none"
	s.Consts = append(s.Consts, Const{"ADD", begin > 0}, Const{"ADAPTS", false}, Const{"SCALE", float32(1)}, Const{"ACTIVATED", false}, Const{"Y_OFFSET", first}, Const{"ORDER", p.Router.params.orderWord()}, Const{"X_EACH", each})
	useTile(&s, p.Matrix, tileWay{tile: matmulTile}, begin, end)
	return s
}

// Wait blocks until all kernels have compiled.
func (e *ExpertLinear) Wait(ctx context.Context) error {
	for _, k := range e.Kernels() {
		if err := k.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Kernels lists the kernels that the product may run.
func (e *ExpertLinear) Kernels() []*gpu.Kernel {
	all := append([]*gpu.Kernel(nil), e.few...)
	for _, parts := range e.many {
		all = append(all, parts...)
	}
	if e.sum != nil {
		all = append(all, e.sum)
	}
	return all
}

// ExpertLinearBind is an ExpertLinear' buffers, bound.
type ExpertLinearBind struct {
	few  []*gpu.BindGroup
	many [][]*gpu.BindGroup
	sum  *gpu.BindGroup
}

// Bind binds the product's buffers; it waits for kernels that still compile.
func (e *ExpertLinear) Bind(v ExpertLinearViews) (*ExpertLinearBind, error) {
	b := &ExpertLinearBind{}
	// What a product does without is bound to x, which it only reads too.
	bias, norm, x, y := v.X, v.X, v.X, v.Y
	if e.params.Bias {
		bias = v.Bias
	}
	if e.params.Norm {
		norm, x = v.Norm, v.Normed
	}
	if e.params.Sum {
		y = v.Choices
	}
	for i, piece := range e.params.Matrix.Pieces {
		g, err := e.dev.Bind(e.few[i], v.Step, piece.codes, piece.scales, v.X, v.Y, bias, norm, v.Routing)
		if err != nil {
			return nil, err
		}
		b.few = append(b.few, g)
		if e.many == nil {
			continue
		}
		var parts []*gpu.BindGroup
		for _, k := range e.many[i] {
			g, err := e.dev.Bind(k, v.Step, piece.codes, piece.scales, x, y, bias, v.Sorted)
			if err != nil {
				return nil, err
			}
			parts = append(parts, g)
		}
		b.many = append(b.many, parts)
	}
	if e.sum != nil {
		g, err := e.dev.Bind(e.sum, v.Step, v.Routing, v.Choices, v.Y)
		if err != nil {
			return nil, err
		}
		b.sum = g
	}
	return b, nil
}

// Record records the product for a step's tokens; many says that their choices are sorted (Router.Many), which a
// deterministic product does without.
func (e *ExpertLinear) Record(rec *gpu.Recorder, b *ExpertLinearBind, tokens int, many bool) {
	p := &e.params
	choices := tokens * p.Router.params.Used
	if !many || e.many == nil {
		y, z := Fold(choices / e.joined())
		shape := e.shape()
		for i, piece := range p.Matrix.Pieces {
			_, n := p.Matrix.rows(piece)
			rec.Dispatch(e.few[i], b.few[i], uint32(ceilDiv(n, matvecWorkgroup/shape.lanes*shape.tile)), y, z)
		}
		return
	}
	for i, piece := range p.Matrix.Pieces {
		_, n := p.Matrix.rows(piece)
		for j, k := range e.many[i] {
			rec.Dispatch(k, b.many[i][j], uint32(ceilDiv(n, matmulTile)), uint32(p.Router.params.tiles(tokens)), 1)
		}
	}
	if e.sum != nil {
		rec.Dispatch(e.sum, b.sum, uint32(ceilDiv(RowStride(p.Matrix.Each)/4, 64)), uint32(tokens), 1)
	}
}
