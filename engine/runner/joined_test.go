package runner

import (
	"bytes"
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
	"quire/engine/model"
	"quire/engine/sample"
	"quire/engine/step"
	"quire/tests/tiny"
)

// Steps that are held back go together, but for one that brings more than its tokens; none do where none may, which takes no memory for
// steps ahead.
func TestJoined(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("the same there, and compiling takes seconds")
	}
	d, m := gputest.Device(t), tiny.Model{Architecture: "llama"}
	plan, err := model.NewPlan(m.File(t))
	require.NoError(t, err)
	data := m.Bytes(t)
	for together, want := range map[int]uint64{0: 0, 2: 2, 3: 3, 6: 3} {
		r, err := New(context.Background(), d, plan, gpu.ReaderSource(bytes.NewReader(data), int64(len(data))),
			Options{KVType: kernel.KVF16, Blocks: 9, BlockSize: 16, MaxSeqs: 2, TokenBudget: 16, MaxOutputs: 4, Context: 64, Depth: 6, Together: together})
		require.NoError(t, err)
		assert.Equal(t, together > 1, r.ahead != nil)
		require.NoError(t, r.Open(0, sample.Params{}, sample.History{}))
		submit := func(logits bool) {
			s := probeStep(1, 16, 1)
			s.Outputs = []step.Output{{Sample: true, Logits: logits}}
			require.NoError(t, r.Submit(s))
		}
		land := func() {
			_, err := r.Land(context.Background())
			require.NoError(t, err)
		}
		submit(false) // which brings what Open gave
		land()
		require.NoError(t, r.Hold(true))
		for i := range 6 {
			submit(i == 2)
		}
		require.NoError(t, r.Hold(false))
		for range 6 {
			land()
		}
		assert.Equal(t, want, r.Stats().Joined, "%d together", together)
		r.Release()
	}
}
