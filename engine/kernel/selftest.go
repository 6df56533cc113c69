package kernel

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"

	"quire/engine/breath"
	"quire/engine/gpu"
)

// SelfTest runs kernels once on what patterns give, and compares some of their outputs with what Go computes: wrong GPUs exist.
// What was added runs in one submission and comes back in one readback. Go computes meanwhile, from the moment that a kernel is
// added. The first error sticks.
type SelfTest struct {
	dev     *gpu.Device
	passed  map[*gpu.Kernel]bool
	added   map[*gpu.Kernel]bool // to this test
	filler  *filler
	repack  *Repacker
	rec     gpu.Recorder
	results *gpu.Readback
	owned   []*gpu.Buffer
	shared  map[string]*gpu.Buffer // by label: a tape's operations use them in turn
	weights map[weightsKey]*testWeights
	inputs  map[inputsKey]func() [][]float64
	step    gpu.View // of the rows that most kernels are tested with
	checks  []check
	turns   chan struct{} // of those that compute
	work    breath.Breath
	words   int // of all outputs
	err     error
}

// SelfTested is what has kernels that a self-test may run.
type SelfTested interface {
	// Wait waits until the kernels have compiled.
	Wait(ctx context.Context) error
	// SelfTest adds the kernels, which have compiled, to a test.
	SelfTest(t *SelfTest) error
}

// SelfTestOutputs is how many outputs of a kernel are compared; resultWords is the room for those of all.
const (
	SelfTestOutputs = 64
	resultWords     = 4096 * SelfTestOutputs
)

// Groups of kernels that fall back together.
const (
	GroupProducts  = "products"
	GroupAttention = "attention"
	GroupRows      = "rows" // what walks or normalises rows, and kernels that have nothing to fall back to
)

// check is what kernels should give together.
type check struct {
	kernels   []*gpu.Kernel
	group     string
	want      func() []float64
	wanted    chan []float64
	got       func(words []uint32, want []float64) []float64 // nil: words are floats
	first, n  int                                            // words of the results
	tolerance float64                                        // of the largest output
}

// SelfTestError says that an adapter computes wrongly.
type SelfTestError struct {
	Adapter, Kernel string
	Group           string // of the kernel
	Got, Want       float64
	Wrong, Of       int // outputs
}

func (e *SelfTestError) Error() string {
	return fmt.Sprintf("adapter %s computes wrongly: kernel %s gives %.6g where %.6g is right, %d of %d outputs differ; a newer driver may help, or another adapter",
		e.Adapter, e.Kernel, e.Got, e.Want, e.Wrong, e.Of)
}

// NewSelfTest makes an empty test. Kernels in passed need no test, and those that pass Run are added to it.
func NewSelfTest(d *gpu.Device, passed map[*gpu.Kernel]bool) (*SelfTest, error) {
	t := &SelfTest{
		dev: d, passed: passed, added: map[*gpu.Kernel]bool{}, turns: make(chan struct{}, runtime.GOMAXPROCS(0)),
		shared: map[string]*gpu.Buffer{}, weights: map[weightsKey]*testWeights{}, inputs: map[inputsKey]func() [][]float64{},
	}
	var err error
	if t.filler, err = newFiller(d); err != nil {
		return nil, err
	}
	if t.repack, err = NewRepacker(d); err == nil {
		t.results, err = d.NewReadback("self-test results", 4*resultWords)
	}
	if err == nil {
		t.step, err = t.Step(testStep())
	}
	if err != nil {
		t.Release()
		return nil, err
	}
	return t, nil
}

// Release gives the test's memory back.
func (t *SelfTest) Release() {
	t.filler.patterns.Release()
	if t.repack != nil {
		t.repack.Release()
	}
	if t.results != nil {
		t.results.Release()
	}
	for _, b := range t.owned {
		b.Release()
	}
}

// Needs reports whether one of the kernels has not passed and is not part of this test.
func (t *SelfTest) Needs(kernels ...*gpu.Kernel) bool {
	for _, k := range kernels {
		if k != nil && !t.passed[k] && !t.added[k] {
			return t.err == nil && t.words < resultWords-64*SelfTestOutputs
		}
	}
	return false
}

// Buffer gives a buffer of words, which holds what the last to ask for the label has left.
func (t *SelfTest) Buffer(label string, words int) (*gpu.Buffer, error) {
	if b := t.shared[label]; b != nil && b.Size() >= uint64(4*words) {
		return b, nil
	}
	b, err := t.own(label, words)
	if err == nil {
		t.shared[label] = b
	}
	return b, err
}

// own makes a buffer of words.
func (t *SelfTest) own(label string, words int) (*gpu.Buffer, error) {
	b, err := t.dev.NewBuffer("self-test "+label, uint64(4*words), gpu.Storage)
	if err == nil {
		t.owned = append(t.owned, b)
	}
	return b, err
}

// Filled gives a buffer that a pattern fills, in turn with what else is recorded.
func (t *SelfTest) Filled(label string, words int, p Pattern) (*gpu.Buffer, error) {
	b, err := t.Buffer(label, words)
	if err == nil {
		err = t.filler.record(&t.rec, b, words, p, nil)
	}
	return b, err
}

// Step makes a step buffer.
func (t *SelfTest) Step(s *StepData) (gpu.View, error) { return t.given("step", s.AppendWords(nil)) }

// given makes a buffer that holds words.
func (t *SelfTest) given(label string, list []uint32) (gpu.View, error) {
	b, err := t.own(label, len(list))
	if err != nil {
		return gpu.View{}, err
	}
	return b.All(), b.Upload(0, words(list))
}

// Recorder is where the kernels are recorded.
func (t *SelfTest) Recorder() *gpu.Recorder { return &t.rec }

// Take copies words of a buffer, as they are at this point of the tape, to the results.
func (t *SelfTest) Take(b *gpu.Buffer, at, words int) {
	t.rec.Copy(b, uint64(4*at), t.results.Buffer(), uint64(4*t.words), uint64(4*words))
	t.words += words
}

// Check says what was taken since the last check, and should be, for kernels of a group. tolerance is a part of the largest
// output. want is called at the same time as others.
func (t *SelfTest) Check(group string, want func() []float64, tolerance float64, kernels ...*gpu.Kernel) {
	t.check(check{kernels: kernels, group: group, want: want, tolerance: tolerance})
}

func (t *SelfTest) check(c check) {
	c.wanted = make(chan []float64, 1)
	go func() {
		t.turns <- struct{}{}
		c.wanted <- c.want()
		t.work.Take()
		<-t.turns
	}()
	if last := len(t.checks) - 1; last >= 0 {
		c.first = t.checks[last].first + t.checks[last].n
	}
	c.n = t.words - c.first
	t.checks = append(t.checks, c)
	for _, k := range c.kernels {
		if k != nil {
			t.added[k] = true
		}
	}
}

// Run runs the test. It returns how the kernels that fail do; the others have passed. Where it fails itself none has.
func (t *SelfTest) Run(ctx context.Context) ([]*SelfTestError, error) {
	if len(t.checks) == 0 || t.err != nil {
		return nil, t.err
	}
	t.rec.Map(t.results, uint64(4*t.words))
	if err := t.filler.upload(); err != nil {
		return nil, err
	}
	if err := t.dev.Submit(&t.rec); err != nil {
		return nil, err
	}
	data := make([]byte, 4*t.words)
	if err := t.results.Wait(ctx, data); err != nil {
		return nil, err
	}
	var failures []*SelfTestError
	for k := range t.added {
		t.passed[k] = true
	}
	for _, c := range t.checks {
		results := make([]uint32, c.n)
		for j := range results {
			results[j] = binary.LittleEndian.Uint32(data[4*(c.first+j):])
		}
		if e := c.compare(results, <-c.wanted); e != nil {
			e.Adapter = t.dev.Info().Name
			failures = append(failures, e)
			for _, k := range c.kernels {
				delete(t.passed, k)
			}
		}
	}
	return failures, nil
}

// compare returns nil where all outputs are near enough.
func (c *check) compare(results []uint32, want []float64) *SelfTestError {
	var got []float64
	if c.got != nil {
		got = c.got(results, want)
	} else {
		for _, w := range results {
			got = append(got, float64(math.Float32frombits(w)))
		}
	}
	largest, worst := 0.0, 0.0
	for _, w := range want {
		largest = max(largest, math.Abs(w))
	}
	e := &SelfTestError{Kernel: c.kernels[0].Label(), Group: c.group, Of: len(want)}
	for i, w := range want {
		off := math.Abs(got[i] - w)
		if off <= c.tolerance*largest { // NaN is not
			continue
		}
		if e.Wrong++; e.Wrong == 1 || !(off <= worst) {
			e.Got, e.Want, worst = got[i], w, off
		}
	}
	if e.Wrong == 0 {
		return nil
	}
	return e
}
