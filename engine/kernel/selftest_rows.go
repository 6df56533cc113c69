package kernel

import (
	"math"

	"quire/engine/gpu"
	"quire/paging"
)

// testRows are how many rows a kernel is tested with; of each testColumns neighbouring outputs are compared.
const (
	testRows    = 8
	testColumns = 8
)

// rowTolerance is far above what orders of summation and exponentials make of an output, and far below garbage.
const rowTolerance = 5e-3

// testStep is the step of most tests: two sequences of five and three tokens. Outputs and pooled rows are as many as tokens.
func testStep() *StepData {
	s := &StepData{
		Tokens: make([]uint32, testRows), Positions: make([]uint32, testRows), Slots: make([][]int32, MaxGroups),
		Rows: []StepRow{{First: 0, Count: 5, From: 1, To: 2}, {First: 5, Count: 3, From: 3, To: 3}},
	}
	for i := range testRows {
		s.Tokens[i] = uint32(testToken(i))
		s.Positions[i] = uint32(testPosition(i))
		s.Outputs = append(s.Outputs, Output{Token: uint32(testRows - 1 - i), Lane: uint32(i), Counter: uint32(i), Flags: OutputSample})
		s.Pools = append(s.Pools, PoolItem{First: uint32(i), Count: uint32(testPooled(i))})
		for g := range s.Slots {
			s.Slots[g] = append(s.Slots[g], int32(testSlot(i)))
		}
	}
	return s
}

// What a token of testStep is, where it stands, where its K and V go, and how many tokens the i-th pooled row has.
func testToken(i int) int    { return (5*i + 3) % (2 * testColumns) }
func testPosition(i int) int { return testRows - 1 - i }
func testSlot(i int) int     { return 3*i + 2 }
func testPooled(i int) int   { return min(2, testRows-i) }

// testStates are the slots that testStep's sequences have states in, the null slot among them.
const testStates = 4

// operand is rows that a pattern fills.
type operand struct {
	Pattern
	buffer *gpu.Buffer
	view   gpu.View // what is bound
	stride int
}

// operand fills rows of a width with numbers that its label tells from others'; zeros lie between them.
func (t *SelfTest) operand(label string, rows, width, stride int) operand {
	salt := uint32(len(label))
	for i := range len(label) {
		salt = salt*31 + uint32(label[i])
	}
	o := operand{Pattern: Rows(width, stride, salt), stride: stride}
	if t.err == nil {
		if o.buffer, t.err = t.Filled(label, rows*stride, o.Pattern); t.err == nil {
			o.view = o.buffer.All()
		}
	}
	return o
}

// vector is one row, padded as weights are.
func (t *SelfTest) vector(label string, n int) operand { return t.operand(label, 1, n, RowStride(n)) }

// at is a number of a row.
func (o operand) at(row, column int) float64 { return o.Number(row*o.stride+column, 0) }

// bind binds what a kernel takes after the step.
func (t *SelfTest) bind(k *gpu.Kernel, step gpu.View, operands ...operand) *gpu.BindGroup {
	if t.err != nil {
		return nil
	}
	views := []gpu.View{step}
	for _, o := range operands {
		views = append(views, o.view)
	}
	var b *gpu.BindGroup
	b, t.err = t.dev.Bind(k, views...)
	return b
}

// place is the first of the columns of a row of a width that are compared: all along the width, over the rows.
func place(row, width int) int {
	return (width - min(testColumns, width)) * row / (testRows - 1)
}

// expect takes columns of out's rows, from offset on, as kernels leave them, and says what they should be.
func (t *SelfTest) expect(group string, out operand, offset, width int, want func() func(row, column int) float64, kernels ...*gpu.Kernel) {
	n := min(testColumns, width)
	for row := range testRows {
		t.Take(out.buffer, row*out.stride+offset+place(row, width), n)
	}
	t.Check(group, func() []float64 {
		of := want()
		var all []float64
		for row := range testRows {
			for i := range n {
				all = append(all, of(row, place(row, width)+i))
			}
		}
		return all
	}, rowTolerance, kernels...)
}

// rmsScale is what an RMSNorm multiplies n numbers by.
func rmsScale(n int, eps float32, at func(i int) float64) float64 {
	squares := 0.0
	for i := range n {
		squares += at(i) * at(i)
	}
	return 1 / math.Sqrt(squares/float64(n)+float64(eps))
}

func mean(n int, at func(i int) float64) float64 {
	sum := 0.0
	for i := range n {
		sum += at(i)
	}
	return sum / float64(n)
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// of is the activation in float64.
func (a Activation) of(x float64) float64 {
	switch a {
	case "":
		return x
	case GELU:
		return x * logistic(2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))
	case GELUErf:
		return x / 2 * math.Erfc(-x/math.Sqrt2)
	case Clamped:
		x = min(x, 7)
		return x * logistic(1.702*x)
	}
	return x * logistic(x)
}

// gated is what a gate makes of an up.
func (a Activation) gated(gate, up float64) float64 {
	if a == Clamped {
		up = min(max(up, -7), 7) + 1
	}
	return a.of(gate) * up
}

// SelfTest adds the kernel to a test.
func (s *GLU) SelfTest(t *SelfTest) error {
	if !t.Needs(s.kernel) {
		return nil
	}
	p := s.params
	g, u, h := t.operand("gates", testRows, p.GStride, p.GStride), t.operand("ups", testRows, p.UStride, p.UStride), t.operand("outputs", testRows, p.HStride, p.HStride)
	if b := t.bind(s.kernel, t.step, g, u, h); b != nil {
		s.Record(&t.rec, b, testRows)
		t.expect(GroupRows, h, 0, p.Width, func() func(row, column int) float64 {
			return func(row, column int) float64 {
				return p.Activation.gated(g.at(row, column), u.at(row, p.UOffset+column))
			}
		}, s.kernel)
	}
	return t.err
}

// SelfTest adds the kernel to a test.
func (g *Gate) SelfTest(t *SelfTest) error {
	if !t.Needs(g.kernel) {
		return nil
	}
	p := g.params
	x, z := t.operand("outputs", testRows, p.Width, p.XStride), t.operand("gates", testRows, p.ZStride, p.ZStride)
	if b := t.bind(g.kernel, t.step, x, z); b != nil {
		g.Record(&t.rec, b, testRows)
		t.expect(GroupRows, x, 0, p.Width, func() func(row, column int) float64 {
			return func(row, column int) float64 { return x.at(row, column) * logistic(z.at(row, p.ZOffset+column)) }
		}, g.kernel)
	}
	return t.err
}

// SelfTest adds the kernel to a test.
func (s *GateRows) SelfTest(t *SelfTest) error {
	if !t.Needs(s.kernel) {
		return nil
	}
	p := s.params
	g, x := t.operand("gates", testRows, p.GStride, p.GStride), t.operand("outputs", testRows, p.Width, p.XStride)
	if b := t.bind(s.kernel, t.step, g, x); b != nil {
		s.Record(&t.rec, b, testRows)
		t.expect(GroupRows, x, 0, p.Width, func() func(row, column int) float64 {
			return func(row, column int) float64 { return x.at(row, column) * logistic(g.at(row, 0)) }
		}, s.kernel)
	}
	return t.err
}

// SelfTest adds the kernel to a test.
func (k *Pool) SelfTest(t *SelfTest) error {
	if !t.Needs(k.kernel) {
		return nil
	}
	p := k.params
	x, y := t.operand("rows", testRows, p.K, p.XStride), t.operand("outputs", testRows, p.YStride, p.YStride)
	if b := t.bind(k.kernel, t.step, x, y); b != nil {
		k.Record(&t.rec, b, testRows)
		t.expect(GroupRows, y, 0, p.K, func() func(row, column int) float64 {
			return func(row, column int) float64 {
				sum := 0.0
				for i := range testPooled(row) {
					sum += x.at(row+i, column)
				}
				return sum
			}
		}, k.kernel)
	}
	return t.err
}

// SelfTest adds the kernel to a test: the first block's rows go to the second.
func (k *CopyBlocks) SelfTest(t *SelfTest) error {
	if !t.Needs(k.kernel) {
		return nil
	}
	l := k.layout
	words, slots := l.BlockWords(), max(1, l.BlockSize-1)
	stride := words + l.Pad
	keys, values := t.operand("keys", 3, stride, stride), t.operand("values", 3, stride, stride)
	if t.err != nil {
		return t.err
	}
	var step gpu.View
	if step, t.err = t.Step(copyStep(k.group, slots)); t.err != nil {
		return t.err
	}
	if b := t.bind(k.kernel, step, keys, values); b != nil {
		k.Record(&t.rec, b, 1)
		n := min(SelfTestOutputs/2, words)
		t.Take(keys.buffer, 2*stride+words-n, n)
		t.Take(values.buffer, 2*stride+words-n, n)
		t.Check(GroupRows, func() (want []float64) {
			for _, o := range []operand{keys, values} {
				for i := words - n; i < words; i++ {
					from := 1
					if i/l.RowWords()%l.BlockSize >= slots {
						from = 2
					}
					want = append(want, o.at(from, i))
				}
			}
			return want
		}, 0, k.kernel)
	}
	return t.err
}

// copyStep copies the first slots of a block of a KV group to the next.
func copyStep(group, slots int) *StepData {
	return &StepData{Copies: []paging.Copy{{Group: int32(group), From: 1, To: 2, Slots: int32(slots)}}}
}
