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
	Variant          string // "" to let the adapter decide, "baseline" or "subgroup"
	subgroup         uint32 // set by Linear in place of Variant
}

// RMSNorm normalises rows.
type RMSNorm struct {
	dev    *gpu.Device
	kernel *gpu.Kernel
	each   int // rows a workgroup
}

// NewRMSNorm composes the kernel and starts to compile it.
func NewRMSNorm(dev *gpu.Device, p RMSNormParams) (*RMSNorm, error) {
	width := RowStride(p.K)
	if p.K < 1 || p.XStride%32 != 0 || p.YStride%32 != 0 || p.XStride < width || p.YStride < width {
		return nil, fmt.Errorf("rmsnorm: %w: rows of %d with strides %d and %d", ErrMatrixShape, p.K, p.XStride, p.YStride)
	}
	subgroup := p.subgroup
	if subgroup == 0 {
		var err error
		if subgroup, err = normSubgroup(dev.Info(), p.Variant); err != nil {
			return nil, fmt.Errorf("rmsnorm: %w", err)
		}
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
	s := Spec{
		File: "rmsnorm", Variant: "baseline",
		Consts: []Const{
			{"K", p.K}, {"VECTORS", width / 4}, {"X_STRIDE", p.XStride}, {"Y_STRIDE", p.YStride}, {"M_WORD", p.MWord}, {"EPS", p.Eps},
			{"GATHER", p.Gather}, {"ADD", p.Add}, {"WORKGROUP", workgroup}, {"LANES", lanes}, {"SUMS", 1},
		},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	}
	useReduce(&s, subgroup)
	m, err := Module(dev, s)
	if err != nil {
		return nil, err
	}
	return &RMSNorm{dev: dev, kernel: dev.Kernel(m), each: workgroup / lanes}, nil
}

// Wait blocks until the kernel has compiled.
func (n *RMSNorm) Wait(ctx context.Context) error { return n.kernel.Wait(ctx) }

// Bind binds x [rows][XStride], weight [K] padded to 32 with zeros, y [rows][YStride], in another buffer.
func (n *RMSNorm) Bind(step, x, weight, y gpu.View) (*gpu.BindGroup, error) {
	return n.dev.Bind(n.kernel, step, x, weight, y)
}

// Record records the norm of m rows.
func (n *RMSNorm) Record(rec *gpu.Recorder, b *gpu.BindGroup, m int) {
	x, y := Fold(ceilDiv(m, n.each))
	rec.Dispatch(n.kernel, b, x, y, 1)
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
	if s.Use == nil {
		s.Use = map[string]string{}
	}
	s.Use["reduce"] = "reduce_workgroup"
	if subgroup != 0 {
		s.Use["reduce"] = "reduce_subgroup"
		s.Variant, s.Needs = "subgroup", gpu.FeatureSubgroups
	}
}
