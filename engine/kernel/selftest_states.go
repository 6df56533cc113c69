package kernel

import (
	"math"

	"quire/engine/gpu"
)

// SelfTest adds the kernel to a test: what it gives, and the states that it leaves.
func (c *Convolution) SelfTest(t *SelfTest) error {
	if !t.Needs(c.kernel) {
		return nil
	}
	p := c.params
	before := p.Taps - 1
	x, weight, bias := t.operand("rows", testRows, p.XStride, p.XStride), t.vector("norm", p.Channels*p.Taps), t.vector("biases", p.Channels)
	states, y := t.operand("states", testStates, p.SlotWords, p.SlotWords), t.operand("outputs", testRows, p.YStride, p.YStride)
	b := t.bind(c.kernel, t.step, x, weight, bias, states, y)
	if b == nil {
		return t.err
	}
	c.Record(&t.rec, b, testRows)
	rows := testStep().Rows
	// input is what goes in at a place of a row of the step, or went in before it.
	input := func(row *StepRow, at, channel int) float64 {
		if at < 0 {
			return states.at(int(row.From), p.StateAt+(before+at)*p.Channels+channel)
		}
		token := int(row.First) + at
		v := x.at(token, p.XOffset+channel)
		if p.Gated {
			v *= x.at(token, p.XOffset+2*p.Channels+channel)
		}
		return v
	}
	t.expect(GroupRows, y, 0, p.Channels, func() func(token, channel int) float64 {
		return func(token, channel int) float64 {
			row := &rows[0]
			if token >= int(rows[1].First) {
				row = &rows[1]
			}
			sum := 0.0
			if p.Bias {
				sum = bias.at(0, channel)
			}
			for j := range p.Taps {
				sum += input(row, token-int(row.First)+j-before, channel) * weight.at(0, channel*p.Taps+j)
			}
			if sum = p.Activation.of(sum); p.Gated {
				sum *= x.at(token, p.XOffset+p.Channels+channel)
			}
			return sum
		}
	}, c.kernel)
	if before == 0 {
		return nil
	}
	n := min(testColumns, p.Channels)
	for i := range rows {
		t.Take(states.buffer, int(rows[i].To)*p.SlotWords+p.StateAt+(before-1)*p.Channels, n)
	}
	t.Check(GroupRows, func() (want []float64) {
		for i := range rows {
			for channel := range n {
				want = append(want, input(&rows[i], int(rows[i].Count)-1, channel))
			}
		}
		return want
	}, rowTolerance, c.kernel)
	return nil
}

// chunkedTokens are those of the row that a recurrence's test walks by chunks, the last of which is not full.
const chunkedTokens = chunkedFrom + chunk/2

// SelfTest adds the kernels to a test: rows walked token by token, and a long one by chunks.
func (r *Recurrence) SelfTest(t *SelfTest) error {
	if !t.Needs(r.kernel, r.pairs, r.chunks) {
		return nil
	}
	c := recurrenceTest{p: r.params}
	p := &c.p
	c.x, c.gates = t.operand("rows", chunkedTokens, p.XStride, p.XStride), t.operand("gates", chunkedTokens, p.Gates.Stride, p.Gates.Stride)
	c.y = t.operand("outputs", chunkedTokens, p.YStride, p.YStride)
	var heads gpu.View
	if t.err == nil {
		heads, t.err = t.given("heads", c.heads())
	}
	pairs, err := t.Buffer("pairs", max(1, r.PairWords(chunkedTokens)))
	if t.err == nil {
		t.err = err
	}
	for _, s := range []struct {
		data    *StepData
		kernels []*gpu.Kernel
	}{
		{testStep(), []*gpu.Kernel{r.kernel}},
		{&StepData{Tokens: make([]uint32, chunkedTokens), Rows: []StepRow{{Count: chunkedTokens, From: 1, To: 2}}}, []*gpu.Kernel{r.chunks, r.pairs}},
	} {
		if t.err != nil {
			return t.err
		}
		if s.kernels[0] == nil {
			continue
		}
		c := c // states are other ones behind a walk
		c.rows = s.data.Rows
		if c.states = t.operand("states", testStates, p.SlotWords, p.SlotWords); t.err != nil {
			return t.err
		}
		step, err := t.Step(s.data)
		if err != nil {
			return err
		}
		b, err := r.Bind(RecurrenceViews{Step: step, X: c.x.buffer.All(), Gates: c.gates.buffer.All(), Heads: heads, State: c.states.buffer.All(), Y: c.y.buffer.All(), Pairs: pairs.All()})
		if err != nil {
			return err
		}
		r.Record(&t.rec, b, s.data)
		c.take(t, len(s.data.Tokens), s.kernels)
	}
	return nil
}

// recurrenceTest is a Recurrence's operands.
type recurrenceTest struct {
	p                   RecurrenceParams
	rows                []StepRow
	x, gates, states, y operand
	known               map[[2]int][2][]float64 // keys and queries of a token and a head, as the rule takes them
}

// keyAndQuery are a token's.
func (c *recurrenceTest) keyAndQuery(token, head int) (k, q []float64) {
	at := [2]int{token, head}
	v, ok := c.known[at]
	if !ok {
		p := &c.p
		for i, offset := range [2]int{p.KOffset, p.QOffset} {
			v[i] = make([]float64, p.Key)
			for e := range v[i] {
				v[i][e] = c.x.at(token, offset+head*p.Key+e)
			}
			if p.Delta {
				scale := shorten(v[i])
				for e := range v[i] {
					v[i][e] *= scale
				}
			}
		}
		c.known[at] = v
	}
	return v[0], v[1]
}

// a, shift and skip are a head's: states decay, none of them at once.
func (c *recurrenceTest) a(head int) float64     { return -float64(head%7+1) / 16 }
func (c *recurrenceTest) shift(head int) float64 { return float64(head%5-2) / 4 }
func (c *recurrenceTest) skip(head int) float64  { return float64(head%3) / 2 }

func (c *recurrenceTest) heads() []uint32 {
	var list []uint32
	for _, of := range []func(int) float64{c.a, c.shift, c.skip} {
		for head := range c.p.Heads {
			list = append(list, math.Float32bits(float32(of(head))))
		}
	}
	return list
}

// take takes answers of eight tokens of so many, and the state that the last row leaves of the last head's last value.
func (c *recurrenceTest) take(t *SelfTest, tokens int, kernels []*gpu.Kernel) {
	p := &c.p
	width, last := p.Heads*p.Value, &c.rows[len(c.rows)-1]
	n := min(testColumns, width)
	at := func(i int) (token, column int) { return (tokens - 1) * i / (testRows - 1), place(i, width) }
	for i := range testRows {
		token, column := at(i)
		t.Take(c.y.buffer, token*p.YStride+column, n)
	}
	row := (width - 1) * 4 * ceilDiv(p.Key, 4)
	t.Take(c.states.buffer, int(last.To)*p.SlotWords+p.StateAt+row, p.Key)
	t.Check(GroupRows, func() (want []float64) {
		c.known = map[[2]int][2][]float64{}
		for i := range testRows {
			token, column := at(i)
			for j := range n {
				answer, _ := c.walk(token, column+j)
				want = append(want, answer)
			}
		}
		_, state := c.walk(int(last.First+last.Count)-1, width-1)
		return append(want, state...)
	}, rowTolerance, kernels...)
}

// walk gives the answer to a token of one value of all heads', and its row of the state then.
func (c *recurrenceTest) walk(token, column int) (answer float64, state []float64) {
	p := &c.p
	row := &c.rows[0]
	for i := range c.rows {
		if int(c.rows[i].First) <= token {
			row = &c.rows[i]
		}
	}
	head := column / p.Value
	keyHead := head / (p.Heads / p.KeyHeads)
	if p.Tiled {
		keyHead = head % p.KeyHeads
	}
	for e := range p.Key {
		state = append(state, c.states.at(int(row.From), p.StateAt+column*4*ceilDiv(p.Key, 4)+e))
	}
	for at := int(row.First); at <= token; at++ {
		k, q := c.keyAndQuery(at, keyHead)
		gate := head/p.Gates.Run*p.Gates.Step + head%p.Gates.Run
		delta := math.Log1p(math.Exp(c.gates.at(at, gate+p.Gates.DeltaOffset) + c.shift(head)))
		decay := math.Exp(c.a(head) * delta)
		value := c.x.at(at, p.VOffset+column)
		u := delta * value
		if p.Delta {
			sum := 0.0
			for e := range state {
				sum += state[e] * k[e]
			}
			u = logistic(c.gates.at(at, gate+p.Gates.BetaOffset)) * (value - decay*sum)
		}
		answer = 0
		for e := range state {
			state[e] = decay*state[e] + u*k[e]
			answer += state[e] * q[e]
		}
		if answer *= float64(p.Scale); !p.Delta {
			answer += c.skip(head) * value
		}
	}
	return answer, state
}

// shorten is what makes a vector's length 1.
func shorten(v []float64) float64 {
	squares := 1e-6
	for _, f := range v {
		squares += f * f
	}
	return 1 / math.Sqrt(squares)
}
