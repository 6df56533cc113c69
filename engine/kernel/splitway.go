package kernel

import (
	"slices"

	"quire/engine/gpu"
)

// splitWay has workgroups sum parts of K where tiles alone would leave a large GPU idle; another kernel adds the parts up.
type splitWay struct {
	shape // tileWay, matrixWay, halvesWay or halvesTile
	parts int
}

// parted is a shape that says itself how K is cut, and for how many rows.
type parted interface {
	shape
	inParts(p *LinearParams, piece Piece, parts int) Spec
	mostRows() int
}

// mostSplit is the most rows that are multiplied so, and manyTiles as many tiles of 64 × 64 as fill a large GPU.
const (
	mostSplit = 192
	manyTiles = 250
)

// splits are the ways of a product that sum in parts.
func (a arithmetic) splits(p *LinearParams) (ways []splitWay) {
	if w, ok := a.halvesTiles(p); ok && w.parts > 1 {
		ways = append(ways, w)
	}
	if w := a.split(p); w.parts > 1 && !(a.named && a.halves) {
		ways = append(ways, w)
	}
	if w, ok := a.some(p); ok && w.parts > 1 {
		ways = append(ways, w)
	}
	return ways
}

// split is that of tiles, with as many parts as make enough tiles, but none of fewer than 256 columns; of one part where there is no need.
func (a arithmetic) split(p *LinearParams) splitWay {
	const columns = 256
	w := splitWay{tileWay{tile: matmulTile}, 1}
	if a.matrix {
		w.shape = matrixWay{2, 2, 2, 2, 4, int(a.subgroup), false, 0}
	}
	if !a.large || a.subgroup == 0 || a.packed || p.Norm || p.Deterministic {
		return w
	}
	for w.parts < 8 && w.parts*ceilDiv(p.Matrix.Rows, matmulTile) < manyTiles && 2*w.parts*columns <= p.Matrix.Cols {
		w.parts *= 2
	}
	return w
}

// takes so many rows that tiles are filled: one of f32 takes as long as a kernel for some rows does with 48.
func (w splitWay) takes(p *LinearParams, m int) bool {
	if own, ok := w.shape.(parted); ok {
		return own.takes(p, m) && m <= p.PartsRoom
	}
	if m <= 32 || m > min(mostSplit, p.PartsRoom) || ceilDiv(m, matmulTile)*ceilDiv(p.Matrix.Rows, matmulTile) >= manyTiles {
		return false
	}
	_, matrices := w.shape.(matrixWay)
	return matrices || 3*ceilDiv(m, matmulTile) < ceilDiv(m, 16)
}

// whole is what the parts are products of: none of what is done with sums.
func (w splitWay) whole(p *LinearParams) *LinearParams {
	return &LinearParams{Matrix: p.Matrix, XStride: p.XStride, YStride: RowStride(p.Matrix.Rows), MWord: p.MWord, Norm: p.Norm, Gather: p.Gather}
}

func (w splitWay) specs(p *LinearParams, piece Piece) ([]Spec, error) {
	if own, ok := w.shape.(parted); ok {
		s := own.inParts(w.whole(p), piece, w.parts)
		s.Shape += " in parts"
		return []Spec{s}, nil
	}
	var specs []Spec
	var err error
	if tile, ok := w.shape.(tileWay); ok {
		specs = []Spec{matmulSpec(w.whole(p), piece, tile, 0, p.Matrix.strips())}
	} else if specs, err = w.shape.specs(w.whole(p), piece); err != nil {
		return nil, err
	}
	for i := range specs {
		s := &specs[i]
		s.Slots["parts"], s.Shape, s.MaxTurns = "parts_some", s.Shape+" in parts", -1
		s.Consts = append(s.Consts, Const{"PART", ceilDiv(p.Matrix.strips(), w.parts) * strip / 4})
	}
	return specs, nil
}

func (w splitWay) groups(p *LinearParams, piece Piece, m int) (x, y, z uint32) {
	x, y, z = w.shape.groups(p, piece, m)
	return x, y, z * uint32(w.parts)
}

// most is the most rows that are multiplied so.
func (w splitWay) most() int {
	if own, ok := w.shape.(parted); ok {
		return own.mostRows()
	}
	return mostSplit
}

// words is the room that parts of so many rows take.
func (w splitWay) words(p *LinearParams, rows int) int {
	return w.parts * rows * RowStride(p.Matrix.Rows)
}

// sumWorkgroup is how many vec4s a workgroup of the kernel that adds up gives.
const sumWorkgroup = 64

// sumSpec specialises shaders/sum_parts.wgsl.
func (w splitWay) sumSpec(p *LinearParams) Spec {
	s := p.spec("sum_parts", Piece{Rows: p.Matrix.Rows}, false)
	delete(s.Slots, "dequant")
	delete(s.Slots, "table")
	unused := []string{"STRIPS", "X_STRIDE", "FIRST"}
	if p.Adapters != nil {
		unused = unused[:2]
		p.Adapters.adapt(&s, p.AdaptersAt)
	}
	s.Consts = slices.DeleteFunc(s.Consts, func(c Const) bool { return slices.Contains(unused, c.Name) })
	s.Consts = append(s.Consts, Const{"PARTS", w.parts}, Const{"WIDTH", RowStride(p.Matrix.Rows) / 4}, Const{"WORKGROUP", sumWorkgroup})
	return s
}

// split says whether a way's kernels sum in parts.
func (w *way) split() bool {
	_, yes := w.shape.(splitWay)
	return yes
}

// addSum composes the kernel that adds up, for a way that needs it, and starts to compile it.
func (l *Linear) addSum(of *way) error {
	w, yes := of.shape.(splitWay)
	if !yes || of.sum != nil {
		return nil
	}
	m, err := Module(l.dev, w.sumSpec(&l.params))
	if err != nil {
		return err
	}
	of.sum = l.dev.Kernel(m)
	return nil
}

// bindSum binds the i-th way's.
func (l *Linear) bindSum(b *LinearBind, i int) (err error) {
	v := b.views
	bias := v.Parts
	if l.params.Bias {
		bias = v.Bias
	}
	views := []gpu.View{v.Step, v.Parts, v.Parts, v.Parts, v.Y, bias}
	if l.params.Adapters != nil {
		views = append(views, v.Adapters)
	}
	b.sums[i], err = l.dev.Bind(l.ways[i].sum, views...)
	return err
}

func (p *LinearParams) sumGroups(m int) (x, y uint32) {
	return uint32(ceilDiv(p.Matrix.Rows, 4*sumWorkgroup)), uint32(m)
}

// PartsWords is the room that LinearViews.Parts needs where the product may be done in parts, for so many rows; 0 where it is not.
func (p *LinearParams) PartsWords(info gpu.AdapterInfo, rows int) int {
	a, err := arithmeticOf(p.Variant, info)
	if err != nil {
		return 0
	}
	most := 0
	for _, w := range a.splits(p) {
		most = max(most, w.words(p, min(rows, w.most())))
	}
	return most
}
