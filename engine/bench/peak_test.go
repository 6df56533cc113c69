package bench

import (
	"context"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu/gputest"
)

// With a factor of one each multiply-add adds its summand: a sum tells how many were made.
func TestMultiplierMakesEveryFMA(t *testing.T) {
	const step = 1.0 / 1024
	m, err := newMultiplier(gputest.Device(t), 2, 1, step)
	require.NoError(t, err)
	defer m.release()
	require.NoError(t, m.run(context.Background(), 1))
	data := make([]byte, m.sums.Size())
	require.NoError(t, m.sums.Read(context.Background(), 0, data))
	for i := range 2 * workgroup {
		// Sums begin at n, n+1, n+step and n+1+step, in four components each.
		begin := 4 * (4*float64(i%16) + 2 + 2*step)
		got := float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		require.InDelta(t, begin+fmaRounds*roundFMAs*step, got, 1e-3, "invocation %d", i)
	}
	assert.Equal(t, 2.0*fmaRounds*roundFMAs*2*workgroup, m.operations())
}

func TestRatesArePositive(t *testing.T) {
	operations, err := FMARate(context.Background(), gputest.Device(t))
	require.NoError(t, err)
	assert.Positive(t, operations)
	bytes, err := CopyBandwidth(context.Background(), gputest.Device(t))
	require.NoError(t, err)
	assert.Positive(t, bytes)
}
