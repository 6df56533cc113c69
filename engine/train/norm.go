package train

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// norm appends y = x / rms(x) · weight for each row, with the kernel that models run.
func (p *builder) norm(x matrix, weight gpu.View, y matrix, eps float32) {
	if p.Err() != nil {
		return
	}
	n, err := kernel.NewRMSNorm(p.Device(), kernel.RMSNormParams{K: x.columns, XStride: x.stride, YStride: y.stride, Eps: eps, Variant: "baseline"})
	if err != nil {
		p.Fail(err)
		return
	}
	rows := p.rows(x.rows)
	var group *gpu.BindGroup
	p.add(func() (err error) {
		group, err = n.Bind(rows, x.View, weight, y.View)
		return err
	}, func(rec *gpu.Recorder) { n.Record(rec, group, x.rows) })
}

// normRows is how many rows a workgroup of the backward pass takes, for all of n.
func normRows(n int) int { return max(4, (n+127)/128) }

// normBackward appends dx += the gradient by x and dweight = that by weight, from dy.
func (p *builder) normBackward(x matrix, weight gpu.View, dy, dx matrix, dweight gpu.View, eps float32) {
	workgroup := 256
	for workgroup > 32 && workgroup > x.columns/4 {
		workgroup /= 2
	}
	each := normRows(x.rows)
	groups := (x.rows + each - 1) / each
	parts := p.scratch(groups * x.columns)
	p.dispatch(kernel.Spec{
		File: "rmsnorm_backward",
		Consts: []kernel.Const{
			{Name: "K", Value: x.columns}, {Name: "ROWS", Value: x.rows}, {Name: "EACH", Value: each}, {Name: "EPS", Value: eps},
			{Name: "WORKGROUP", Value: workgroup}, {Name: "LANES", Value: workgroup}, {Name: "SUMS", Value: 2},
		},
		Slots:    map[string]string{"reduce": "reduce_workgroup"},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite},
	}, uint32(groups), 1, 1, x.View, weight, dy.View, dx.View, parts)
	p.columnSum(parts, groups, x.columns, dweight)
}
