package kernel

// SelfTest adds the kernel to a test.
func (n *RMSNorm) SelfTest(t *SelfTest) error {
	if !t.Needs(n.kernel) {
		return nil
	}
	p := n.params
	x, weight := t.operand("rows", testRows, p.K, p.XStride), t.vector("norm", p.K)
	y := t.operand("outputs", testRows, p.YStride, p.YStride)
	operands := []operand{x, weight, y}
	factor := operand{}
	if p.Scaled {
		factor = t.vector("factor", 1)
		operands = append(operands, factor)
	}
	if b := t.bind(n.kernel, t.step, operands...); b != nil {
		n.Record(&t.rec, b, testRows)
		t.expect(GroupRows, y, 0, p.K, func() func(row, column int) float64 {
			var scales [testRows]float64
			for m := range scales {
				scales[m] = rmsScale(p.K, p.Eps, func(i int) float64 { return x.at(m, i) })
			}
			return func(row, column int) float64 {
				source := testSource(row, p.Gather)
				v := x.at(source, column) * scales[source] * weight.at(0, column)
				if p.Add {
					v += y.at(row, column)
				}
				if p.Scaled {
					v *= factor.at(0, 0)
				}
				return v
			}
		}, n.kernel)
	}
	return t.err
}

// testSource is the row of x that a row of y is made of.
func testSource(row int, gather bool) int {
	if gather {
		return testRows - 1 - row
	}
	return row
}

// SelfTest adds the kernel to a test.
func (n *LayerNorm) SelfTest(t *SelfTest) error {
	if !t.Needs(n.kernel) {
		return nil
	}
	p := n.params
	x, weight, bias := t.operand("rows", testRows, p.K, p.XStride), t.vector("norm", p.K), t.vector("biases", p.K)
	y := t.operand("outputs", testRows, p.YStride, p.YStride)
	if b := t.bind(n.kernel, t.step, x, weight, bias, y); b != nil {
		n.Record(&t.rec, b, testRows)
		t.expect(GroupRows, y, 0, p.K, func() func(row, column int) float64 {
			var means, scales [testRows]float64
			for m := range means {
				means[m] = mean(p.K, func(i int) float64 { return x.at(m, i) })
				scales[m] = rmsScale(p.K, p.Eps, func(i int) float64 { return x.at(m, i) - means[m] })
			}
			return func(row, column int) float64 {
				source := testSource(row, p.Gather)
				return (x.at(source, column)-means[source])*scales[source]*weight.at(0, column) + bias.at(0, column)
			}
		}, n.kernel)
	}
	return t.err
}

// SelfTest adds the kernel to a test.
func (n *SliceNorm) SelfTest(t *SelfTest) error {
	if !t.Needs(n.kernel) {
		return nil
	}
	p := n.params
	width := p.Slices * p.Width
	x, weight, y := t.operand("rows", testRows, width, p.Stride), t.vector("norm", p.Width), t.operand("outputs", testRows, width, p.Stride)
	if b := t.bind(n.kernel, t.step, x, weight, y); b != nil {
		n.Record(&t.rec, b, testRows)
		t.expect(GroupRows, y, 0, width, func() func(row, column int) float64 {
			return func(row, column int) float64 {
				first := column / p.Width * p.Width
				scale := rmsScale(p.Width, p.Eps, func(i int) float64 { return x.at(row, first+i) })
				return (y.at(row, column) + x.at(row, column)*scale*weight.at(0, column-first)) * float64(p.Scale)
			}
		}, n.kernel)
	}
	return t.err
}

// SelfTest adds the kernel to a test.
func (n *GatedNorm) SelfTest(t *SelfTest) error {
	if !t.Needs(n.kernel) {
		return nil
	}
	p := n.params
	width := p.Groups * p.Width
	x, z, weight := t.operand("outputs", testRows, width, p.XStride), t.operand("gates", testRows, p.ZStride, p.ZStride), t.vector("norm", p.Weights)
	if b := t.bind(n.kernel, t.step, x, z, weight); b != nil {
		n.Record(&t.rec, b, testRows)
		t.expect(GroupRows, x, 0, width, func() func(row, column int) float64 {
			return func(row, column int) float64 {
				first := column / p.Width * p.Width
				gate := func(i int) float64 { return SiLU.of(z.at(row, p.ZOffset+i)) }
				scale := rmsScale(p.Width, p.Eps, func(i int) float64 {
					if p.GateFirst {
						return x.at(row, first+i) * gate(first+i)
					}
					return x.at(row, first+i)
				})
				return x.at(row, column) * gate(column) * scale * weight.at(0, column%p.Weights)
			}
		}, n.kernel)
	}
	return t.err
}

// SelfTest adds the kernel to a test.
func (n *HeadNorm) SelfTest(t *SelfTest) error {
	if !t.Needs(n.kernel) {
		return nil
	}
	p := n.params
	queries, keys := p.Heads*p.HeadDim, p.KVHeads*p.HeadDim
	width := queries + 2*keys
	qkv, weight, bias := t.operand("outputs", testRows, width, p.Stride), t.vector("norm", queries+keys+2*p.HeadDim), t.vector("biases", width)
	if b := t.bind(n.kernel, t.step, qkv, weight, bias); b != nil {
		n.Record(&t.rec, b, testRows)
		t.expect(GroupRows, qkv, 0, width, func() func(row, column int) float64 {
			return func(row, column int) float64 {
				raw := func(i int) float64 {
					if p.Bias {
						return qkv.at(row, i) + bias.at(0, i)
					}
					return qkv.at(row, i)
				}
				value := column >= queries+keys
				if value && p.Values == ValuesAsTheyAre {
					return raw(column)
				}
				from := column
				if value && p.Values == ValuesFromKeys {
					from -= keys
				}
				// The head that from is in, and all of them where they count as one.
				first, n := from/p.HeadDim*p.HeadDim, p.HeadDim
				if p.Whole && from < queries {
					first, n = 0, queries
				} else if p.Whole && !value {
					first, n = queries, keys
				}
				middle := 0.0
				if p.Centered {
					middle = mean(n, func(i int) float64 { return raw(first + i) })
				}
				y := (raw(from) - middle) * rmsScale(n, p.Eps, func(i int) float64 { return raw(first+i) - middle })
				switch {
				case value:
					return y
				case p.Stacked || p.Whole:
					return y * weight.at(0, column)
				case column >= queries:
					return y * weight.at(0, p.HeadDim+column-first)
				}
				return y * weight.at(0, column-first)
			}
		}, n.kernel)
	}
	return t.err
}
