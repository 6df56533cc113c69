package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// HeadNormParams describe the norm of q's and k's heads: x / sqrt(mean(x²) + Eps) · weight, each head for itself. Without KV
// heads there is q alone.
type HeadNormParams struct {
	Heads, KVHeads, HeadDim int
	Values                  ValueNorm
	Stride                  int // floats from one token's row of q, k and v to the next
	Eps                     float32
	Stacked                 bool   // each head has weights of its own
	Whole                   bool   // all heads of q are normalised as one, and all of k, with weights for all of their elements
	Centered                bool   // the mean is taken away first, as a LayerNorm does
	Bias                    bool   // a vector [(Heads + 2·KVHeads)·HeadDim] is added first, to v too
	Variant                 string // "" to let the adapter decide, "baseline" or "subgroup"
}

// ValueNorm is what is done to v's heads.
type ValueNorm int

// What may be done to v's heads.
const (
	ValuesAsTheyAre ValueNorm = iota
	ValuesNormed              // x / sqrt(mean(x²) + Eps)
	ValuesFromKeys            // likewise, of what k was: v has no matrix of its own
)

// HeadNorm normalises the heads of q and k in their place.
type HeadNorm struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
	params HeadNormParams
	all    int // heads of a token
	each   int // heads a workgroup
}

// NewHeadNorm composes the kernel and starts to compile it.
func NewHeadNorm(dev *gpu.Device, p HeadNormParams) (*HeadNorm, error) {
	if p.HeadDim < 1 || p.KVHeads < 0 || p.Heads < 1 || p.Stride < (p.Heads+2*p.KVHeads)*p.HeadDim {
		return nil, fmt.Errorf("head_norm: %w: %d and %d heads of %d with stride %d", ErrMatrixShape, p.Heads, p.KVHeads, p.HeadDim, p.Stride)
	}
	subgroup, err := normSubgroup(dev.Info(), p.Variant)
	if err != nil {
		return nil, fmt.Errorf("head_norm: %w", err)
	}
	dim, keyDim, heads, kvHeads := p.HeadDim, p.HeadDim, p.Heads, p.KVHeads
	most := headWorkgroup / 2
	if p.Whole {
		dim, keyDim, heads, kvHeads = p.Heads*p.HeadDim, p.KVHeads*p.HeadDim, 1, 1
		most = headWorkgroup
	}
	lanes := headLanes(most, dim, subgroup)
	normed := heads + kvHeads
	all := normed
	if (p.Bias || p.Values == ValuesNormed) && p.Values != ValuesFromKeys {
		all += kvHeads
	}
	s := Spec{
		File: "head_norm", Variant: "baseline",
		Consts: []Const{
			{"HEADS", heads}, {"NORMED", normed}, {"ALL", all}, {"HEAD_DIM", dim}, {"KEY_DIM", keyDim}, {"STRIDE", p.Stride}, {"EPS", p.Eps}, {"BIAS", p.Bias}, {"VALUES", int(p.Values)},
			{"STACKED", p.Stacked || p.Whole}, {"CENTERED", p.Centered}, {"LANES", lanes}, {"EACH", ceilDiv(dim, lanes)}, {"WORKGROUP", headWorkgroup}, {"SUMS", 1},
		},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite, gpu.ReadOnly, gpu.ReadOnly},
	}
	useReduce(&s, subgroup)
	m, err := Module(dev, s)
	if err != nil {
		return nil, err
	}
	return &HeadNorm{dev: dev, kernel: dev.Kernel(m), params: p, all: all, each: headWorkgroup / lanes}, nil
}

// headWorkgroup is how many invocations normalise heads together.
const headWorkgroup = 64

// headLanes is how many of them, at most, share a head.
func headLanes(most, dim int, subgroup uint32) int {
	lanes := most
	for lanes > 1 && lanes > dim {
		lanes /= 2
	}
	if subgroup != 0 {
		lanes = min(lanes, int(subgroup))
	}
	return lanes
}

// Wait blocks until the kernel has compiled.
func (n *HeadNorm) Wait(ctx context.Context) error { return n.kernel.Wait(ctx) }

// Bind binds the step buffer, qkv [token][Stride], and the weights: a head of q, then one of k, or all of them
// with HeadNormParams.Stacked and Whole; bias with HeadNormParams.Bias.
func (n *HeadNorm) Bind(step, qkv, weight, bias gpu.View) (*gpu.BindGroup, error) {
	if !n.params.Bias {
		bias = weight
	}
	return n.dev.Bind(n.kernel, step, qkv, weight, bias)
}

// Record records the norms of the step's tokens.
func (n *HeadNorm) Record(rec *gpu.Recorder, b *gpu.BindGroup, tokens int) {
	x, y := Fold(ceilDiv(tokens*n.all, n.each))
	rec.Dispatch(n.kernel, b, x, y, 1)
}
