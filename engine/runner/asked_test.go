package runner

import (
	"bytes"
	"context"
	"encoding/binary"
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

// Behind the last layer's attention a step has as many tokens as outputs, for kernels that share work by their number. What asks nothing does
// nothing there.
func TestAskedTokens(t *testing.T) {
	if runtime.GOOS == "js" {
		t.Skip("the step's tape is the same there, and compiling takes seconds")
	}
	d, m := gputest.Device(t), tiny.Model{Architecture: "llama"}
	plan, err := model.NewPlan(m.File(t))
	require.NoError(t, err)
	data := m.Bytes(t)
	r, err := New(context.Background(), d, plan, gpu.ReaderSource(bytes.NewReader(data), int64(len(data))),
		Options{KVType: kernel.KVF16, Blocks: 9, BlockSize: 16, MaxSeqs: 2, TokenBudget: 40, MaxOutputs: 4, Context: 64, Depth: 1})
	require.NoError(t, err)
	defer r.Release()
	require.NoError(t, r.Open(0, sample.Params{}, sample.History{}))
	run := func(outputs ...int32) (tokens uint32, dispatches int) {
		s := probeStep(40, 16, 1)
		for _, token := range outputs {
			s.Outputs = append(s.Outputs, step.Output{Token: token, Sample: true})
		}
		require.NoError(t, r.Submit(s))
		_, err := r.Land(context.Background())
		require.NoError(t, err)
		var word [4]byte
		require.NoError(t, r.step.Read(context.Background(), 4*kernel.WordTokens, word[:]))
		return binary.LittleEndian.Uint32(word[:]), r.Stats().Dispatches
	}
	tokens, all := run(39, 38, 37)
	assert.EqualValues(t, 40, tokens, "three of 40 are many")
	tokens, _ = run(39, 17)
	assert.EqualValues(t, 2, tokens)
	tokens, none := run()
	assert.EqualValues(t, 40, tokens)
	assert.Less(t, none, all-6, "attention, three products, a head and a sampler")
}
