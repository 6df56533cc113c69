package kernel

import (
	"context"
	"fmt"
	"slices"

	"quire/engine/gpu"
)

// LinearVariants are the names that LinearParams.Variant takes.
var LinearVariants = []string{"baseline", "subgroup", "tile128"}

// LinearParams describe y = W·x for the rows of a step, and what is fused with it. Strides and offsets are in floats;
// strides are multiples of 32.
type LinearParams struct {
	Matrix  *Matrix
	XStride int // at least Cols rounded up to 32; columns past Cols hold zeros
	YStride int
	YOffset int // the column of y where row 0 of W goes
	MWord   int // the step buffer's word with the number of rows: WordTokens or WordOutputs

	Norm      bool       // x goes through RMSNorm first
	Eps       float32    // RMSNorm's
	Bias      bool       // a vector of Rows is added to the product; with Gated the gates' biases come before the ups'
	Scale     float32    // factor of product and bias; 0: 1
	Activated Activation // of what comes out; "": none
	Cap       float32    // what comes out is bounded to ±Cap by tanh, instead of Activated; 0: none
	Add       bool       // y is added to
	Gated     Activation // rows 2i and 2i+1 of W are gate and up: y[i] = Gated(gate)·up; "" for rows of their own
	Gather    bool       // row m of x is the token of output m

	// Adapters, unless nil, is what LoRA adapters add to the product, before bias and all else; AdaptersAt is where the rows of W begin
	// among those of all matrices that they change together. The buffer is LinearViews.Adapters.
	Adapters   *LoRAParams
	AdaptersAt int

	// MaxRows is the most rows that Record will be given; 0 for any. Kernels for more are not compiled.
	MaxRows int
	// MinRows is the fewest rows that Record will be given. Kernels for fewer are not compiled.
	MinRows int
	// Late has kernels for few rows, where others can do their work, compile later.
	Late bool
	// Variant is "" to let the adapter decide, "baseline", "subgroup" or "tile128".
	Variant string
	// MaxTurns bounds the turns of an invocation's loops; 0: MaxTurns.
	MaxTurns int
	// Deterministic takes the one-row baseline kernel for every row, so that a product does not depend on their number.
	Deterministic bool
}

// LinearViews are the buffers of a Linear. Norm is RMSNorm's weight, [Cols] padded with zeros to 32; Normed is scratch
// of x's shape ([rows][XStride]) that several Linears may share. Both are for Norm only, Bias ([Rows]) for Bias. Y may
// not share a buffer with another of them.
type LinearViews struct{ Step, X, Y, Bias, Norm, Normed, Adapters gpu.View }

// matvecRows are the rows of x that a matrix × vector kernel may take.
var matvecRows = [...]int{1, 2, 4, 8}

// Linear is a matrix product with its kernels: matrix × vector for few rows, tiled for many.
type Linear struct {
	dev      *gpu.Device
	params   LinearParams
	subgroup uint32
	norm     *RMSNorm
	matvec   [len(matvecRows)][]*gpu.Kernel // a kernel a piece
	late     [len(matvecRows)]bool          // matvec kernels that the next can stand in for
	tiled    [][]*gpu.Kernel                // for each piece one a part of K
	wide     [][]*gpu.Kernel                // tile128, where it may be taken
}

// NewLinear composes the kernels of a matrix product and starts to compile them.
func NewLinear(dev *gpu.Device, p LinearParams) (*Linear, error) {
	if p.XStride%32 != 0 || p.YStride%32 != 0 || p.XStride < p.Matrix.strips()*strip {
		return nil, fmt.Errorf("linear: %w: strides %d and %d for %d columns", ErrMatrixShape, p.XStride, p.YStride, p.Matrix.Cols)
	}
	width := p.Matrix.Rows
	if p.Gated != "" {
		width /= 2
	}
	if p.YOffset < 0 || p.YOffset+width > p.YStride || p.Gated != "" && p.Matrix.Rows%2 != 0 {
		return nil, fmt.Errorf("linear: %w: %d columns from %d in rows of %d", ErrMatrixShape, width, p.YOffset, p.YStride)
	}
	l := &Linear{dev: dev, params: p}
	wide := false
	info := dev.Info()
	switch p.Variant {
	case "", "subgroup":
		if l.subgroup = subgroupSize(info); l.subgroup == 0 && p.Variant == "subgroup" {
			return nil, fmt.Errorf("linear: variant subgroup: adapter %s has no subgroups of a known size", info.Name)
		}
		wide = p.Variant == "" && info.Type == "discrete"
	case "tile128":
		wide = true
	case "baseline":
	default:
		return nil, fmt.Errorf("linear: unknown variant %q", p.Variant)
	}
	if p.Deterministic {
		l.subgroup, wide = 0, false
	}

	rows, tiled := matvecRows[:], p.MaxRows == 0 || p.MaxRows > matvecMost
	switch {
	case p.Deterministic:
		rows, tiled = rows[:1], false
	case p.Variant == "" && info.Type == "cpu" && info.Backend == "webgpu":
		// SwiftShader takes seconds to compile each large kernel, longer than they save.
		rows, tiled = rows[:3], false
	}
	if tiled && p.MinRows > matvecMost {
		rows = nil
	}
	if p.Norm && tiled {
		var err error
		l.norm, err = NewRMSNorm(dev, RMSNormParams{
			K: p.Matrix.Cols, XStride: p.XStride, YStride: p.XStride, MWord: p.MWord, Eps: p.Eps, Gather: p.Gather, subgroup: l.subgroup, Variant: "baseline"})
		if err != nil {
			return nil, err
		}
	}
	for _, piece := range p.Matrix.Pieces {
		for i, m := range rows {
			if i > 0 && p.MaxRows != 0 && p.MaxRows <= rows[i-1] {
				break
			}
			late := p.Late && i > 0 && i+1 < len(rows) && (p.MaxRows == 0 || p.MaxRows > m)
			if err := l.add(&l.matvec[i], matvecSpec(&p, piece, m, l.subgroup), late); err != nil {
				return nil, err
			}
			l.late[i] = late
		}
		if !tiled {
			continue
		}
		if err := l.addParts(&l.tiled, piece, matmulTile); err != nil {
			return nil, err
		}
		if wide {
			if err := l.addParts(&l.wide, piece, tile128); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

// addParts adds a tiled kernel for each part of K.
func (l *Linear) addParts(to *[][]*gpu.Kernel, piece Piece, tile int) error {
	specs, err := matmulParts(&l.params, piece, tile)
	if err != nil {
		return err
	}
	var kernels []*gpu.Kernel
	for _, s := range specs {
		if err := l.add(&kernels, s, false); err != nil {
			return err
		}
	}
	*to = append(*to, kernels)
	return nil
}

func (l *Linear) add(to *[]*gpu.Kernel, s Spec, late bool) error {
	m, err := Module(l.dev, s)
	if err != nil {
		return err
	}
	k := l.dev.Later(m)
	if !late {
		k = l.dev.Kernel(m)
	}
	*to = append(*to, k)
	return nil
}

// spec is what the matrix kernels share; copies are of the weights' table, in workgroup memory.
func (p *LinearParams) spec(file string, piece Piece, copies bool) Spec {
	offset := p.YOffset + piece.First
	if p.Gated != "" {
		offset = p.YOffset + piece.First/2
	}
	scale := p.Scale
	if scale == 0 {
		scale = 1
	}
	slots := weightSlots(p.Matrix.Type, copies)
	slots["activation"], slots["adapters"] = max(p.Gated, p.Activated).library(), "adapters_none"
	s := Spec{
		File: file, Shape: p.Matrix.shape(piece.Rows), Variant: "baseline",
		Consts: []Const{
			{"STRIPS", p.Matrix.strips()}, {"N", piece.Rows}, {"X_STRIDE", p.XStride}, {"Y_STRIDE", p.YStride}, {"Y_OFFSET", offset},
			{"M_WORD", p.MWord}, {"FIRST", piece.First},
			{"BIAS", p.Bias}, {"UPS", p.Matrix.Rows / 2}, {"SCALE", scale}, {"ADD", p.Add}, {"GATED", p.Gated != ""},
			{"ACTIVATED", p.Activated != "" || p.Cap > 0},
		},
		Slots:    slots,
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadOnly},
	}
	if p.Cap > 0 {
		s.Slots["activation"] = "activation_cap"
		s.Consts = append(s.Consts, Const{"CAP", p.Cap})
	}
	return s
}

// joined tells whether what comes out is no sum of what parts of K give.
func (p *LinearParams) joined() bool { return p.Gated != "" || p.Activated != "" || p.Cap > 0 }

// Wait blocks until all kernels have compiled but the late ones.
func (l *Linear) Wait(ctx context.Context) error {
	for _, k := range l.kernels(false) {
		if err := k.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Kernels lists the kernels that the product may run, for progress.
func (l *Linear) Kernels() []*gpu.Kernel { return l.kernels(true) }

func (l *Linear) kernels(late bool) []*gpu.Kernel {
	var all []*gpu.Kernel
	for i, k := range l.matvec {
		if late || !l.late[i] {
			all = append(all, k...)
		}
	}
	for _, parts := range slices.Concat(l.tiled, l.wide) {
		all = append(all, parts...)
	}
	if l.norm != nil {
		all = append(all, l.norm.kernel)
	}
	return all
}

// LinearBind is a Linear's buffers, bound.
type LinearBind struct {
	norm   *gpu.BindGroup
	matvec [len(matvecRows)][]*gpu.BindGroup
	views  [][]gpu.View // a piece's, for matvec kernels
	tiled  [][]*gpu.BindGroup
	wide   [][]*gpu.BindGroup
}

// Bind binds the product's buffers; it waits for kernels that still compile.
func (l *Linear) Bind(v LinearViews) (*LinearBind, error) {
	b := &LinearBind{}
	// What a product does without is bound to x, which it only reads too.
	bias, norm, x := v.X, v.X, v.X
	if l.params.Bias {
		bias = v.Bias
	}
	if l.params.Norm {
		norm, x = v.Norm, v.Normed
	}
	var adapters []gpu.View
	if l.params.Adapters != nil {
		adapters = []gpu.View{v.Adapters}
	}
	if l.norm != nil {
		g, err := l.norm.Bind(v.Step, v.X, v.Norm, v.Normed)
		if err != nil {
			return nil, err
		}
		b.norm = g
	}
	for p, piece := range l.params.Matrix.Pieces {
		views := append([]gpu.View{v.Step, piece.codes, piece.scales, v.X, v.Y, bias, norm}, adapters...)
		b.views = append(b.views, views)
		for i := range l.matvec {
			if len(l.matvec[i]) == 0 || l.late[i] {
				continue
			}
			g, err := l.dev.Bind(l.matvec[i][p], views...)
			if err != nil {
				return nil, err
			}
			b.matvec[i] = append(b.matvec[i], g)
		}
		if l.tiled == nil {
			continue
		}
		tiles := append([]gpu.View{v.Step, piece.codes, piece.scales, x, v.Y, bias}, adapters...)
		groups, err := l.bindParts(l.tiled[p], tiles...)
		if err != nil {
			return nil, err
		}
		b.tiled = append(b.tiled, groups)
		if l.wide != nil {
			groups, err := l.bindParts(l.wide[p], tiles...)
			if err != nil {
				return nil, err
			}
			b.wide = append(b.wide, groups)
		}
	}
	return b, nil
}

func (l *Linear) bindParts(parts []*gpu.Kernel, views ...gpu.View) ([]*gpu.BindGroup, error) {
	var groups []*gpu.BindGroup
	for _, k := range parts {
		g, err := l.dev.Bind(k, views...)
		if err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// matvecMost is the number of rows up to which matrix × vector kernels, eight rows at a time, beat tiles.
const matvecMost = 32

// wideGroups is the number of wide tiles from which they fill a large GPU.
const wideGroups = 120

// Many says whether m rows are multiplied by tiles.
func (l *Linear) Many(m int) bool { return l.tiled != nil && m > matvecMost }

// Record records y for m rows, the number that the step buffer's word MWord will hold.
func (l *Linear) Record(rec *gpu.Recorder, b *LinearBind, m int) {
	if m < 1 {
		return
	}
	if !l.Many(m) {
		l.recordMatvec(rec, b, m)
		return
	}
	if l.norm != nil {
		l.norm.Record(rec, b.norm, m)
	}
	l.recordTiled(rec, b, m)
}

func (l *Linear) recordMatvec(rec *gpu.Recorder, b *LinearBind, m int) {
	i := 0
	for i+1 < len(matvecRows) && len(l.matvec[i+1]) > 0 && matvecRows[i] < m {
		i++
	}
	for !l.has(b, i) {
		i++
	}
	z := uint32(ceilDiv(m, matvecRows[i]))
	for p, piece := range l.params.Matrix.Pieces {
		x, y := Fold(matvecGroups(&l.params, piece, matvecRows[i], l.subgroup))
		rec.Dispatch(l.matvec[i][p], b.matvec[i][p], x, y, z)
	}
}

// has says whether the i-th matvec kernels may be recorded, and binds late ones once they have compiled.
func (l *Linear) has(b *LinearBind, i int) bool {
	if !l.late[i] || len(b.matvec[i]) > 0 {
		return true
	}
	var groups []*gpu.BindGroup
	for p, k := range l.matvec[i] {
		if !k.Ready() {
			return false
		}
		g, err := l.dev.Bind(k, b.views[p]...)
		if err != nil {
			return false
		}
		groups = append(groups, g)
	}
	b.matvec[i] = groups
	return true
}

func (l *Linear) recordTiled(rec *gpu.Recorder, b *LinearBind, m int) {
	kernels, binds, tile := l.tiled, b.tiled, matmulTile
	if l.wide != nil && ceilDiv(m, tile128)*ceilDiv(l.params.Matrix.Rows, tile128) >= wideGroups {
		kernels, binds, tile = l.wide, b.wide, tile128
	}
	for p, piece := range l.params.Matrix.Pieces {
		for i, k := range kernels[p] {
			rec.Dispatch(k, binds[p][i], uint32(ceilDiv(piece.Rows, tile)), uint32(ceilDiv(m, tile)), 1)
		}
	}
}
