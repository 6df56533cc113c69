package kernel

import "quire/engine/gpu"

// testAdapters are those of testStep's two sequences, of so many ranks that there is room for.
func testAdapters(rank int) [][]Adapter {
	return [][]Adapter{
		{{Ranks: min(rank, 5), Factor: 0.5}, {First: rank / 2, Ranks: 1, Factor: 1}},
		{{First: rank - min(rank, 3), Ranks: min(rank, 3), Factor: 2}},
	}
}

// adapterStep is testStep with adapters.
func (t *SelfTest) adapterStep(rank int) gpu.View {
	s := testStep()
	s.Rank, s.Adapters = rank, testAdapters(rank)
	var v gpu.View
	if t.err == nil {
		v, t.err = t.Step(s)
	}
	return v
}

// of are the adapters of row m.
func (p *LoRAParams) of(m int) []Adapter {
	token := m
	if p.MWord == WordOutputs {
		token = testRows - 1 - m
	}
	all := testAdapters(p.Rank)
	if token < int(testStep().Rows[1].First) {
		return all[0]
	}
	return all[1]
}

// adapted is what a product's kernel should add for row m and a row of all matrices, from a buffer that a pattern fills.
func (p *LoRAParams) adapted(buffer operand, m, row int) float64 {
	slot := 0
	for i, begin := range p.Slots {
		if row >= begin {
			slot = i
		}
	}
	if p.InTurn {
		slot = row % 2
	}
	sum := 0.0
	for r := range p.ranks() {
		sum += buffer.at(0, (p.N+m*len(p.Slots)+slot)*p.ranks()+r) * buffer.at(0, row*p.ranks()+r)
	}
	return sum
}

// SelfTest adds the kernels to a test.
func (l *LoRA) SelfTest(t *SelfTest) error {
	p := &l.params
	for _, k := range []*gpu.Kernel{l.few, l.many} {
		if !t.Needs(k) {
			continue
		}
		step, stride, words := t.adapterStep(p.Rank), RowStride(p.K), p.BWords(testRows)
		a, x := t.operand("down", len(p.Slots)*p.Rank, p.K, stride), t.operand("rows", testRows, p.K, p.XStride)
		norm, b := x, t.operand("adapters", 1, words, words)
		if p.Norm {
			norm = t.vector("norm", p.K)
		}
		bound := t.bind(k, step, a, x, norm, b)
		if bound == nil {
			return t.err
		}
		t.rec.Dispatch(k, bound, uint32(len(p.Slots)*p.ranks()/4), testRows, 1)
		for m := range testRows {
			t.Take(b.buffer, (p.N+(m+1)*len(p.Slots)-1)*p.ranks(), p.Rank)
		}
		t.Check(GroupRows, func() (want []float64) {
			for m := range testRows {
				source := testSource(m, p.Gather)
				scale := 1.0
				if k == l.many && p.Norm {
					scale = rmsScale(p.K, p.Eps, func(i int) float64 { return x.at(source, i) })
				}
				factors := make([]float64, p.Rank)
				for _, a := range p.of(m) {
					for r := a.First; r < a.First+a.Ranks; r++ {
						factors[r] = float64(a.Factor)
					}
				}
				for r, factor := range factors {
					if factor == 0 {
						want = append(want, 0)
						continue
					}
					sum, row := 0.0, (len(p.Slots)-1)*p.Rank+r
					for i := range p.K {
						v := x.at(source, i)
						if p.Norm {
							v *= norm.at(0, i)
						}
						sum += v * a.at(row, i)
					}
					want = append(want, sum*scale*factor)
				}
			}
			return want
		}, rowTolerance, k)
	}
	return t.err
}

// SelfTest adds the kernel to a test.
func (k *LoRAPlace) SelfTest(t *SelfTest) error {
	if !t.Needs(k.kernel) {
		return nil
	}
	ranks := min(3, k.stride)
	first := k.stride - ranks
	source, b := t.operand("down", testRows, ranks, ranks), t.operand("adapters", testRows, k.stride, k.stride)
	if t.err != nil {
		return t.err
	}
	place, err := t.given("place", []uint32{testRows, uint32(ranks), uint32(first)})
	if err != nil {
		return err
	}
	if bound := t.bind(k.kernel, place, source, b); bound != nil {
		t.rec.Dispatch(k.kernel, bound, 1, 1, 1)
		t.expect(GroupRows, b, 0, k.stride, func() func(row, column int) float64 {
			return func(row, column int) float64 {
				if column >= first {
					return source.at(row, column-first)
				}
				return b.at(row, column)
			}
		}, k.kernel)
	}
	return t.err
}
