package kernel

import (
	"context"
	"fmt"

	"quire/engine/gpu"
)

// RMSNormParams describe y = x / sqrt(mean(x²) + Eps) · weight for rows of K floats, or y += it.
type RMSNormParams struct {
	K                int
	XStride, YStride int // floats, multiples of 32
	MWord            int
	Eps              float32
	Gather           bool   // row m of x is the token of output m
	Add              bool   // y is added to
	Scaled           bool   // y is multiplied by a factor last
	Variant          string // "" to let the adapter decide, "baseline" or "subgroup"
	subgroup         uint32 // set by Linear in place of Variant
}

// RMSNorm normalises rows.
type RMSNorm struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
	params RMSNormParams
	each   int // rows a workgroup
}

// NewRMSNorm composes the kernel and starts to compile it.
func NewRMSNorm(dev *gpu.Device, p RMSNormParams) (*RMSNorm, error) {
	subgroup := p.subgroup
	if subgroup == 0 {
		var err error
		if subgroup, err = normSubgroup(dev.Info(), p.Variant); err != nil {
			return nil, fmt.Errorf("rmsnorm: %w", err)
		}
	}
	s, each, err := normSpec("rmsnorm", p.K, p.XStride, p.YStride, p.MWord, p.Eps, p.Gather, subgroup)
	if err != nil {
		return nil, err
	}
	s.Consts = append(s.Consts, Const{"ADD", p.Add})
	s.Bindings = []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite}
	s.Slots["factor"] = "factor_none"
	if p.Scaled {
		s.Slots["factor"] = "factor_one"
		s.Consts = append(s.Consts, Const{"FACTOR_BINDING", len(s.Bindings)})
		s.Bindings = append(s.Bindings, gpu.ReadOnly)
	}
	m, err := Module(dev, s)
	if err != nil {
		return nil, err
	}
	return &RMSNorm{dev: dev, kernel: dev.Kernel(m), params: p, each: each}, nil
}

// Wait blocks until the kernel has compiled.
func (n *RMSNorm) Wait(ctx context.Context) error { return n.kernel.Wait(ctx) }

// Bind binds x [rows][XStride], weight [K] padded to 32 with zeros, y [rows][YStride], in another buffer; and the factor with
// RMSNormParams.Scaled.
func (n *RMSNorm) Bind(step, x, weight, y gpu.View, factor ...gpu.View) (*gpu.BindGroup, error) {
	return n.dev.Bind(n.kernel, append([]gpu.View{step, x, weight, y}, factor...)...)
}

// Record records the norm of m rows.
func (n *RMSNorm) Record(rec *gpu.Recorder, b *gpu.BindGroup, m int) {
	x, y := Fold(ceilDiv(m, n.each))
	rec.Dispatch(n.kernel, b, x, y, 1)
}

// normSpec is what kernels that normalise rows share, and how many rows a workgroup takes.
func normSpec(file string, k, xStride, yStride, mWord int, eps float32, gather bool, subgroup uint32) (s Spec, each int, err error) {
	width := RowStride(k)
	if k < 1 || xStride%32 != 0 || yStride%32 != 0 || xStride < width || yStride < width {
		return s, 0, fmt.Errorf("%s: %w: rows of %d with strides %d and %d", file, ErrMatrixShape, k, xStride, yStride)
	}
	workgroup := 256
	for workgroup > 32 && workgroup > width/4 {
		workgroup /= 2
	}
	lanes := workgroup
	if subgroup != 0 {
		lanes = min(lanes, int(subgroup))
		workgroup = lanes
	}
	s = Spec{
		File: file, Variant: "baseline",
		Consts: []Const{
			{"K", k}, {"VECTORS", width / 4}, {"X_STRIDE", xStride}, {"Y_STRIDE", yStride}, {"M_WORD", mWord}, {"EPS", eps},
			{"GATHER", gather}, {"WORKGROUP", workgroup}, {"LANES", lanes}, {"SUMS", 1},
		},
	}
	useReduce(&s, subgroup)
	return s, workgroup / lanes, nil
}

// normSubgroup is the size of subgroups that a variant of a norm adds up in; 0 for none.
func normSubgroup(info gpu.AdapterInfo, variant string) (uint32, error) {
	size := subgroupSize(info)
	switch variant {
	case "":
		return size, nil
	case "baseline", "tile128":
		return 0, nil
	case "subgroup":
		if size == 0 {
			return 0, fmt.Errorf("variant subgroup: adapter %s has no subgroups of a known size", info.Name)
		}
		return size, nil
	}
	return 0, fmt.Errorf("unknown variant %q", variant)
}

// subgroupSize is over how many invocations kernels add up inside a subgroup at most, or 0 for none.
func subgroupSize(info gpu.AdapterInfo) uint32 { return min(uint32(info.SubgroupLanes()), 64) }

// useReduce chooses the sums' library: through subgroups where subgroup is not 0.
func useReduce(s *Spec, subgroup uint32) {
	if s.Slots == nil {
		s.Slots = map[string]string{}
	}
	s.Slots["reduce"] = "reduce_workgroup"
	if subgroup != 0 {
		s.Slots["reduce"] = "reduce_subgroup"
		s.Variant, s.Needs = "subgroup", gpu.FeatureSubgroups
	}
}
