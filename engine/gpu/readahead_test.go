package gpu

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// oneByOne is a reader that is read by one goroutine, and atOnce one that several read.
type (
	oneByOne struct{ io.ReaderAt }
	atOnce   struct{ io.ReaderAt }
)

func (atOnce) Parallel() bool { return true }

const stagePiece = 4 << 20 // bytes that are read at once where several goroutines read

// Uploads give the file's bytes wherever they begin and end, with zeros to a whole word, however much was read ahead.
func TestReaderSource(t *testing.T) {
	ctx := context.Background()
	d := open(t)
	file := make([]byte, 3*stagePiece+1001)
	for i := range file {
		file[i] = byte(rand.Uint32())
	}
	const room = stagePiece + stagePiece/2
	b := buffer(t, d, "target", room+4, Storage)
	rapid.Check(t, func(t *rapid.T) {
		s := ReaderSource(rapid.SampledFrom([]io.ReaderAt{oneByOne{bytes.NewReader(file)}, atOnce{bytes.NewReader(file)}}).Draw(t, "reader"), int64(len(file)))
		defer s.Close()
		at := int64(0)
		for range rapid.IntRange(1, 6).Draw(t, "uploads") {
			gap := rapid.SampledFrom([]int64{0, 0, 0, 1, 3, 32, 4096, aheadPiece + 3, stagePiece + 4, -4, -5}).Draw(t, "gap")
			at = min(max(0, at+gap), int64(len(file)-1))
			n := min(rapid.SampledFrom([]int64{1, 2, 3, 4, 7, 32, 4096, 4098, aheadPiece - 1, aheadPiece, aheadPiece + 1, stagePiece, room}).Draw(t, "bytes"), int64(len(file))-at)
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
	for name, as := range map[string]func(io.ReaderAt) io.ReaderAt{
		"one goroutine": func(r io.ReaderAt) io.ReaderAt { return oneByOne{r} },
		"several":       func(r io.ReaderAt) io.ReaderAt { return atOnce{r} },
	} {
		t.Run(name, func(t *testing.T) { sourceFails(t, as) })
	}
}

func sourceFails(t *testing.T, as func(io.ReaderAt) io.ReaderAt) {
	ctx := context.Background()
	d := open(t)
	b := buffer(t, d, "target", 64, Storage)
	broken := errors.New("broken")
	for err, want := range map[error]error{broken: broken, io.EOF: io.ErrUnexpectedEOF} {
		s := ReaderSource(as(brokenReader{100, err}), 1<<30)
		require.NoError(t, s.Upload(ctx, b, 0, 0, 64))
		require.NoError(t, s.Upload(ctx, b, 0, 64, 36))
		for range 2 {
			assert.ErrorIs(t, s.Upload(ctx, b, 0, 100, 4), want)
		}
		assert.ErrorIs(t, s.Upload(ctx, b, 0, 90, 20), want)
		assert.ErrorIs(t, s.Upload(ctx, b, 0, 88, 20), want)
		require.NoError(t, s.Upload(ctx, b, 0, 8, 8))
		require.NoError(t, s.Close())
	}
	r := &brokenReader{100, broken}
	again := ReaderSource(as(r), 200)
	assert.ErrorIs(t, again.Upload(ctx, b, 0, 100, 8), broken)
	d.Settle()
	r.at = 200
	assert.NoError(t, again.Upload(ctx, b, 0, 100, 8), "what has failed once may be there now")
	assert.ErrorIs(t, again.Upload(ctx, b, 0, 196, 8), io.ErrUnexpectedEOF)
	require.NoError(t, again.Close())

	ended, cancel := context.WithCancel(ctx)
	cancel()
	s := ReaderSource(as(bytes.NewReader(make([]byte, 100))), 100)
	assert.ErrorIs(t, s.Upload(ended, b, 0, 0, 4), context.Canceled)
	require.NoError(t, s.Close())
}

// BenchmarkReaderSource uploads a file that is in the system's memory.
func BenchmarkReaderSource(b *testing.B) {
	ctx := context.Background()
	d, err := Open(ctx, Options{})
	require.NoError(b, err)
	defer d.Release()
	const size, each = 512 << 20, 16 << 20
	file, err := os.Create(filepath.Join(b.TempDir(), "file"))
	require.NoError(b, err)
	defer file.Close()
	for range size / each {
		_, err = file.Write(make([]byte, each))
		require.NoError(b, err)
	}
	target, err := d.NewBuffer("target", each, Storage)
	require.NoError(b, err)
	for _, c := range []struct {
		name   string
		reader io.ReaderAt
	}{{"one goroutine", oneByOne{file}}, {"several", atOnce{file}}} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				s := ReaderSource(c.reader, size)
				for at := int64(0); at < size; at += each {
					require.NoError(b, s.Upload(ctx, target, 0, at, each))
				}
				require.NoError(b, d.Idle(ctx))
				d.Settle()
			}
		})
	}
}
