package kernel

import (
	"math"
	"slices"
	"sort"

	"quire/engine/gpu"
)

// SelfTest adds the kernels to a test: choices by scores, and the sorting of others.
func (r *Router) SelfTest(t *SelfTest) error {
	if t.Needs(r.route) {
		r.testRoute(t)
	}
	if t.err == nil && t.Needs(r.sort) {
		r.testSort(t)
	}
	return t.err
}

// testTokens is how many of the tests' tokens the router has room for.
func (r *Router) testTokens() int { return min(testRows, r.params.MaxTokens) }

func (r *Router) testRoute(t *SelfTest) {
	p, tokens := &r.params, r.testTokens()
	scores, bias, scales := t.operand("rows", testRows, p.Stride, p.Stride), t.vector("biases", p.Experts), t.vector("norm", p.Experts)
	routing := t.operand("routing", 1, r.RoutingWords(), r.RoutingWords())
	b := t.bind(r.route, t.step, scores, bias, scales, routing)
	if b == nil {
		return
	}
	x, y := Fold(tokens)
	t.rec.Dispatch(r.route, b, x, y, 1)
	n := tokens * p.Used
	t.Take(routing.buffer, 0, 2*n)
	// What is chosen may differ where scores are as good as equal: a choice is compared by its score, then by its weight.
	score := func(token, e int) float64 {
		s := scores.at(token, e)
		if p.Sigmoid {
			s = logistic(s)
		}
		if p.Bias {
			s += bias.at(0, e)
		}
		return s
	}
	value := func(token, e int) float64 {
		if p.Sigmoid {
			return logistic(scores.at(token, e))
		}
		return math.Exp(scores.at(token, e))
	}
	t.check(check{kernels: []*gpu.Kernel{r.route}, group: GroupRows, tolerance: rowTolerance, want: func() []float64 {
		var all []float64
		for token := range tokens {
			ranked := make([]float64, p.Experts)
			for e := range ranked {
				ranked[e] = score(token, e)
			}
			sort.SliceStable(ranked, func(i, j int) bool { return ranked[i] > ranked[j] })
			all = append(all, ranked[:p.Used]...)
		}
		return append(all, make([]float64, n)...) // weights, of what was chosen
	}, got: func(words []uint32, want []float64) []float64 {
		got := make([]float64, 2*n)
		for token := range tokens {
			total := 0.0
			if p.Whole {
				for e := range p.Experts {
					total += value(token, e)
				}
			}
			chosen := make([]int, p.Used)
			for i := range chosen {
				at := token*p.Used + i
				chosen[i] = min(int(words[2*at]), p.Experts-1)
				got[at] = score(token, chosen[i])
				if slices.Contains(chosen[:i], chosen[i]) {
					got[at] = math.Inf(1)
				}
				if !p.Whole {
					total += value(token, chosen[i])
				}
			}
			for i, e := range chosen {
				at := token*p.Used + i
				weight := value(token, e)
				if p.Sigmoid && !p.Whole {
					weight /= total + float64(p.Least)
				} else if !p.Sigmoid {
					weight /= total
				}
				weight *= float64(p.Scale)
				if p.Scaled {
					weight *= scales.at(0, e)
				}
				got[n+at], want[n+at] = float64(math.Float32frombits(words[2*at+1])), weight
			}
		}
		return got
	}})
}

// testChoices are choices for tests: experts from first on, of so many, and what each counts for.
func (r *Router) testChoices(first, experts int) (list []uint32, expert func(choice int) int, weight func(choice int) float64) {
	expert = func(choice int) int { return first + int(uint32(choice)*2654435761>>16)%experts }
	weight = func(choice int) float64 { return float64(choice%5+1) / 8 }
	for choice := range r.testTokens() * r.params.Used {
		list = append(list, uint32(expert(choice)), math.Float32bits(float32(weight(choice))))
	}
	return list, expert, weight
}

func (r *Router) testSort(t *SelfTest) {
	p, tokens := &r.params, r.testTokens()
	list, expert, _ := r.testChoices(0, p.Experts)
	var routing, step gpu.View
	if routing, t.err = t.given("routing", list); t.err != nil {
		return
	}
	if step, t.err = t.Step(&StepData{Tokens: make([]uint32, tokens)}); t.err != nil {
		return
	}
	sorted := t.operand("sorted", 1, r.SortedWords(), r.SortedWords())
	b := t.bind(r.sort, step, operand{view: routing}, sorted)
	if b == nil {
		return
	}
	t.rec.Dispatch(r.sort, b, 1, 1, 1)
	n := tokens * p.Used
	t.Take(sorted.buffer, 0, 1)
	t.Take(sorted.buffer, p.orderWord(), n)
	t.check(check{kernels: []*gpu.Kernel{r.sort}, group: GroupRows, want: func() []float64 {
		var experts []float64
		for choice := range n {
			experts = append(experts, float64(expert(choice)))
		}
		sort.SliceStable(experts, func(i, j int) bool { return experts[i] < experts[j] })
		tiles := 0
		for at := 0; at < n; tiles++ {
			end := at
			for end < n && end-at < matmulTile && experts[end] == experts[at] {
				end++
			}
			at = end
		}
		return append([]float64{float64(tiles)}, experts...)
	}, got: func(words []uint32, _ []float64) []float64 {
		got := []float64{float64(words[0])}
		for _, choice := range words[1:] {
			got = append(got, float64(expert(min(int(choice), n-1))))
		}
		return got
	}})
}

// expertTest is the test of a product by experts.
type expertTest struct {
	*SelfTest
	e             *ExpertLinear
	tokens        int
	step          gpu.View
	x, bias, norm operand // x of tokens, or of choices
}

// SelfTest adds the product's kernels to a test: of each piece the first expert's, and the next one's where they are small.
func (e *ExpertLinear) SelfTest(t *SelfTest) error {
	if !t.Needs(e.Kernels()...) {
		return nil
	}
	p, r := &e.params, e.params.Router
	w := &expertTest{SelfTest: t, e: e, tokens: r.testTokens()}
	rows := w.tokens
	if p.Sum {
		rows *= r.params.Used
	}
	w.x = t.operand("experts' x", rows, p.Matrix.Cols, p.XStride)
	if p.Bias {
		w.bias = t.vector("experts' biases", p.Matrix.Rows)
	}
	if p.Norm {
		w.norm = t.vector("norm", p.Matrix.Cols)
	}
	if t.err == nil {
		w.step, t.err = t.Step(&StepData{Tokens: make([]uint32, w.tokens)})
	}
	for i := range p.Matrix.Pieces {
		w.piece(i)
	}
	if e.sum != nil {
		w.sum()
	}
	return t.err
}

// piece tests the kernels of a piece of the matrix.
func (w *expertTest) piece(i int) {
	p, r, piece := &w.e.params, w.e.params.Router, w.e.params.Matrix.Pieces[i]
	var many []*gpu.Kernel
	if w.e.many != nil {
		many = w.e.many[i]
	}
	if !w.Needs(append([]*gpu.Kernel{w.e.few[i]}, many...)...) {
		return
	}
	begin, n := p.Matrix.rows(piece)
	experts := 1
	if piece.Rows >= 2*p.Matrix.Each && p.Matrix.Type.RowBytes(uint64(p.Matrix.Cols))*int64(p.Matrix.Each) < testExpertBytes {
		experts = 2
	}
	list, expert, weight := r.testChoices(piece.First/p.Matrix.Each, experts)
	var routing gpu.View
	if routing, w.err = w.given("routing", list); w.err != nil {
		return
	}
	matrix, err := w.weightsOf(p.Matrix.Type, max(min(tile128, n), (experts-1)*p.Matrix.Each+min(tile128, n)), p.Matrix.Cols)
	if w.err = err; err != nil {
		return
	}
	c := expertPiece{expertTest: *w, matrix: matrix, begin: begin, first: piece.First, columns: min(testColumns, n), expert: expert, weight: weight}
	if p.Gated != "" {
		c.columns = min(testColumns, n/2)
	}
	codes, scales := operand{view: matrix.Pieces[0].codes}, operand{view: matrix.Pieces[0].scales}
	bias, norm := w.x, w.x
	if p.Bias {
		bias = w.bias
	}
	if p.Norm {
		norm = w.norm
	}
	y := w.operand("outputs", w.tokens*r.params.Used, p.YStride, p.YStride)
	if b := w.bind(w.e.few[i], w.step, codes, scales, w.x, y, bias, norm, operand{view: routing}); b != nil {
		shape, rows := w.e.shape(), w.tokens*r.params.Used/w.e.joined()
		yy, z := Fold(rows)
		w.rec.Dispatch(w.e.few[i], b, uint32(ceilDiv(min(n, 2*testColumns), matvecWorkgroup/shape.lanes*shape.tile)), yy, z)
		add := p.Add || p.Sum && piece.First > begin
		c.take(y, rows, p.Sum, p.Norm, add, w.e.few[i])
	}
	if many == nil {
		return
	}
	sorted, y := w.operand("sorted", 1, r.SortedWords(), r.SortedWords()), w.operand("outputs", w.tokens*r.params.Used, p.YStride, p.YStride)
	b := w.bind(r.sort, w.step, operand{view: routing}, sorted)
	if b == nil {
		return
	}
	w.rec.Dispatch(r.sort, b, 1, 1, 1)
	for _, k := range many {
		if b := w.bind(k, w.step, codes, scales, w.x, y, bias, sorted); b != nil {
			w.rec.Dispatch(k, b, 1, uint32(r.params.tiles(w.tokens)), 1)
		}
	}
	c.take(y, w.tokens*r.params.Used, false, false, false, many...)
}

// testExpertBytes bounds the weights of an expert whose neighbour is tested, too.
const testExpertBytes = 4 << 20

// expertPiece is what is known of a piece's products.
type expertPiece struct {
	expertTest
	matrix                *testWeights
	begin, first, columns int
	expert                func(choice int) int
	weight                func(choice int) float64
}

// take takes the first columns of rows of y. sum says that a row adds up a token's choices.
func (c expertPiece) take(y operand, rows int, sum, normed, add bool, kernels ...*gpu.Kernel) {
	if c.err != nil {
		return
	}
	p := &c.e.params
	used, at := p.Router.params.Used, c.begin
	if p.Gated != "" {
		at /= 2
	}
	// All rows are too many of large models.
	n := min(rows, testRows)
	row := func(i int) int { return rows / n * i }
	for i := range n {
		c.Take(y.buffer, row(i)*p.YStride+at, c.columns)
	}
	c.Check(GroupProducts, func() (want []float64) {
		for i := range n {
			for column := range c.columns {
				v := 0.0
				if !sum {
					v = c.choice(row(i), column, normed, y)
				} else {
					for choice := row(i) * used; choice < (row(i)+1)*used; choice++ {
						v += c.weight(choice) * c.choice(choice, column, normed, y)
					}
				}
				if add {
					v += y.at(row(i), at+column)
				}
				want = append(want, v)
			}
		}
		return want
	}, rowTolerance, kernels...)
}

// choice is what a choice's expert makes of its row.
func (c *expertPiece) choice(choice, column int, normed bool, y operand) float64 {
	p := &c.e.params
	source := choice
	if !p.Sum {
		source = choice / p.Router.params.Used
	}
	x := make([]float64, p.Matrix.Cols)
	for k := range x {
		x[k] = c.x.at(source, k)
	}
	if normed {
		scale := rmsScale(len(x), p.Eps, func(k int) float64 { return c.x.at(source, k) })
		for k := range x {
			x[k] *= scale * c.norm.at(0, k)
		}
	}
	expert := c.expert(choice)
	product := func(row, bias int) float64 {
		v := c.matrix.product(expert*p.Matrix.Each+c.begin-c.first+row, x)
		if p.Bias {
			v += c.bias.at(0, bias)
		}
		return v
	}
	first := expert*p.Matrix.Each + c.begin
	switch {
	case p.Gated != "":
		at := first/2 + column
		return p.Gated.gated(product(2*column, at), product(2*column+1, p.Matrix.Rows/2+at))
	case p.Over != "":
		return p.Over.gated(y.at(choice, c.begin+column), product(column, first+column))
	}
	return product(column, first+column)
}

// sum tests what adds up choices.
func (w *expertTest) sum() {
	p, r := &w.e.params, w.e.params.Router
	if !w.Needs(w.e.sum) {
		return
	}
	list, _, weight := r.testChoices(0, r.params.Experts)
	var routing gpu.View
	if routing, w.err = w.given("routing", list); w.err != nil {
		return
	}
	used := r.params.Used
	x, y := w.operand("rows", w.tokens*used, p.YStride, p.YStride), w.operand("outputs", testRows, p.YStride, p.YStride)
	b := w.bind(w.e.sum, w.step, operand{view: routing}, x, y)
	if b == nil {
		return
	}
	w.rec.Dispatch(w.e.sum, b, uint32(ceilDiv(RowStride(p.Matrix.Each)/4, 64)), uint32(w.tokens), 1)
	tokens := w.tokens
	w.expect(GroupRows, y, 0, p.Matrix.Each, func() func(row, column int) float64 {
		return func(row, column int) float64 {
			if row >= tokens {
				return y.at(row, column)
			}
			v := 0.0
			if p.Add {
				v = y.at(row, column)
			}
			for choice := row * used; choice < (row+1)*used; choice++ {
				v += weight(choice) * x.at(choice, column)
			}
			return v
		}
	}, w.e.sum)
}
