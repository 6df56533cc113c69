package kernel

import (
	"context"
	"fmt"
	"slices"

	"quire/engine/gpu"
)

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
	Stream    float32    // with Norm: how many times as large x is as where embeddings are taken as they are; 0: once
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

	// Heads, unless nil, is what becomes of the rows, where the kernels can: Record tells.
	Heads *HeadTail

	// MaxRows is the most rows that Record will be given; 0 for any. Kernels for more are not compiled.
	MaxRows int
	// MinRows is the fewest rows that Record will be given. Kernels for fewer are not compiled.
	MinRows int
	// Room is the most rows that LinearViews.Rounded holds; 0 without one.
	Room int
	// PartsRoom is the most rows that LinearViews.Parts holds parts of; 0 without it.
	PartsRoom int
	// Late has what others can do wait until there are rows for it, and for Complete.
	Late bool
	// Variant is "" to let the adapter decide, or one of LinearVariants.
	Variant string
	// MaxTurns bounds the turns of an invocation's loops; 0: MaxTurns.
	MaxTurns int
	// Row is the shape of one row's kernel, where it is not the adapter's choice and fits the product.
	Row *RowShape
	// Tiles are those of several rows, where they are not the adapter's choice and fit the product.
	Tiles TileNames
	// Deterministic takes the one-row baseline kernel for every row, so that a product does not depend on their number.
	Deterministic bool

	only     shape // the one way: for tests
	large    bool  // set by NewLinear: the adapter is a large GPU
	headRows int   // the most rows of kernels that do Heads; 0: 1
	apart    bool  // other products give more rows of q, k and v
}

// LinearViews are the buffers of a Linear. Norm is RMSNorm's weight, [Cols] padded with zeros to 32; Normed is scratch
// of x's shape ([rows][XStride]) that several Linears may share. Both are for Norm only, Bias ([Rows]) for Bias. Y may
// not share a buffer with another of them.
type LinearViews struct {
	Step, X, Y, Bias, Norm, Normed, Adapters gpu.View
	Rounded                                  gpu.View  // scratch of RoundedWords
	Parts                                    gpu.View  // scratch of PartsWords
	Heads                                    HeadViews // with LinearParams.Heads
}

// Linear is a matrix product with its kernels, in ways for few rows and for many.
type Linear struct {
	dev      *gpu.Device
	params   LinearParams
	subgroup uint32      // that the norm adds up in; 0: a workgroup
	norm     *RMSNorm    // for the ways that don't find the norm themselves
	round    *gpu.Kernel // for those that multiply integers
	ways     []*way
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
	if p.Heads != nil && !p.canStore(dev.Limits()) {
		p.Heads = nil
	}
	l := &Linear{dev: dev, params: p}
	if err := l.choose(dev.Info()); err != nil {
		return nil, err
	}
	if p.Norm && slices.ContainsFunc(l.ways, func(w *way) bool { return !w.norms() }) {
		var err error
		l.norm, err = NewRMSNorm(dev, RMSNormParams{
			K: p.Matrix.Cols, XStride: p.XStride, YStride: p.XStride, MWord: p.MWord, Eps: p.Eps, Gather: p.Gather, subgroup: l.subgroup, Variant: "baseline"})
		if err != nil {
			return nil, err
		}
	}
	if slices.ContainsFunc(l.ways, func(w *way) bool { return rounds(w.shape) }) {
		m, err := Module(dev, roundSpec(&p))
		if err != nil {
			return nil, err
		}
		l.round = dev.Kernel(m)
	}
	return l, l.add(func(w *way) bool { return !w.late })
}

// add composes ways and starts to compile them.
func (l *Linear) add(which func(*way) bool) error {
	for _, piece := range l.params.Matrix.Pieces {
		for _, w := range l.ways {
			if !which(w) {
				continue
			}
			if err := w.add(l.dev, &l.params, piece); err != nil {
				return err
			}
			if err := l.addSum(w); err != nil {
				return err
			}
		}
	}
	return nil
}

// Complete composes late ways, and waits until their kernels have compiled: that of so many rows, or where that is 0 those that there have
// been rows for. Take has them do their work. It tells whether there are any. One that cannot be made is given up.
func (l *Linear) Complete(ctx context.Context, rows int) (any bool) {
	var begun []*way
	for i, w := range l.ways {
		if !w.late || w.begun || rows == 0 && !w.wanted.Load() || rows > 0 && i != l.way(l.params.within(rows)) {
			continue
		}
		w.begun = true
		if err := l.add(func(other *way) bool { return other == w }); err != nil {
			l.giveUp(w)
			continue
		}
		begun = append(begun, w)
	}
	for _, w := range begun {
		for _, k := range l.kernelsOf(w) {
			if err := k.Wait(ctx); err != nil {
				l.giveUp(w)
				break
			}
		}
		any = any || !w.givenUp.Load()
	}
	return any
}

// within is a number of rows that Record may be given.
func (p *LinearParams) within(rows int) int {
	if p.MaxRows > 0 {
		rows = min(rows, p.MaxRows)
	}
	return max(rows, p.MinRows)
}

// Forget has the late ways wait for rows that are still to come.
func (l *Linear) Forget() {
	for _, w := range l.ways {
		w.wanted.Store(false)
	}
}

// Take takes the late ways that Complete has made and whose kernels are right, and gives the others up; it may run beside Record.
func (l *Linear) Take(right func(*gpu.Kernel) bool) {
	for _, w := range l.ways {
		switch {
		case !w.late || len(w.kernels) == 0 || w.taken.Load():
		case slices.ContainsFunc(l.kernelsOf(w), func(k *gpu.Kernel) bool { return !right(k) }):
			l.giveUp(w)
		default:
			w.taken.Store(true)
		}
	}
}

// giveUp has others do a late way's work for good: its kernels are neither waited for nor tested again.
func (l *Linear) giveUp(w *way) {
	w.givenUp.Store(true)
	w.kernels, w.sum = nil, nil
}

// kernelsOf lists what a way runs but for what rows go through before.
func (l *Linear) kernelsOf(w *way) []*gpu.Kernel {
	kernels := slices.Concat(w.kernels...)
	if w.sum != nil {
		kernels = append(kernels, w.sum)
	}
	return kernels
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

// Wait blocks until all kernels that there are have compiled.
func (l *Linear) Wait(ctx context.Context) error {
	for _, k := range l.Kernels() {
		if err := k.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Kernels lists the kernels that the product may run: before Complete without the late ones.
func (l *Linear) Kernels() []*gpu.Kernel {
	var all []*gpu.Kernel
	for _, w := range l.ways {
		all = append(all, l.kernelsOf(w)...)
	}
	if l.norm != nil {
		all = append(all, l.norm.kernel)
	}
	if l.round != nil {
		all = append(all, l.round)
	}
	return all
}
