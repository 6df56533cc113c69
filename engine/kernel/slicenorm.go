package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// SliceNormParams describe y = (y + x / sqrt(mean(x²) + Eps) · weight) · Scale for each slice of a row.
type SliceNormParams struct {
	Slices, Width int     // of a row, and floats of each
	Stride        int     // floats from one row to the next
	Eps           float32 // added to the mean of squares
	Scale         float32 // of the sum
	Variant       string  // "" to let the adapter decide, "baseline" or "subgroup"
}

// SliceNorm adds normalised slices of rows to others.
type SliceNorm struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
	params SliceNormParams
	each   int // slices a workgroup
}

// NewSliceNorm composes the kernel and starts to compile it.
func NewSliceNorm(dev *gpu.Device, p SliceNormParams) (*SliceNorm, error) {
	if p.Slices < 1 || p.Width < 1 || p.Stride < p.Slices*p.Width {
		return nil, fmt.Errorf("slice_norm: %w: %d slices of %d with stride %d", ErrMatrixShape, p.Slices, p.Width, p.Stride)
	}
	subgroup, err := normSubgroup(dev.Info(), p.Variant)
	if err != nil {
		return nil, fmt.Errorf("slice_norm: %w", err)
	}
	lanes := headLanes(headWorkgroup/2, p.Width, subgroup)
	s := Spec{
		File: "slice_norm", Variant: "baseline",
		Consts: []Const{
			{"SLICES", p.Slices}, {"WIDTH", p.Width}, {"STRIDE", p.Stride}, {"EPS", p.Eps}, {"SCALE", p.Scale},
			{"LANES", lanes}, {"EACH", ceilDiv(p.Width, lanes)}, {"WORKGROUP", headWorkgroup}, {"SUMS", 1},
		},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	}
	useReduce(&s, subgroup)
	m, err := Module(dev, s)
	if err != nil {
		return nil, err
	}
	return &SliceNorm{dev: dev, kernel: dev.Kernel(m), params: p, each: headWorkgroup / lanes}, nil
}

// Wait blocks until the kernel has compiled.
func (n *SliceNorm) Wait(ctx context.Context) error { return n.kernel.Wait(ctx) }

// Bind binds x and y [token][Stride], in two buffers, and the weights [Width].
func (n *SliceNorm) Bind(step, x, weight, y gpu.View) (*gpu.BindGroup, error) {
	return n.dev.Bind(n.kernel, step, x, weight, y)
}

// Record records the sums of the step's tokens.
func (n *SliceNorm) Record(rec *gpu.Recorder, b *gpu.BindGroup, tokens int) {
	x, y := Fold(ceilDiv(tokens*n.params.Slices, n.each))
	rec.Dispatch(n.kernel, b, x, y, 1)
}
