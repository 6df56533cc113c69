package kernel

import (
	"math"
	"slices"
	"sync"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// weightsKey tells weights apart, inputsKey rows of x.
type (
	weightsKey struct {
		t          quant.Type
		rows, cols int
	}
	inputsKey struct {
		k, stride int
		norm      bool
		eps       float32
	}
)

// testWeights are rows of weights, and what Go knows of them.
type testWeights struct {
	*Matrix
	blocks *templates
	mu     sync.Mutex
	known  map[int][]float64
}

// row gives a row as numbers.
func (w *testWeights) row(n int) []float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	row, ok := w.known[n]
	if !ok {
		row = make([]float64, w.Cols)
		for k := range row {
			row[k] = w.blocks.weight(n*w.Cols + k)
		}
		w.known[n] = row
	}
	return row
}

// product is a row of the weights times x.
func (w *testWeights) product(row int, x []float64) float64 {
	y := 0.0
	for k, f := range w.row(row) {
		y += f * x[k]
	}
	return y
}

// saltWeights tells weights from other patterns.
const saltWeights = 5

// weightsOf makes rows of weights.
func (t *SelfTest) weightsOf(typ quant.Type, rows, cols int) (*testWeights, error) {
	key := weightsKey{typ, rows, cols}
	if w, ok := t.weights[key]; ok {
		return w, nil
	}
	blocks, err := newTemplates(typ, saltWeights)
	if err != nil {
		return nil, err
	}
	w := &testWeights{blocks: blocks, known: map[int][]float64{}}
	if w.Matrix, err = NewMatrix(t.dev, "self-test matrix", typ, rows, cols, 0); err != nil {
		return nil, err
	}
	for _, p := range w.Pieces {
		t.owned = append(t.owned, p.Buffer)
	}
	from, err := t.Buffer("blocks", ceilDiv(len(blocks.raw), 4))
	if err != nil {
		return nil, err
	}
	if err := from.Upload(0, append(blocks.raw, make([]byte, -len(blocks.raw)&3)...)); err != nil {
		return nil, err
	}
	words := ceilDiv(rows*int(typ.RowBytes(uint64(cols))), 4)
	staging, err := t.Buffer("staging", words)
	if err != nil {
		return nil, err
	}
	var rec gpu.Recorder
	if err := t.filler.record(&rec, staging, words, blocks.Pattern, from); err != nil {
		return nil, err
	}
	if err := t.filler.upload(); err != nil {
		return nil, err
	}
	if err := t.dev.Submit(&rec); err != nil {
		return nil, err
	}
	t.weights[key] = w
	return w, t.repack.Run(w.Matrix, staging.All(), 0, rows, RowMap{Stride: 1})
}

// multiplied gives x's rows of K numbers as they are multiplied: with a norm's weights through an RMSNorm first. It is computed
// when it is first asked for.
func (t *SelfTest) multiplied(x operand, k int, norm operand, eps float32) func() [][]float64 {
	key := inputsKey{k, x.stride, norm.buffer != nil, eps}
	rows, ok := t.inputs[key]
	if !ok {
		rows = sync.OnceValue(func() [][]float64 {
			all := make([][]float64, testRows)
			for m := range all {
				row := make([]float64, k)
				for i := range row {
					row[i] = x.at(m, i)
				}
				if key.norm {
					scale := rmsScale(k, eps, func(i int) float64 { return row[i] })
					for i := range row {
						row[i] *= scale * norm.at(0, i)
					}
				}
				all[m] = row
			}
			return all
		})
		t.inputs[key] = rows
	}
	return rows
}

// linearTest is a product's test: of testRows rows of x and, of every piece of the matrix, the first testColumns outputs. Its
// weights are the first rows of a matrix of the same width, as many as the widest tile takes.
type linearTest struct {
	*SelfTest
	l             *Linear
	matrix        *testWeights
	x, bias, norm operand
	more          []operand // what adapters add
	step          gpu.View
	rows          func() [][]float64 // x as it is multiplied
}

// SelfTest adds the product's kernels to a test.
func (l *Linear) SelfTest(t *SelfTest) error {
	if !t.Needs(l.Kernels()...) {
		return nil
	}
	p := &l.params
	w := &linearTest{SelfTest: t, l: l, x: t.operand("rows", testRows, p.Matrix.Cols, p.XStride), step: t.step}
	if p.Adapters != nil {
		words := p.Adapters.BWords(testRows)
		w.step, w.more = t.adapterStep(p.Adapters.Rank), []operand{t.operand("adapters", 1, words, words)}
	}
	if p.Bias {
		w.bias = t.vector("biases", p.Matrix.Rows)
	}
	if p.Norm {
		w.norm = t.vector("norm", p.Matrix.Cols)
	}
	w.rows = t.multiplied(w.x, p.Matrix.Cols, w.norm, p.Eps)
	if t.err == nil {
		w.matrix, t.err = t.weightsOf(p.Matrix.Type, min(tile128, p.Matrix.Rows), p.Matrix.Cols)
	}
	for i := range p.Matrix.Pieces {
		w.piece(i)
	}
	return t.err
}

// piece tests the kernels of a piece of the matrix.
func (w *linearTest) piece(i int) {
	if w.err != nil {
		return
	}
	l := w.l
	x, bias := w.x, w.x
	if l.params.Bias {
		bias = w.bias
	}
	var many []*gpu.Kernel
	for _, way := range l.ways {
		if !way.norms() && len(way.kernels) > 0 {
			many = append(many, way.kernels[i]...)
		}
	}
	if l.norm != nil && w.Needs(append(many, l.norm.kernel)...) {
		normed := w.operand("normed rows", testRows, l.params.XStride, l.params.XStride)
		if b := w.bind(l.norm.kernel, w.step, x, w.norm, normed); b != nil {
			l.norm.Record(&w.rec, b, testRows)
			if x = normed; w.Needs(l.norm.kernel) {
				rows := w.rows
				w.expect(GroupProducts, normed, 0, l.params.Matrix.Cols, func() func(row, column int) float64 {
					all := rows()
					return func(row, column int) float64 { return all[testSource(row, l.params.Gather)][column] }
				}, l.norm.kernel)
			}
		}
	}
	var rounded operand
	if l.round != nil && w.Needs(append(many, l.round)...) {
		if rounded.buffer, w.err = w.Buffer("rounded rows", RoundedWords(l.params.Matrix.Cols, l.params.Room)); w.err == nil {
			rounded.view = rounded.buffer.All()
		}
		if b := w.bind(l.round, w.step, x, rounded); b != nil {
			gx, gy := l.params.rounds(testRows)
			w.rec.Dispatch(l.round, b, gx, gy, 1)
		}
	}
	few := Piece{Rows: min(2*testColumns, l.params.Matrix.Pieces[i].Rows)}
	for _, way := range l.ways {
		if len(way.kernels) == 0 {
			continue
		}
		test := way.kernels[i]
		if way.split() { // products that differ only in what the sum does have one kernel for the parts
			test = append(slices.Clone(test), way.sum)
		}
		if !w.Needs(test...) {
			continue
		}
		if way.stores(&l.params) {
			w.heads(way, way.kernels[i][0])
			continue
		}
		y := w.fresh()
		operands := []operand{{view: w.matrix.Pieces[0].codes}, {view: w.matrix.Pieces[0].scales}, x, y, bias}
		if way.norms() {
			norm := w.x
			if l.params.Norm {
				norm = w.norm
			}
			operands[2] = w.x
			operands = append(operands, norm)
		}
		kernels, tolerance := way.kernels[i], rowTolerance
		var parts operand
		if split, ok := way.shape.(splitWay); ok {
			if parts.buffer, w.err = w.Buffer("parts", split.words(&l.params, testRows)); w.err != nil {
				return
			}
			parts.view = parts.buffer.All()
			operands[3], kernels = parts, append(slices.Clone(kernels), way.sum)
		}
		if rounds(way.shape) {
			operands[2], kernels, tolerance = rounded, append(slices.Clone(kernels), l.round), roundedTolerance
		}
		gx, gy, gz := way.groups(&l.params, few, testRows)
		more := w.more
		if way.split() {
			more = nil
		}
		for _, k := range way.kernels[i] {
			if b := w.bind(k, w.step, append(operands, more...)...); b != nil {
				w.rec.Dispatch(k, b, gx, gy, gz)
			}
		}
		if way.split() {
			if b := w.bind(way.sum, w.step, append([]operand{parts, parts, parts, y, bias}, w.more...)...); b != nil {
				gx, gy := l.params.sumGroups(testRows)
				w.rec.Dispatch(way.sum, b, gx, gy, 1)
			}
		}
		w.outputs(i, y, way.norms(), tolerance, kernels...)
	}
}

// roundedTolerance is far above what rounding x to 8 bits makes of an output, and far below garbage.
const roundedTolerance = 3e-2

// fresh gives outputs that hold what products may add to.
func (w *linearTest) fresh() operand {
	return w.operand("outputs", testRows, w.l.params.YStride, w.l.params.YStride)
}

// outputs takes a piece's outputs from y, of kernels for few rows or for many.
func (w *linearTest) outputs(i int, y operand, few bool, tolerance float64, kernels ...*gpu.Kernel) {
	if w.err != nil {
		return
	}
	p, piece := &w.l.params, w.l.params.Matrix.Pieces[i]
	// The first of the columns, and how many are compared.
	first, n := p.YOffset+piece.First, min(testColumns, piece.Rows)
	if p.Gated != "" {
		first, n = p.YOffset+piece.First/2, min(testColumns, piece.Rows/2)
	}
	for m := range testRows {
		w.Take(y.buffer, m*p.YStride+first, n)
	}
	rows, matrix, bias, x, more := w.rows, w.matrix, w.bias, w.x, w.more
	w.Check(GroupProducts, func() (want []float64) {
		all := rows()
		for m := range testRows {
			source := testSource(m, p.Gather)
			root := 1.0 // of what adapters add, which kernels for many rows are given with it
			if few && p.Norm && p.Adapters != nil {
				root = rmsScale(p.Matrix.Cols, p.Eps, func(k int) float64 { return x.at(source, k) })
			}
			product := func(row, place int) float64 {
				y := matrix.product(row, all[source])
				if p.Adapters != nil {
					y += root * p.Adapters.adapted(more[0], m, p.AdaptersAt+piece.First+row)
				}
				if p.Bias {
					y += bias.at(0, place)
				}
				if p.Scale != 0 {
					y *= float64(p.Scale)
				}
				return y
			}
			for i := range n {
				var v float64
				if p.Gated != "" {
					v = p.Gated.gated(product(2*i, piece.First/2+i), product(2*i+1, p.Matrix.Rows/2+piece.First/2+i))
				} else if v = product(i, piece.First+i); p.Cap > 0 {
					v = float64(p.Cap) * math.Tanh(v/float64(p.Cap))
				} else {
					v = p.Activated.of(v)
				}
				if p.Add {
					v += y.at(m, first+i)
				}
				want = append(want, v)
			}
		}
		return want
	}, tolerance, kernels...)
}

// SelfTest adds the kernels to a test: rows of the first few of each piece.
func (e *Embed) SelfTest(t *SelfTest) error {
	if !t.Needs(e.kernels...) {
		return nil
	}
	p := e.params
	for i, piece := range p.Matrix.Pieces {
		if t.err != nil {
			return t.err
		}
		matrix, err := t.weightsOf(p.Matrix.Type, min(2*testColumns, p.Matrix.Rows), p.Matrix.Cols)
		if err != nil {
			return err
		}
		s := testStep()
		row := func(m int) int { return min(testToken(m), piece.Rows-1) }
		for m := range s.Tokens {
			s.Tokens[m], s.Positions[m] = uint32(piece.First+row(m)), uint32(piece.First+row(m))
		}
		step, err := t.Step(s)
		if err != nil {
			return err
		}
		x := t.operand("outputs", testRows, p.XStride, p.XStride)
		lanes := t.operand("norm", 1, testRows, testRows)
		b := t.bind(e.kernels[i], step, operand{view: matrix.Pieces[0].codes}, operand{view: matrix.Pieces[0].scales}, lanes, x)
		if b == nil {
			return t.err
		}
		t.rec.Dispatch(e.kernels[i], b, uint32(ceilDiv(p.Matrix.strips()*4, 64)), testRows, 1)
		t.expect(GroupRows, x, 0, p.Matrix.Cols, func() func(m, column int) float64 {
			return func(m, column int) float64 {
				v := matrix.row(row(m))[column] * float64(p.Scale)
				if p.Positions {
					v += x.at(m, column)
				}
				return v
			}
		}, e.kernels[i])
	}
	return t.err
}
