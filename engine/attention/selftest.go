package attention

import (
	"math"
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// What the self-test's patterns are told apart by.
const (
	saltQueries = 11 + iota
	saltKeys
	saltValues
	saltOut
)

// A self-test's sequence has testKeys keys at most. Of testQueries its outputs' first testColumns are compared.
const (
	testKeys    = 150
	testTokens  = 21
	testQueries = 4
	testColumns = kernel.SelfTestOutputs / testQueries
)

// testTolerance is far above what staging in f16 makes of an output, and far below garbage.
const testTolerance = 2e-2

// testCase is a row of a self-test.
type testCase struct {
	p            Params
	layout       kernel.KVLayout
	q, k, v      kernel.Pattern
	table        []uint32
	count, start int
	apart        bool // tokens of as many sequences that share keys, not of one
}

// SelfTest adds the kernels, which have compiled, to a test: a row of several tokens, and one of one token whose keys are split.
func (a *Attention) SelfTest(t *kernel.SelfTest) error {
	if !t.Needs(a.prefill, a.decode, a.merge, a.shared, a.many.kernel, a.few.kernel) {
		return nil
	}
	p := a.params
	c := testCase{p: p, layout: kernel.KVLayout{HeadDim: p.HeadDim, KVHeads: p.KVHeads, BlockSize: p.BlockSize, Type: p.KVType, Pad: p.BlockPad}}
	c.q, c.k, c.v = kernel.Rows(p.QStride, p.QStride, saltQueries), kernel.Cache(c.layout, saltKeys), kernel.Cache(c.layout, saltValues)
	keys := testKeys
	if p.MaxKeys > 0 {
		keys = min(keys, p.MaxKeys)
	}
	blocks := (keys + p.BlockSize - 1) / p.BlockSize
	for i := range blocks {
		c.table = append(c.table, uint32(blocks-i)) // block 0 is no one's
	}
	words := int(c.layout.Bytes(blocks+1) / 4)
	var o Operands
	for _, b := range []struct {
		to      *gpu.View
		label   string
		words   int
		pattern kernel.Pattern
	}{{&o.Q, "queries", testTokens * p.QStride, c.q}, {&o.K, "keys", words, c.k}, {&o.V, "values", words, c.v}} {
		filled, err := t.Filled(b.label, b.words, b.pattern)
		if err != nil {
			return err
		}
		*b.to = filled.All()
	}
	c.count = min(testTokens, keys)
	c.start = keys - c.count
	if p.Bidirectional {
		c.start = 0
	}
	if err := a.test(t, c, o, a.prefill); err != nil || a.decode == nil {
		return err
	}
	if a.many.kernel != nil {
		if err := a.test(t, c, o, a.many.kernel); err != nil {
			return err
		}
	}
	c.count, c.start = 1, keys-1
	if err := a.test(t, c, o, a.decode, a.merge); err != nil {
		return err
	}
	if a.few.kernel != nil {
		if err := a.test(t, c, o, a.few.kernel, a.merge); err != nil {
			return err
		}
	}
	if a.shared == nil {
		return nil
	}
	c.count, c.apart = testQueries, true
	return a.test(t, c, o, a.shared, a.decode, a.merge)
}

// test adds a row.
func (a *Attention) test(t *kernel.SelfTest, c testCase, o Operands, kernels ...*gpu.Kernel) error {
	p := a.params
	s := kernel.StepData{
		Tokens: make([]uint32, c.count), Positions: make([]uint32, c.count), Slots: make([][]int32, p.Group+1),
	}
	rows, count := 1, c.count
	if c.apart {
		rows, count = c.count, 1
	}
	for i := range rows {
		s.Rows = append(s.Rows, kernel.StepRow{First: uint32(i), Count: uint32(count), Start: uint32(c.start)})
		s.Tables = append(s.Tables, [kernel.MaxGroups][]uint32{})
		s.Tables[i][p.Group] = c.table
	}
	if keys := c.start / 2; c.apart && keys > 0 {
		a.AppendShared(&s, 0, rows, keys, 1, a.sharing(rows, keys, c.start+1, 1, 1))
	} else {
		for i := range rows {
			a.AppendRow(&s, i, count, c.start, 1)
		}
	}
	var err error
	if o.Step, err = t.Step(&s); err != nil {
		return err
	}
	list := s.List(p.List)
	for _, b := range []struct {
		to    *gpu.View
		label string
		words int
	}{{&o.LSE, "log-sum-exps", c.count * p.Heads}, {&o.Partials, "partial results", int(a.PartialBytes(max(1, list.Partials)) / 4)},
		{&o.Walks, "walks", int(a.WalkBytes(max(1, len(list.Prefill))) / 4)}} {
		made, err := t.Buffer(b.label, b.words)
		if err != nil {
			return err
		}
		*b.to = made.All()
	}
	out, err := t.Filled("attention", c.count*p.OutStride, kernel.Rows(p.OutStride, p.OutStride, saltOut))
	if err != nil {
		return err
	}
	o.Out = out.All()
	bound, err := a.Bind(o)
	if err != nil {
		return err
	}
	many, few := slices.Contains(kernels, a.many.kernel), slices.Contains(kernels, a.few.kernel)
	if many {
		err = a.bindMany(bound)
	}
	if err != nil {
		return err
	}
	a.record(t.Recorder(), bound, &s, many, few)
	n := min(testColumns, p.HeadDim)
	place := func(i int) (token, head int) {
		return (c.count - 1) * i / (testQueries - 1), (p.Heads - 1) * (testQueries - 1 - i) / (testQueries - 1)
	}
	for i := range testQueries {
		token, head := place(i)
		t.Take(o.Out.Buffer, token*p.OutStride+head*p.HeadDim, n)
	}
	t.Check(kernel.GroupAttention, func() (want []float64) {
		for i := range testQueries {
			token, head := place(i)
			want = append(want, c.want(token, head, n)...)
		}
		return want
	}, testTolerance, kernels...)
	return nil
}

// want computes an output's first columns.
func (c *testCase) want(token, head, n int) []float64 {
	p, kvHead := &c.p, head/(c.p.Heads/c.p.KVHeads)
	at, keys := c.start+token, c.start+c.count
	if c.apart {
		at, keys = c.start, c.start+1
	}
	out, sum := make([]float64, n), 0.0
	q, k, v := make([]float64, p.HeadDim), make([]float64, p.HeadDim), make([]float64, n)
	for d := range q {
		q[d] = c.q.Number(token*p.QStride+p.QOffset+head*p.HeadDim+d, 0)
	}
	for key := range keys {
		if !p.Bidirectional && key > at || p.Window > 0 && max(key-at, at-key) >= p.Window {
			continue
		}
		block, slot := int(c.table[key/p.BlockSize]), key%p.BlockSize
		c.k.CacheRow(c.layout, block, kvHead, slot, k)
		c.v.CacheRow(c.layout, block, kvHead, slot, v)
		score := 0.0
		for d := range q {
			score += q[d] * k[d]
		}
		score *= float64(p.Scale)
		if p.Softcap > 0 {
			score = float64(p.Softcap) * math.Tanh(score/float64(p.Softcap))
		}
		weight := math.Exp(score - testScore)
		sum += weight
		for d := range out {
			out[d] += weight * v[d]
		}
	}
	for d := range out {
		out[d] /= sum
	}
	return out
}

// testScore is what scores are held against, so that no exponential leaves float64's range.
const testScore = 500

// SelfTest adds the kernel to a test.
func (s *Sinks) SelfTest(t *kernel.SelfTest) error {
	if !t.Needs(s.kernel) {
		return nil
	}
	p := s.params
	width := p.Heads * p.HeadDim
	sums, sinks, x := kernel.Rows(p.Heads, p.Heads, saltQueries), kernel.Rows(p.Heads, p.Heads, saltKeys), kernel.Rows(p.OutStride, p.OutStride, saltOut)
	step, err := t.Step(&kernel.StepData{Tokens: make([]uint32, testQueries)})
	if err != nil {
		return err
	}
	var views [3]gpu.View
	for i, b := range []struct {
		label   string
		words   int
		pattern kernel.Pattern
	}{{"log-sum-exps", testQueries * p.Heads, sums}, {"sinks", p.Heads, sinks}, {"attention", testQueries * p.OutStride, x}} {
		filled, err := t.Filled(b.label, b.words, b.pattern)
		if err != nil {
			return err
		}
		views[i] = filled.All()
	}
	bound, err := s.Bind(step, views[0], views[1], views[2])
	if err != nil {
		return err
	}
	s.Record(t.Recorder(), bound, testQueries)
	n := min(testColumns, width)
	at := func(i int) int { return i*p.OutStride + (width-n)*i/(testQueries-1) }
	for i := range testQueries {
		t.Take(views[2].Buffer, at(i), n)
	}
	t.Check(kernel.GroupAttention, func() (want []float64) {
		for i := range testQueries {
			for word := at(i); word < at(i)+n; word++ {
				head := word % p.OutStride / p.HeadDim
				want = append(want, x.Number(word, 0)/(1+math.Exp(sinks.Number(head, 0)-sums.Number(i*p.Heads+head, 0))))
			}
		}
		return want
	}, testTolerance, s.kernel)
	return nil
}
