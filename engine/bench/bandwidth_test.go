package bench

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu/gputest"
)

func TestReaderReadsEveryWord(t *testing.T) {
	ctx := context.Background()
	r, err := newReader(gputest.Device(t), 3*groupBytes)
	require.NoError(t, err)
	defer r.release()
	require.EqualValues(t, 3*groupBytes, r.data.Size())

	data := make([]byte, r.data.Size())
	random := rand.New(rand.NewPCG(1, 2))
	want := uint32(0)
	for i := 0; i < len(data); i += 4 {
		word := random.Uint32()
		binary.LittleEndian.PutUint32(data[i:], word)
		want += word
	}
	require.NoError(t, r.data.Upload(0, data))
	require.NoError(t, r.run(ctx, 1))

	sums := make([]byte, r.sums.Size())
	require.NoError(t, r.sums.Read(ctx, 0, sums))
	got := uint32(0)
	for i := 0; i < len(sums); i += 4 {
		got += binary.LittleEndian.Uint32(sums[i:])
	}
	assert.Equal(t, want, got)
}

func TestBandwidthIsPositive(t *testing.T) {
	bytesPerSecond, err := Bandwidth(context.Background(), gputest.Device(t))
	require.NoError(t, err)
	assert.Greater(t, bytesPerSecond, 0.0)
}
