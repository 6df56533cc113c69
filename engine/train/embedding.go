package train

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// embed appends y[t] = w[tokens[t]].
func (p *builder) embed(tokens gpu.View, w, y matrix) {
	vectors := y.columns / 4
	p.each(y.rows*vectors, kernel.Spec{
		File: "gather_rows", Consts: []kernel.Const{{Name: "ROWS", Value: y.rows}, {Name: "VECTORS", Value: vectors}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
	}, tokens, w.View, y.View)
}

// embedBackward appends the gradient by w: each row of dw becomes the sum of the rows of dy that belong to its token, or
// grows by it. starts and order list those rows (see Batch).
func (p *builder) embedBackward(starts, order gpu.View, dy, dw matrix, add bool) {
	vectors := dy.columns / 4
	p.dispatch(kernel.Spec{
		File: "scatter_rows", Consts: []kernel.Const{{Name: "VECTORS", Value: vectors}, {Name: "ADD", Value: add}},
		Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadOnly, gpu.ReadOnly, gpu.ReadWrite},
		Most:     []kernel.Const{{Name: "ROWS_OF_AN_ID", Value: dy.rows}},
	}, uint32((vectors+31)/32), uint32(dw.rows), 1, starts, order, dy.View, dw.View)
}
