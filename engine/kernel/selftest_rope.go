package kernel

import (
	"math"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// SelfTest adds the kernel to a test: rotated q in its place, and what is in the caches.
func (k *RopeStore) SelfTest(t *SelfTest) error {
	if !t.Needs(k.kernel) {
		return nil
	}
	p := k.params
	l := p.Layout
	width := (p.Heads + 2*p.kvHeads()) * l.HeadDim
	blocks := testSlot(testRows-1)/l.BlockSize + 1
	stride := l.BlockWords() + l.Pad
	qkv := t.operand("outputs", testRows, width, p.Stride)
	c := ropeTest{p: p, qkv: qkv.at, table: t.operand("table", testRows, max(1, p.tableRow()), max(1, p.tableRow()))}
	keys, values := t.operand("keys", blocks, stride, stride), t.operand("values", blocks, stride, stride)
	operands := []operand{qkv, c.table, keys, values}
	if p.Bias {
		c.bias = t.vector("biases", width)
		operands = append(operands, c.bias)
	}
	if p.Residual > 0 {
		operands = append(operands, t.operand("rows", testRows, p.Residual, p.Residual))
	}
	b := t.bind(k.kernel, t.step, operands...)
	if b == nil {
		return t.err
	}
	k.Record(&t.rec, b, testRows)
	t.expect(GroupRows, qkv, 0, p.Heads*l.HeadDim, func() func(row, column int) float64 { return c.query }, k.kernel)
	if p.Queries {
		return nil
	}
	for _, cache := range []struct {
		operand
		want func(token, head, at int) float64
	}{{keys, c.key}, {values, c.value}} {
		var want []func() []float64
		for token := range testRows {
			slot, head := testSlot(token), (l.KVHeads-1)*token/(testRows-1)
			t.Take(cache.buffer, slot/l.BlockSize*stride+(head*l.BlockSize+slot%l.BlockSize)*l.RowWords(), l.RowWords())
			want = append(want, func() (row []float64) {
				for at := range l.HeadDim {
					row = append(row, cache.want(token, head, at))
				}
				return row
			})
		}
		tolerance := rowTolerance
		if l.Type == KVQ8 {
			tolerance = 2e-2
		}
		t.check(check{kernels: []*gpu.Kernel{k.kernel}, group: GroupRows, tolerance: tolerance, want: func() (all []float64) {
			for _, row := range want {
				all = append(all, row()...)
			}
			return all
		}, got: func(words []uint32, _ []float64) (all []float64) {
			for at := 0; at < len(words); at += l.RowWords() {
				all = append(all, l.numbers(words[at:at+l.RowWords()])...)
			}
			return all
		}})
	}
	return nil
}

// numbers are a row's.
func (l KVLayout) numbers(words []uint32) []float64 {
	var row []float64
	for at := range l.HeadDim {
		switch l.Type {
		case KVF16:
			row = append(row, float64(quant.F16ToF32(uint16(words[at/2]>>(at%2*16)))))
		case KVBF16:
			row = append(row, float64(quant.BF16ToF32(uint16(words[at/2]>>(at%2*16)))))
		case KVQ8:
			code := float64(words[at/4]>>(at%4*8)&255) - 128
			row = append(row, code*float64(quant.F16ToF32(uint16(words[len(words)-1]))))
		default:
			row = append(row, float64(math.Float32frombits(words[at])))
		}
	}
	return row
}

// ropeTest is what a RopeStore takes.
type ropeTest struct {
	p           RopeStoreParams
	qkv         func(token, column int) float64
	table, bias operand
}

// plain is an element of a token's row with its bias.
func (c *ropeTest) plain(token, column int) float64 {
	if c.p.Bias {
		return c.qkv(token, column) + c.bias.at(0, column)
	}
	return c.qkv(token, column)
}

// rotated is an element of the head that begins at a column.
func (c *ropeTest) rotated(token, head, at int) float64 {
	if at >= c.p.RotaryDim {
		return c.plain(token, head+at)
	}
	half := c.p.RotaryDim / 2
	pair := at % half
	first, second := pair, pair+half
	if c.p.Adjacent {
		pair = at / 2
		first, second = 2*pair, 2*pair+1
	}
	a, b := c.plain(token, head+first), c.plain(token, head+second)
	cos, sin := c.table.at(testPosition(token), 2*pair), c.table.at(testPosition(token), 2*pair+1)
	if at == first {
		return a*cos - b*sin
	}
	return a*sin + b*cos
}

func (c *ropeTest) query(token, column int) float64 {
	dim := c.p.Layout.HeadDim
	x := c.rotated(token, column/dim*dim, column%dim)
	if c.p.Growing {
		x *= c.table.at(testPosition(token), c.p.RotaryDim)
	}
	return x
}

func (c *ropeTest) key(token, head, at int) float64 {
	return c.rotated(token, (c.p.Heads+head)*c.p.Layout.HeadDim, at)
}

func (c *ropeTest) value(token, head, at int) float64 {
	return c.plain(token, (c.p.Heads+c.p.Layout.KVHeads+head)*c.p.Layout.HeadDim+at)
}
