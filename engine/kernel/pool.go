package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// PoolParams describe y[p] = Σ x[t] over the tokens of a step's pooled rows.
type PoolParams struct {
	K                int
	XStride, YStride int // floats, multiples of 32
	MaxTokens        int // of one pooled row
}

// Pool adds up rows of a step's tokens.
type Pool struct {
	dev     *gpu.Device
	kernel  *gpu.Kernel
	params  PoolParams
	columns int // workgroups a row
}

// NewPool composes the kernel and starts to compile it.
func NewPool(dev *gpu.Device, p PoolParams) (*Pool, error) {
	width := RowStride(p.K)
	if p.K < 1 || p.XStride%32 != 0 || p.YStride%32 != 0 || p.XStride < width || p.YStride < width {
		return nil, fmt.Errorf("pool: %w: rows of %d with strides %d and %d", ErrMatrixShape, p.K, p.XStride, p.YStride)
	}
	m, err := Module(dev, Spec{
		File: "pool", Variant: "baseline",
		Consts:   []Const{{"VECTORS", width / 4}, {"X_STRIDE", p.XStride}, {"Y_STRIDE", p.YStride}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
		Most:     []Const{{"POOLED", p.MaxTokens}},
	})
	if err != nil {
		return nil, err
	}
	return &Pool{dev: dev, kernel: dev.Kernel(m), params: p, columns: ceilDiv(width/4, 64)}, nil
}

// Wait blocks until the kernel has compiled.
func (k *Pool) Wait(ctx context.Context) error { return k.kernel.Wait(ctx) }

// Bind binds x [token][XStride] and y [pooled row][YStride], in another buffer.
func (k *Pool) Bind(step, x, y gpu.View) (*gpu.BindGroup, error) {
	return k.dev.Bind(k.kernel, step, x, y)
}

// Record records so many pooled rows, at most MaxWorkgroups.
func (k *Pool) Record(rec *gpu.Recorder, b *gpu.BindGroup, pools int) {
	if pools > 0 {
		rec.Dispatch(k.kernel, b, uint32(k.columns), uint32(pools), 1)
	}
}
