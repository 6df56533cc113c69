package engine

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/step"
	"quire/tests/testdata"
)

// openModel opens a model of the test data on the test adapter.
func openModel(t testing.TB, name string, o Options) *Engine {
	t.Helper()
	f, size := testdata.Open(t, "models/"+name+".gguf")
	o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
	e, err := Open(context.Background(), gpu.ReaderSource(f, size), o)
	require.NoError(t, err)
	t.Logf("%s loaded in %.1f s", name, e.Info().LoadTime.Seconds())
	t.Cleanup(func() { assert.NoError(t, e.Close()) })
	return e
}

func submit(t testing.TB, e *Engine, r Request) *Stream {
	t.Helper()
	s, err := e.Submit(context.Background(), r)
	require.NoError(t, err)
	return s
}

// submitAll submits requests between two steps: all of them wait before the first begins, however busy the machine is.
func submitAll(t testing.TB, e *Engine, requests []Request) (streams []*Stream) {
	t.Helper()
	require.NoError(t, e.loop.Call(func() {
		for _, r := range requests {
			streams = append(streams, submit(t, e, r))
		}
	}))
	return streams
}

// after calls f between the n-th step that draws and the next, where a test that reads a stream may come much later. A prompt takes many
// steps before its kernels are there.
func after(e *Engine, n int, f func()) {
	e.trace = func(s *step.Step) {
		if len(s.Outputs) > 0 {
			if n--; n == 0 {
				_ = e.loop.Post(f)
			}
		}
	}
}

// prompts are token ids of different lengths that every vocabulary has.
func testPrompts(n int) [][]int32 {
	out := make([][]int32, n)
	for i := range out {
		length := []int{1, 17, 5, 40, 16, 23, 9, 64}[i%8]
		for j := range length {
			out[i] = append(out[i], int32(3+(i*131+j*j*7+j)%250))
		}
	}
	return out
}

// runsFew reports whether only a covering set of slow cases is wanted: on hosts that repeat the first one's, where compiling a
// model's kernels takes seconds on a software GPU.
func runsFew() bool { return !gputest.First && os.Getenv("QUIRE_ALL") == "" }

// loseAt has the device go at some of the engine's steps from here on, by number from 1, behind what traces them already.
func loseAt(e *Engine, losses ...int) {
	n, before := 0, e.trace
	e.trace = func(s *step.Step) {
		if before != nil {
			before(s)
		}
		if n++; slices.Contains(losses, n) {
			e.machine.device.Destroy()
		}
	}
}
