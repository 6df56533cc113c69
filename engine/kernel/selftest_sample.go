package kernel

import (
	"context"
	"math"
	mathbits "math/bits"
	"slices"
	"sync"

	"quire/engine/gpu"
	"quire/engine/sample"
)

// testSampling are the lanes of a sampler's test. All but the first draw among the tokens that are as likely as the best, which a
// low temperature leaves over.
var testSampling = []sample.Params{
	{Logprobs: testTop},
	{Temperature: testCold, TopP: 1, Seed: 3},
	{Temperature: testCold, TopP: 1, TopK: 3, Seed: 1 << 40},
	{Temperature: testCold, TopP: 0.5, MinP: 0.5, Seed: 5, Logprobs: testTop},
	{Temperature: testCold, TopP: 1, TopK: 300, Seed: 7}, // more than few, in large vocabularies
}

// testCold is so low a temperature that the least difference of logits leaves no mass; testTop is how many of the best tokens a
// lane asks for.
const (
	testCold = 1e-4
	testTop  = 3
)

// SelfTest adds the kernels that draw the best tokens to a test.
func (k *Sample) SelfTest(t *SelfTest) error { return k.Testing(Draws{}).SelfTest(t) }

// Testing tests what draws take, which must have been made.
func (k *Sample) Testing(d Draws) SelfTested {
	s := &sampleTest{Sample: k, draws: d, first: k.best, lanes: testSampling[:1]}
	if d.Random {
		s.first, s.lanes = k.choose, testSampling
	}
	if d.Logprobs {
		s.last = k.top
	}
	return s
}

type sampleTest struct {
	*Sample
	draws       Draws
	first, last *gpu.Kernel // beside the peaks'
	lanes       []sample.Params
}

func (k *sampleTest) Wait(ctx context.Context) error {
	return k.wait(ctx, k.pick, k.peak, k.withhold, k.first, k.last)
}

// SelfTest adds the kernels to a test: for each lane a token, of those that are not withheld.
func (k *sampleTest) SelfTest(t *SelfTest) error {
	if !t.Needs(k.first, k.pick, k.peak, k.last, k.withhold) {
		return nil
	}
	p, n, top := k.params, len(k.lanes), func(i int) int {
		if k.draws.Logprobs {
			return min(k.lanes[i].Logprobs, k.params.Vocab)
		}
		return 0
	}
	logits := t.operand("rows", n, p.Vocab, p.Stride)
	var lanes []uint32
	var list Withheld
	var s StepData
	list.Reset()
	for i := range k.lanes {
		words := k.lanes[i].Words()
		lanes = append(lanes, words[:]...)
		s.Outputs = append(s.Outputs, Output{Lane: uint32(i), Counter: uint32(i), Flags: OutputSample})
		if p.Vocab > 1 {
			list.Add(i, p.Stride, int32(withheldToken(logits, i, p.Vocab)))
		}
	}
	given := func(label string, words []uint32) (v gpu.View) {
		if t.err == nil {
			v, t.err = t.given(label, words)
		}
		return v
	}
	step, masks := given("step", s.AppendWords(nil)), given("masks", noneAndAll(MaskWords(p.Vocab)))
	laneParams, withheld := given("lanes", lanes), given("withheld", list)
	var picks Choices
	picks.Reset(n)
	for i := range n { // the mask that allows all, behind any token
		picks.Output(i)
		picks.Add(i, AnyToken, 1)
	}
	choices := given("choices", picks)
	words := int(k.ScratchBytes(n) / 4)
	scratch, tokens, results := t.operand("scratch", 1, words, words), t.vector("gates", n), t.operand("outputs", n, ResultWords, ResultWords)
	if t.err != nil {
		return t.err
	}
	b, err := k.Bind(step, logits.view, masks, scratch.view, laneParams, tokens.view, results.view, withheld, choices)
	if err != nil {
		return err
	}
	draw := k.draws
	if err := k.Ready(context.Background(), b, draw); err != nil {
		return err
	}
	draw.Outputs, draw.Withheld, draw.Pick = n, list.Len(), true
	k.Record(&t.rec, b, draw)
	kernels := []*gpu.Kernel{k.first, k.pick, k.peak, k.withhold, k.last}
	float := func(w uint32) float64 { return float64(math.Float32frombits(w)) }
	each := func(ids, logprobs func(i int, result []uint32) []float64) func(words []uint32, _ []float64) []float64 {
		return func(words []uint32, _ []float64) (all []float64) {
			for i := range n {
				for _, of := range []func(i int, result []uint32) []float64{ids, logprobs} {
					if of != nil {
						all = append(all, of(i, words[i*ResultWords:])...)
					}
				}
			}
			return all
		}
	}
	draws := make([]func() expected, n)
	for i := range draws {
		draws[i] = sync.OnceValue(func() expected { return drawn(logits, i, p.Vocab) })
	}
	t.Take(results.buffer, 0, n*ResultWords)
	t.check(check{kernels: kernels, group: GroupRows, want: func() (all []float64) {
		for i := range n {
			d := draws[i]()
			all = append(all, float64(d.token))
			all = append(all, d.best[:top(i)]...)
		}
		return all
	}, got: each(func(i int, result []uint32) []float64 {
		ids := []float64{float64(result[0])}
		for j := range top(i) {
			ids = append(ids, float64(result[4+3*j]))
		}
		return ids
	}, nil)})
	if !draw.Logprobs {
		return nil
	}
	t.Take(results.buffer, 0, n*ResultWords)
	t.check(check{kernels: kernels, group: GroupRows, tolerance: rowTolerance, want: func() (all []float64) {
		for i := range n {
			all = append(all, draws[i]().logprobs[:top(i)]...)
		}
		return all
	}, got: each(nil, func(i int, result []uint32) (all []float64) {
		for j := range top(i) {
			all = append(all, float(result[6+3*j]))
		}
		return all
	})})
	return nil
}

// noneAndAll is two masks.
func noneAndAll(words int) []uint32 {
	masks := make([]uint32, 2*words)
	for i := range words {
		masks[words+i] = math.MaxUint32
	}
	return masks
}

// withheldToken is the most likely one, the lowest id of equals.
func withheldToken(logits operand, row, vocab int) int {
	best, top := 0, -1
	for id := range vocab {
		if level := logits.level(row*logits.stride+id, 0); level > top {
			if best, top = id, level; level == 254 { // there are none above
				break
			}
		}
	}
	return best
}

// expected is what a lane should be given: its token, the best ones and their log-probabilities.
type expected struct {
	token          int
	best, logprobs []float64
}

func drawn(logits operand, row, vocab int) (e expected) {
	p := testSampling[row]
	withheld := withheldToken(logits, row, vocab)
	var counts [255]int // of logits, which are so many sixty-fourths
	var ids [255][]int
	for id := range vocab {
		level := logits.level(row*logits.stride+id, 0)
		if counts[level]++; level > 245 || vocab < 1<<12 { // enough for the best
			ids[level] = append(ids[level], id)
		}
	}
	total := 0.0
	for level, n := range counts {
		total += float64(n) * math.Exp(float64(level-127)/64)
	}
	var likely []int // the most likely ones that are not withheld
	for level, all := range slices.Backward(ids[:]) {
		x := float64(level-127) / 64
		for _, id := range all {
			if len(e.best) < min(p.Logprobs, vocab) {
				e.best = append(e.best, float64(id))
				e.logprobs = append(e.logprobs, x-math.Log(total))
			}
		}
		if likely == nil {
			likely = slices.DeleteFunc(slices.Clone(all), func(id int) bool { return id == withheld && vocab > 1 })
			if len(likely) == 0 {
				likely = nil
			}
		}
	}
	if e.token = likely[0]; p.Greedy() {
		return e
	}
	if p.TopK > 0 {
		likely = likely[:min(p.TopK, len(likely))]
	}
	if p.TopP < 1 {
		likely = likely[:max(1, int(math.Ceil(p.TopP*float64(len(likely)))))]
	}
	at, _ := mathbits.Mul64(sample.Uniform(p.Seed, uint32(row)), uint64(len(likely)))
	e.token = likely[at]
	return e
}
