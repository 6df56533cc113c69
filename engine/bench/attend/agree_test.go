package attend

import (
	"context"
	"encoding/binary"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
)

// What is compared computes the same: flash and standard attention give equal results and gradients from the same noise,
// for every sequence of a batch.
func TestMethodsAgree(t *testing.T) {
	if runtime.GOOS == "js" && os.Getenv("QUIRE_ALL") == "" {
		t.Skip("engine/attention compares each of its kernels with float64 here")
	}
	d := gputest.Device(t)
	c := Case{Kind: Backward, Method: Flash, Length: 70, queries: 70, HeadDim: 32, Heads: 2, KVHeads: 1, Batch: 2, Causal: true, KVType: "f32"}
	g := ready(t, d, c).(*gradient)
	c.Method = standardNamed
	s := ready(t, d, c).(*standard)
	c.Kind = Forward
	f := ready(t, d, c).(*standard)
	for name, pair := range map[string][2]*gpu.Buffer{
		"out": {f.out, g.operands.Out.Buffer}, "dQ": {s.grads[0], g.inputs.DQ.Buffer}, "dK": {s.grads[1], g.inputs.DK.Buffer}, "dV": {s.grads[2], g.inputs.DV.Buffer},
	} {
		want, got := floats(t, pair[0]), floats(t, pair[1])
		assert.InDeltaSlice(t, want, got, 2e-5, name)
		assert.NotEqual(t, want[:len(want)/2], want[len(want)/2:], "sequences differ")
		assert.Greater(t, largest(want), 0.05, name)
	}
}

// ready runs a case once.
func ready(t *testing.T, d *gpu.Device, c Case) launch {
	l, err := newLaunch(d, c)
	require.NoError(t, err)
	t.Cleanup(l.release)
	require.NoError(t, l.wait(context.Background()))
	require.NoError(t, l.bind())
	var rec gpu.Recorder
	l.record(&rec)
	require.NoError(t, d.Submit(&rec))
	return l
}

func floats(t *testing.T, b *gpu.Buffer) []float32 {
	data := make([]byte, b.Size())
	require.NoError(t, b.Read(context.Background(), 0, data))
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

// largest is the largest size of a number.
func largest(x []float32) float64 {
	most := 0.0
	for _, f := range x {
		most = max(most, math.Abs(float64(f)))
	}
	return most
}
