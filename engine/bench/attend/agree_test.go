package attend

import (
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
)

// What is compared computes the same: flash and standard attention give equal results from the same noise, of every
// sequence of a batch.
func TestMethodsAgree(t *testing.T) {
	d := gputest.Device(t)
	c := Case{Kind: Forward, Method: Flash, Length: 70, queries: 70, HeadDim: 32, Heads: 2, KVHeads: 1, Batch: 2, Causal: true, KVType: "f32"}
	f := ready(t, d, c).(*flash)
	c.Method = standardNamed
	s := ready(t, d, c).(*standard)
	got, want := floats(t, f.operands.Out.Buffer), floats(t, s.out)
	assert.InDeltaSlice(t, want, got, 1e-5)
	assert.NotEqual(t, want[:70*64], want[70*64:], "sequences differ")
	assert.Greater(t, spreadOf(want), 0.1)
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

// spreadOf is the largest size of a number.
func spreadOf(x []float32) float64 {
	most := 0.0
	for _, f := range x {
		most = max(most, math.Abs(float64(f)))
	}
	return most
}
