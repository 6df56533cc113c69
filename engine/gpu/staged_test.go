//go:build !js

package gpu

import (
	"context"
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// counting is a file whose words count up. It waits where it is told to.
type counting struct {
	size  int64
	gates map[int64]chan struct{} // by offset of a read
}

func (counting) Parallel() bool { return true }

func (c counting) ReadAt(p []byte, offset int64) (int, error) {
	if gate := c.gates[offset]; gate != nil {
		<-gate
	}
	n := int(min(int64(len(p)), c.size-offset))
	for i := 0; i < n; i += word {
		binary.LittleEndian.PutUint32(p[i:], uint32(offset+int64(i))/word)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// A file longer than all stages goes through them, again and again, however pieces are skipped; they are given back in the end.
func TestStagedGoesRound(t *testing.T) {
	ctx := context.Background()
	d := open(t)
	const each = stageBytes + stageBytes/2
	file := counting{size: (2*mostStages + 3) * stageBytes}
	s := ReaderSource(file, file.size)
	defer s.Close()
	b := buffer(t, d, "target", each, Storage)
	before := d.Stats()
	first, last := make([]byte, word), make([]byte, word)
	for at := int64(0); at+each <= file.size; at += each {
		if at/each%7 == 6 {
			continue
		}
		require.NoError(t, s.Upload(ctx, b, 0, at, each))
		require.NoError(t, b.Read(ctx, 0, first))
		require.NoError(t, b.Read(ctx, each-word, last))
		require.Equal(t, uint32(at/word), binary.LittleEndian.Uint32(first))
		require.Equal(t, uint32((at+each)/word-1), binary.LittleEndian.Uint32(last))
		assert.LessOrEqual(t, d.Stats().Buffers, before.Buffers+mostStages)
	}
	assert.Greater(t, d.Stats().Buffers, before.Buffers)
	d.Settle()
	after := d.Stats()
	assert.Equal(t, before.Buffers, after.Buffers)
	assert.Equal(t, before.Bytes, after.Bytes)
	require.NoError(t, s.Upload(ctx, b, 0, 4*word, word))
	require.NoError(t, b.Read(ctx, 0, first))
	assert.Equal(t, uint32(4), binary.LittleEndian.Uint32(first))
}

// Who waits for a read can stop; a device is not released before what is read into its memory.
func TestStagedEnds(t *testing.T) {
	ctx := context.Background()
	d, err := Open(ctx, Options{})
	require.NoError(t, err)
	gate := make(chan struct{})
	file := counting{size: 4 * stageBytes, gates: map[int64]chan struct{}{stageBytes: gate}}
	s := ReaderSource(file, file.size)
	b, err := d.NewBuffer("target", stageBytes, Storage)
	require.NoError(t, err)
	require.NoError(t, s.Upload(ctx, b, 0, 0, stageBytes))
	ended, cancel := context.WithCancel(ctx)
	quit := s.(*readerSource).staged.quit
	failed := make(chan error, 1)
	go func() { failed <- s.Upload(ended, b, 0, stageBytes-word, 2*word) }()
	cancel()
	select {
	case <-quit:
		close(gate)
		err = <-failed
	case err = <-failed: // it had not begun
		close(gate)
	}
	assert.ErrorIs(t, err, context.Canceled)

	d.Settle()
	again := make(chan struct{})
	file.gates[stageBytes] = again
	require.NoError(t, s.Upload(ctx, b, 0, 0, stageBytes))
	released := make(chan struct{})
	go func() {
		d.Release()
		close(released)
	}()
	select {
	case <-released:
		require.Fail(t, "released while it was read into")
	case <-s.(*readerSource).staged.quit:
	}
	close(again)
	<-released
	assert.Error(t, s.Upload(ctx, b, 0, 0, word))

	next := open(t)
	to := buffer(t, next, "target", 64, Storage)
	require.NoError(t, s.Upload(ctx, to, 0, 64, 64))
	got := make([]byte, word)
	require.NoError(t, to.Read(ctx, 0, got))
	assert.Equal(t, uint32(16), binary.LittleEndian.Uint32(got))
	require.NoError(t, s.Close())
}

// A lost device is told by its error, and the source goes on on another.
func TestStagedLost(t *testing.T) {
	ctx := context.Background()
	d := open(t)
	file := counting{size: 2 * mostStages * stageBytes}
	s := ReaderSource(file, file.size)
	b := buffer(t, d, "target", stageBytes, Storage)
	require.NoError(t, s.Upload(ctx, b, 0, 0, stageBytes))
	d.Destroy()
	assert.ErrorIs(t, s.Upload(ctx, b, 0, stageBytes, stageBytes), ErrDeviceLost)
	next := open(t)
	to := buffer(t, next, "target", stageBytes, Storage)
	require.NoError(t, s.Upload(ctx, to, 0, stageBytes, stageBytes))
	require.NoError(t, s.Close())
}
