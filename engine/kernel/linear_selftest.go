package kernel

import (
	"math"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// Groups of kernels that fall back together.
const (
	GroupProducts  = "products"
	GroupAttention = "attention"
)

// A product's test is of testRows rows of x and, of every piece of the matrix, the first testColumns outputs. Its weights are the
// first rows of a matrix of the same width, as many as the widest tile takes.
const (
	testRows    = 8
	testColumns = 8
)

// What the test's patterns are told apart by.
const (
	saltX = 1 + iota
	saltY
	saltBias
	saltNorm
	saltWeights
)

// linearTest is a product's test.
type linearTest struct {
	*SelfTest
	l                   *Linear
	matrix              *testWeights
	x, y, bias, norm    Pattern
	xs, ys, normed      *gpu.Buffer
	step, biases, norms gpu.View
	normRows            [][]float64 // x as it is multiplied
}

// SelfTest adds the product's kernels, which have compiled, to a test. repack fills its weights.
func (l *Linear) SelfTest(t *SelfTest, repack *Repacker) error {
	if !t.Needs(l.Kernels()...) {
		return nil
	}
	p := &l.params
	w := &linearTest{SelfTest: t, l: l, x: Rows(p.Matrix.Cols, p.XStride, saltX), y: Rows(p.YStride, p.YStride, saltY), bias: Rows(p.Matrix.Rows, p.Matrix.Rows, saltBias),
		norm: Rows(p.Matrix.Cols, RowStride(p.Matrix.Cols), saltNorm)}
	if err := w.prepare(repack); err != nil {
		return err
	}
	for i := range p.Matrix.Pieces {
		if err := w.piece(i); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes the operands.
func (w *linearTest) prepare(repack *Repacker) (err error) {
	p := &w.l.params
	s := StepData{Tokens: make([]uint32, testRows), Pools: make([]PoolItem, testRows)}
	for i := range testRows {
		s.Outputs = append(s.Outputs, Output{Token: uint32(w.source(i))})
	}
	if w.step, err = w.Step(&s); err != nil {
		return err
	}
	if w.xs, err = w.Filled("rows", testRows*p.XStride, w.x); err != nil {
		return err
	}
	if w.normed, err = w.Buffer("normed rows", testRows*p.XStride); err != nil {
		return err
	}
	if w.ys, err = w.Buffer("outputs", testRows*p.YStride); err != nil {
		return err
	}
	biases, err := w.Filled("biases", p.Matrix.Rows, w.bias)
	if err != nil {
		return err
	}
	norms, err := w.Filled("norm", RowStride(p.Matrix.Cols), w.norm)
	if err != nil {
		return err
	}
	w.biases, w.norms = biases.All(), norms.All()
	w.normRows = w.rows()
	w.matrix, err = w.weightsOf(repack, p.Matrix.Type, min(tile128, p.Matrix.Rows), p.Matrix.Cols)
	return err
}

// source is the row of x that row m of y is made of.
func (w *linearTest) source(m int) int {
	if w.l.params.Gather {
		return testRows - 1 - m
	}
	return m
}

// inputsKey tells x's rows apart, weightsKey weights.
type (
	inputsKey struct {
		k, stride    int
		norm, gather bool
		eps          float32
	}
	weightsKey struct {
		t          quant.Type
		rows, cols int
	}
)

// rows computes x's rows as they are multiplied.
func (w *linearTest) rows() [][]float64 {
	p := &w.l.params
	key := inputsKey{p.Matrix.Cols, p.XStride, p.Norm, p.Gather, p.Eps}
	if rows, ok := w.inputs[key]; ok {
		return rows
	}
	rows := make([][]float64, testRows)
	for m := range rows {
		row := make([]float64, p.Matrix.Cols)
		squares := 0.0
		for k := range row {
			row[k] = w.x.Number(w.source(m)*p.XStride+k, 0)
			squares += row[k] * row[k]
		}
		if p.Norm {
			scale := 1 / math.Sqrt(squares/float64(len(row))+float64(p.Eps))
			for k := range row {
				row[k] *= w.norm.Number(k, 0) * scale
			}
		}
		rows[m] = row
	}
	w.inputs[key] = rows
	return rows
}

// testWeights are rows of weights, and as numbers the first of them.
type testWeights struct {
	*Matrix
	numbers [][]float64
}

// weightsOf makes rows of weights.
func (t *SelfTest) weightsOf(repack *Repacker, typ quant.Type, rows, cols int) (*testWeights, error) {
	key := weightsKey{typ, rows, cols}
	if w, ok := t.weights[key]; ok {
		return w, nil
	}
	blocks, err := newTemplates(typ, saltWeights)
	if err != nil {
		return nil, err
	}
	w := &testWeights{}
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
	if err := t.dev.Submit(&rec); err != nil {
		return nil, err
	}
	for n := range min(2*testColumns, rows) {
		row := make([]float64, cols)
		for k := range row {
			row[k] = blocks.weight(n*cols + k)
		}
		w.numbers = append(w.numbers, row)
	}
	t.weights[key] = w
	return w, repack.Run(w.Matrix, staging.All(), 0, rows, RowMap{Stride: 1})
}

// piece tests the kernels of a piece of the matrix.
func (w *linearTest) piece(i int) error {
	l := w.l
	want := w.want(l.params.Matrix.Pieces[i])
	codes, scales := w.matrix.Pieces[0].codes, w.matrix.Pieces[0].scales
	bias, norm, x := w.xs.All(), w.xs.All(), w.xs.All()
	if l.params.Bias {
		bias = w.biases
	}
	if l.params.Norm {
		norm = w.norms
	}
	for j := range l.matvec {
		if len(l.matvec[j]) == 0 || !w.Needs(l.matvec[j][i]) {
			continue
		}
		k := l.matvec[j][i]
		b, err := w.dev.Bind(k, w.step, codes, scales, x, w.ys.All(), bias, norm)
		if err != nil {
			return err
		}
		few := Piece{Rows: min(2*testColumns, l.params.Matrix.Pieces[i].Rows)}
		err = w.run(i, want, []*gpu.Kernel{k}, func(rec *gpu.Recorder) {
			rec.Dispatch(k, b, uint32(matvecGroups(&l.params, few, matvecRows[j], l.subgroup)), 1, uint32(testRows/matvecRows[j]))
		})
		if err != nil {
			return err
		}
	}
	if l.norm != nil {
		b, err := l.norm.Bind(w.step, x, norm, w.normed.All())
		if err != nil {
			return err
		}
		if err := w.filler.record(&w.rec, w.normed, testRows*l.params.XStride, w.y, nil); err != nil {
			return err
		}
		l.norm.Record(&w.rec, b, testRows)
		x = w.normed.All()
		w.normedRows()
	}
	for _, tiles := range [][][]*gpu.Kernel{l.tiled, l.wide} {
		if tiles == nil || !w.Needs(tiles[i]...) {
			continue
		}
		groups, err := l.bindParts(tiles[i], w.step, codes, scales, x, w.ys.All(), bias)
		if err != nil {
			return err
		}
		err = w.run(i, want, tiles[i], func(rec *gpu.Recorder) {
			for part, k := range tiles[i] {
				rec.Dispatch(k, groups[part], 1, 1, 1)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// normedRows tests the norm before the tiled product.
func (w *linearTest) normedRows() {
	if !w.Needs(w.l.norm.kernel) {
		return
	}
	var want []float64
	n := min(testColumns, w.l.params.Matrix.Cols)
	for m, row := range w.normRows {
		w.Take(w.normed, m*w.l.params.XStride, n)
		want = append(want, row[:n]...)
	}
	w.Check(GroupProducts, want, productTolerance, w.l.norm.kernel)
}

// productTolerance is far above what orders of summation and exponentials make of an output, and far below garbage.
const productTolerance = 5e-3

// place is the first column of a piece's outputs, and how many are compared.
func (w *linearTest) place(p Piece) (first, n int) {
	if w.l.params.Gated != "" {
		return w.l.params.YOffset + p.First/2, min(testColumns, p.Rows/2)
	}
	return w.l.params.YOffset + p.First, min(testColumns, p.Rows)
}

// run records kernels onto fresh outputs.
func (w *linearTest) run(i int, want []float64, kernels []*gpu.Kernel, record func(rec *gpu.Recorder)) error {
	if err := w.filler.record(&w.rec, w.ys, testRows*w.l.params.YStride, w.y, nil); err != nil {
		return err
	}
	record(&w.rec)
	first, n := w.place(w.l.params.Matrix.Pieces[i])
	for m := range testRows {
		w.Take(w.ys, m*w.l.params.YStride+first, n)
	}
	w.Check(GroupProducts, want, productTolerance, kernels...)
	return nil
}

// want computes a piece's outputs.
func (w *linearTest) want(piece Piece) []float64 {
	p := &w.l.params
	first, n := w.place(piece)
	var want []float64
	for m, x := range w.normRows {
		for i := range n {
			var y float64
			if p.Gated != "" {
				gate, up := w.product(x, 2*i, piece.First/2+i), w.product(x, 2*i+1, p.Matrix.Rows/2+piece.First/2+i)
				y = p.Gated.of(gate) * up
			} else if y = w.product(x, i, piece.First+i); p.Cap > 0 {
				y = float64(p.Cap) * math.Tanh(y/float64(p.Cap))
			} else if p.Activated != "" {
				y = p.Activated.of(y)
			}
			if p.Add {
				y += w.y.Number(m*p.YStride+first+i, 0)
			}
			want = append(want, y)
		}
	}
	return want
}

// product is a row of the weights times x.
func (w *linearTest) product(x []float64, row, bias int) float64 {
	p := &w.l.params
	y := 0.0
	for k, f := range x {
		y += f * w.matrix.numbers[row][k]
	}
	if p.Bias {
		y += w.bias.Number(bias, 0)
	}
	if p.Scale != 0 {
		y *= float64(p.Scale)
	}
	return y
}

// of is the activation in float64.
func (a Activation) of(x float64) float64 {
	switch a {
	case GELU:
		return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	case GELUErf:
		return x / 2 * math.Erfc(-x/math.Sqrt2)
	}
	return x / (1 + math.Exp(-x))
}
