package kernel

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"quire/engine/gpu"
)

// SelfTest runs kernels once on what patterns give, and compares some of their outputs with what Go computes: wrong GPUs exist.
// What was added runs in one submission and comes back in one readback.
type SelfTest struct {
	dev     *gpu.Device
	passed  map[*gpu.Kernel]bool
	filler  *filler
	rec     gpu.Recorder
	results *gpu.Readback
	owned   []*gpu.Buffer
	shared  map[string]*gpu.Buffer // by label: a tape's operations use them in turn
	weights map[weightsKey]*testWeights
	inputs  map[inputsKey][][]float64
	checks  []check
	words   int // of all outputs
}

// SelfTestOutputs is how many outputs of a kernel are compared; resultWords is the room for those of all.
const (
	SelfTestOutputs = 64
	resultWords     = 1024 * SelfTestOutputs
)

// check is what kernels should give together.
type check struct {
	kernels   []*gpu.Kernel
	group     string
	want      []float64
	first     int     // word of the results
	tolerance float64 // of the largest output
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

// NewSelfTest makes an empty test. Kernels in passed need no test, and those that pass are added to it.
func NewSelfTest(d *gpu.Device, passed map[*gpu.Kernel]bool) (*SelfTest, error) {
	t := &SelfTest{dev: d, passed: passed, shared: map[string]*gpu.Buffer{}, weights: map[weightsKey]*testWeights{}, inputs: map[inputsKey][][]float64{}}
	var err error
	if t.filler, err = newFiller(d); err != nil {
		return nil, err
	}
	if t.results, err = d.NewReadback("self-test results", 4*resultWords); err != nil {
		t.Release()
		return nil, err
	}
	return t, nil
}

// Release gives the test's memory back.
func (t *SelfTest) Release() {
	t.filler.patterns.Release()
	t.results.Release()
	for _, b := range t.owned {
		b.Release()
	}
}

// Needs reports whether one of the kernels has not passed and is not part of this test.
func (t *SelfTest) Needs(kernels ...*gpu.Kernel) bool {
	for _, k := range kernels {
		if _, known := t.passed[k]; k != nil && !known {
			return t.words < resultWords-8*SelfTestOutputs
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
func (t *SelfTest) Step(s *StepData) (gpu.View, error) {
	data := words(s.AppendWords(nil))
	b, err := t.own("step", len(data)/4)
	if err != nil {
		return gpu.View{}, err
	}
	return b.All(), b.Upload(0, data)
}

// Recorder is where the kernels are recorded.
func (t *SelfTest) Recorder() *gpu.Recorder { return &t.rec }

// Take copies words of a buffer, as they are at this point of the tape, to the results.
func (t *SelfTest) Take(b *gpu.Buffer, at, words int) {
	t.rec.Copy(b, uint64(4*at), t.results.Buffer(), uint64(4*t.words), uint64(4*words))
	t.words += words
}

// Check says what was taken last, and should be, for kernels of a group. tolerance is a part of the largest output.
func (t *SelfTest) Check(group string, want []float64, tolerance float64, kernels ...*gpu.Kernel) {
	t.checks = append(t.checks, check{kernels: kernels, group: group, want: want, first: t.words - len(want), tolerance: tolerance})
	for _, k := range kernels {
		t.passed[k] = true
	}
}

// Run runs the test. It returns how the kernels that fail do, and takes them from those that pass.
func (t *SelfTest) Run(ctx context.Context) ([]*SelfTestError, error) {
	if len(t.checks) == 0 {
		return nil, nil
	}
	t.rec.Map(t.results, uint64(4*t.words))
	if err := t.dev.Submit(&t.rec); err != nil {
		return nil, err
	}
	data := make([]byte, 4*t.words)
	if err := t.results.Wait(ctx, data); err != nil {
		return nil, err
	}
	var failures []*SelfTestError
	for _, c := range t.checks {
		if e := c.compare(data); e != nil {
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
func (c *check) compare(results []byte) *SelfTestError {
	largest, worst := 0.0, 0.0
	for _, w := range c.want {
		largest = max(largest, math.Abs(w))
	}
	e := &SelfTestError{Kernel: c.kernels[0].Label(), Group: c.group, Of: len(c.want)}
	for i, w := range c.want {
		got := float64(math.Float32frombits(binary.LittleEndian.Uint32(results[4*(c.first+i):])))
		off := math.Abs(got - w)
		if off <= c.tolerance*largest { // NaN is not
			continue
		}
		if e.Wrong++; e.Wrong == 1 || !(off <= worst) {
			e.Got, e.Want, worst = got, w, off
		}
	}
	if e.Wrong == 0 {
		return nil
	}
	return e
}
