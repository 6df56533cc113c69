package kernel

import "quire/engine/gpu"

// testAdapters are those of testStep's two sequences, of so many ranks that there is room for.
func testAdapters(rank int) [][]Adapter {
	return [][]Adapter{
		{{Ranks: min(rank, 5), Factor: 0.5}, {First: rank / 2, Ranks: 1, Factor: 1}},
		{{First: rank - min(rank, 3), Ranks: min(rank, 3), Factor: 2}},
	}
}

// testLists are the lists that they make.
func testLists(rank int) (lists [][]AdapterFour) {
	for _, adapters := range testAdapters(rank) {
		lists = append(lists, AdapterFours(adapters))
	}
	return lists
}

// testFours is how long the longer list is.
func testFours(rank int) int { return (&StepData{Adapters: testLists(rank)}).fours() }

// adapterStep is testStep with adapters.
func (t *SelfTest) adapterStep(rank int) gpu.View {
	s := testStep()
	s.Adapters = testLists(rank)
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
	for i := range testFours(p.Rank) {
		four := min(int(max(buffer.at(0, p.listWord(m)+i), 0)), p.ranks()/4)
		for r := 0; four > 0 && r < 4; r++ {
			sum += buffer.at(0, p.sumsWord(m, slot)+4*i+r) * buffer.at(0, p.bWord(row, 4*(four-1)+r))
		}
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
		per, slot := fewRanks, len(p.Slots)-1
		if k == l.many {
			per = manyRanks
		}
		t.rec.Dispatch(k, bound, uint32(testFours(p.Rank)*4/per), testRows, uint32(len(p.Slots)))
		for m := range testRows {
			t.Take(b.buffer, p.listWord(m), testFours(p.Rank))
			t.Take(b.buffer, p.sumsWord(m, slot), p.ranks())
		}
		t.Check(GroupRows, func() (want []float64) {
			for m := range testRows {
				source := testSource(m, p.Gather)
				scale := 1.0
				if k == l.many && p.Norm {
					scale = rmsScale(p.K, p.Eps, func(i int) float64 { return x.at(source, i) })
				}
				fours := AdapterFours(p.of(m))
				for i := range testFours(p.Rank) {
					number := 0
					if i < len(fours) {
						number = fours[i].Number + 1
					}
					want = append(want, float64(number))
				}
				for i := range p.ranks() {
					sum := b.at(0, p.sumsWord(m, slot)+i) // where no adapter has ranks
					if i/4 < len(fours) {
						sum = 0
						r, factor := 4*fours[i/4].Number+i%4, fours[i/4].Factors[i%4]
						for c := 0; factor != 0 && c < p.K; c++ {
							v := x.at(source, c)
							if p.Norm {
								v *= norm.at(0, c)
							}
							sum += scale * float64(factor) * v * a.at(slot*p.Rank+r, c)
						}
					}
					want = append(want, sum)
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
	const first, ranks, words = 3, 3, 8 * testRows // some of two fours
	source, b := t.operand("down", testRows, ranks, ranks), t.operand("adapters", 1, words, words)
	if t.err != nil {
		return t.err
	}
	place, err := t.given("place", []uint32{testRows, ranks, first})
	if err != nil {
		return err
	}
	if bound := t.bind(k.kernel, place, source, b); bound != nil {
		t.rec.Dispatch(k.kernel, bound, 1, 1, 1)
		t.Take(b.buffer, 0, words)
		t.Check(GroupRows, func() (want []float64) {
			for at := range words {
				row, rank := at/4%testRows, at/4/testRows*4+at%4
				if rank < first || rank >= first+ranks {
					want = append(want, b.at(0, at))
				} else {
					want = append(want, source.at(row, rank-first))
				}
			}
			return want
		}, rowTolerance, k.kernel)
	}
	return t.err
}
