package kernel

import (
	"context"

	"quire/engine/gpu"
)

// Ahead puts a step that was written elsewhere, while the one before it was read, where steps are read. A copy would do that too, but behind
// one a GPU has nothing of what it computed with in its caches: that takes a large one as long as ten kernels.
type Ahead struct {
	device *gpu.Device
	kernel *gpu.Kernel
}

// AheadRows is what the words of a step are rounded up to.
const AheadRows = 64

// NewAhead starts compiling the kernel.
func NewAhead(d *gpu.Device) (*Ahead, error) {
	m, err := Module(d, Spec{File: "ahead", Variant: "baseline", Bindings: []gpu.Binding{gpu.ReadOnly, gpu.ReadWrite}})
	if err != nil {
		return nil, err
	}
	return &Ahead{device: d, kernel: d.Kernel(m)}, nil
}

// Wait blocks until the kernel is compiled.
func (k *Ahead) Wait(ctx context.Context) error { return k.kernel.Wait(ctx) }

// Bind binds where the step was written, and where steps are read.
func (k *Ahead) Bind(ahead, step gpu.View) (*gpu.BindGroup, error) {
	return k.device.Bind(k.kernel, ahead, step)
}

// Record records it, for a step of so many words.
func (k *Ahead) Record(rec *gpu.Recorder, g *gpu.BindGroup, words int) {
	rec.Dispatch(k.kernel, g, uint32(ceilDiv(words, AheadRows)), 1, 1)
}

// SelfTest adds the kernel to a test.
func (k *Ahead) SelfTest(t *SelfTest) error {
	if !t.Needs(k.kernel) {
		return nil
	}
	given := make([]uint32, 3*AheadRows)
	for i := range given {
		given[i] = uint32(1000 + i)
	}
	var ahead, step gpu.View
	if ahead, t.err = t.given("step ahead", given); t.err != nil {
		return t.err
	}
	if step, t.err = t.given("step before", make([]uint32, len(given))); t.err != nil {
		return t.err
	}
	if b := t.bind(k.kernel, ahead, operand{view: step}); b != nil {
		k.Record(&t.rec, b, len(given)-1)
		t.Take(step.Buffer, len(given)-SelfTestOutputs, SelfTestOutputs)
		t.check(check{kernels: []*gpu.Kernel{k.kernel}, group: GroupRows,
			want: func() []float64 { return floatsOf(given[len(given)-SelfTestOutputs:]) },
			got:  func(words []uint32, _ []float64) []float64 { return floatsOf(words) },
		})
	}
	return t.err
}

func floatsOf(words []uint32) (floats []float64) {
	for _, w := range words {
		floats = append(floats, float64(w))
	}
	return floats
}
