package train

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// crossEntropy appends the loss of each row of logits at its target, and turns logits into the gradient by them of the
// rows' mean.
func (p *builder) crossEntropy(targets gpu.View, logits matrix, loss gpu.View) {
	workgroup := 256
	for workgroup > 32 && workgroup > logits.columns {
		workgroup /= 2
	}
	x, y := kernel.Fold(logits.rows)
	p.dispatch(kernel.Spec{
		File: "cross_entropy",
		Consts: []kernel.Const{
			{Name: "ROWS", Value: logits.rows}, {Name: "VOCABULARY", Value: logits.columns}, {Name: "STRIDE", Value: logits.stride},
			{Name: "WORKGROUP", Value: workgroup},
		},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite, gpu.ReadWrite},
	}, x, y, 1, targets, logits.View, loss)
}

// totalGroups is into how many parts a long sum is cut.
const totalGroups = 256

// total appends y[0] = Σ x[i], or Σ x[i]², over a view of a multiple of 16 bytes, always in the same order.
func (p *builder) total(x gpu.View, square bool, y gpu.View) {
	vectors := int(x.Size / 16)
	if vectors > 1024 {
		parts := p.scratch(totalGroups)
		p.sum(x, vectors, totalGroups, square, parts)
		x, vectors, square = parts, totalGroups/4, false
	}
	p.sum(x, vectors, 1, square, y)
}

func (p *builder) sum(x gpu.View, vectors, groups int, square bool, y gpu.View) {
	p.dispatch(kernel.Spec{
		File:     "total",
		Consts:   []kernel.Const{{Name: "SQUARE", Value: square}, {Name: "WORKGROUP", Value: 256}, {Name: "LANES", Value: 256}, {Name: "SUMS", Value: 1}},
		Slots:    map[string]string{"reduce": "reduce_workgroup"},
		Bindings: []gpu.Binding{gpu.Constant, gpu.ReadOnly, gpu.ReadWrite},
		Most:     []kernel.Const{{Name: "VECTORS_EACH", Value: (vectors + 256*groups - 1) / (256 * groups)}},
	}, uint32(groups), 1, 1, p.uniform(vectors, groups), x, y)
}
