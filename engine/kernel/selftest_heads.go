package kernel

import "quire/engine/gpu"

// heads tests a way's kernel that has a tail of heads: q in its place, and what is in the caches of the matrix's last head.
func (w *linearTest) heads(way *way, k *gpu.Kernel) {
	p, h := &w.l.params, w.l.params.Heads.RopeStoreParams
	l := h.Layout
	matrix, err := w.weightsOf(p.Matrix.Type, p.Matrix.Rows, p.Matrix.Cols) // to the last row: k and v come behind q
	if err != nil {
		w.err = err
		return
	}
	// A copy of x, for the kernel may write to it.
	x := w.operand("rows", testRows, p.Matrix.Cols, p.XStride)
	y := w.fresh()
	blocks, stride := testSlot(testRows-1)/l.BlockSize+1, l.BlockWords()+l.Pad
	keys, values := w.operand("keys", blocks, stride, stride), w.operand("values", blocks, stride, stride)
	width := max(1, h.tableRow())
	c := ropeTest{p: h, table: w.operand("table", testRows, width, width)}
	piece := matrix.Pieces[0]
	operands := []operand{{view: piece.codes}, {view: piece.scales}, x, y, w.norm, c.table, keys, values}
	if h.Bias {
		c.bias = w.vector("head biases", (h.Heads+2*h.kvHeads())*l.HeadDim)
		operands = append(operands, c.bias)
	}
	b := w.bind(k, w.step, append(operands, w.more...)...)
	if b == nil {
		return
	}
	gx, gy, gz := way.groups(p, p.Matrix.Pieces[0], testRows)
	w.rec.Dispatch(k, b, gx, gy, gz)

	all, more := w.rows, w.more
	c.qkv = func(token, column int) float64 {
		row := column - p.YOffset
		sum := matrix.product(row, all()[token])
		if p.Adapters != nil {
			sum += rmsScale(p.Matrix.Cols, p.Eps, func(k int) float64 { return x.at(token, k) }) * p.Adapters.adapted(more[0], token, p.AdaptersAt+row)
		}
		return sum
	}
	first, last := p.YOffset/l.HeadDim, (p.YOffset+p.Matrix.Rows)/l.HeadDim-1
	if first < h.Heads {
		at := first * l.HeadDim
		w.expect(GroupProducts, y, at, l.HeadDim, func() func(row, column int) float64 {
			return func(row, column int) float64 { return c.query(row, at+column) }
		}, k)
	}
	if last >= h.Heads+h.kvHeads() {
		w.stored(k, values, last-h.Heads-h.kvHeads(), c.value)
	}
	if key := min(last, h.Heads+h.kvHeads()-1); key >= max(first, h.Heads) {
		w.stored(k, keys, key-h.Heads, c.key)
	}
}

// stored takes some words of what a cache has of a head.
func (w *linearTest) stored(k *gpu.Kernel, cache operand, head int, want func(token, head, at int) float64) {
	l := w.l.params.Heads.Layout
	stride, each := l.BlockWords()+l.Pad, ceilDiv(l.HeadDim, l.RowWords())
	n := min(testColumns/2, l.RowWords()/2)
	places := []int{0, l.RowWords() / 2} // of words
	for token := range testRows {
		slot := testSlot(token)
		row := slot/l.BlockSize*stride + (head*l.BlockSize+slot%l.BlockSize)*l.RowWords()
		for _, at := range places {
			w.Take(cache.buffer, row+at, n)
		}
	}
	w.check(check{kernels: []*gpu.Kernel{k}, group: GroupProducts, tolerance: rowTolerance, want: func() (all []float64) {
		for token := range testRows {
			for _, at := range places {
				for i := range n * each {
					all = append(all, want(token, head, at*each+i))
				}
			}
		}
		return all
	}, got: func(words []uint32, _ []float64) (all []float64) {
		few := l
		few.HeadDim = each
		for _, word := range words {
			all = append(all, few.numbers([]uint32{word})...)
		}
		return all
	}})
}
