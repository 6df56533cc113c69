package gpu

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Uploads give the file's bytes wherever they begin and end, with zeros to a whole word, however much was read ahead.
func TestReaderSource(t *testing.T) {
	ctx := context.Background()
	d := open(t)
	file := make([]byte, 3*aheadPiece+1001)
	for i := range file {
		file[i] = byte(rand.Uint32())
	}
	const room = aheadPiece + aheadPiece/2
	b := buffer(t, d, "target", room+4, Storage)
	rapid.Check(t, func(t *rapid.T) {
		s := ReaderSource(bytes.NewReader(file), int64(len(file)))
		defer s.Close()
		at := int64(0)
		for range rapid.IntRange(1, 6).Draw(t, "uploads") {
			gap := rapid.SampledFrom([]int64{0, 0, 0, 1, 31, 4096, aheadPiece + 3, -5}).Draw(t, "gap")
			at = min(max(0, at+gap), int64(len(file)-1))
			n := min(rapid.SampledFrom([]int64{1, 2, 3, 4, 7, 32, 4098, aheadPiece - 1, aheadPiece, aheadPiece + 1, room}).Draw(t, "bytes"), int64(len(file))-at)
			require.NoError(t, s.Upload(ctx, b, 0, at, n))
			got := make([]byte, (n+3)/4*4)
			require.NoError(t, b.Read(ctx, 0, got))
			want := append(bytes.Clone(file[at:at+n]), make([]byte, len(got)-int(n))...)
			require.True(t, bytes.Equal(want, got), "%d bytes at %d", n, at)
			at += n
		}
	})
}

// brokenReader fails behind a place.
type brokenReader struct {
	at  int64
	err error
}

func (r brokenReader) ReadAt(p []byte, offset int64) (int, error) {
	n := min(int64(len(p)), max(0, r.at-offset))
	if n < int64(len(p)) {
		return int(n), r.err
	}
	return len(p), nil
}

// What was read before a failure is given out, and the failure where it lies, each time; a file that is shorter than it was says so.
func TestReaderSourceFails(t *testing.T) {
	ctx := context.Background()
	d := open(t)
	b := buffer(t, d, "target", 64, Storage)
	broken := errors.New("broken")
	for err, want := range map[error]error{broken: broken, io.EOF: io.ErrUnexpectedEOF} {
		s := ReaderSource(brokenReader{100, err}, 1<<30)
		require.NoError(t, s.Upload(ctx, b, 0, 0, 64))
		require.NoError(t, s.Upload(ctx, b, 0, 64, 36))
		for range 2 {
			assert.ErrorIs(t, s.Upload(ctx, b, 0, 100, 4), want)
		}
		assert.ErrorIs(t, s.Upload(ctx, b, 0, 90, 20), want)
		require.NoError(t, s.Upload(ctx, b, 0, 8, 8))
		require.NoError(t, s.Close())
	}
	r := &brokenReader{100, broken}
	again := ReaderSource(r, 200)
	assert.ErrorIs(t, again.Upload(ctx, b, 0, 100, 8), broken)
	r.at = 200
	assert.NoError(t, again.Upload(ctx, b, 0, 100, 8), "what has failed once may be there now")
	require.NoError(t, again.Close())

	ended, cancel := context.WithCancel(ctx)
	cancel()
	s := ReaderSource(bytes.NewReader(make([]byte, 100)), 100)
	assert.ErrorIs(t, s.Upload(ended, b, 0, 0, 4), context.Canceled)
	require.NoError(t, s.Close())
}
