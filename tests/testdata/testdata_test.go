package testdata

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadAtAgreesWithBytes(t *testing.T) {
	const name = "models/stories260K.gguf"
	whole := Bytes(t, name)
	require.Equal(t, "GGUF", string(whole[:4]))
	f, size := Open(t, name)
	defer f.Close()
	require.Equal(t, int64(len(whole)), size)
	for _, at := range []struct{ offset, n int64 }{
		{0, 1}, {1, 3}, {1<<20 - 3, 7}, {1 << 20, 5}, {5, 1<<20 + 9}, {size - 4, 4}, {size - 9, 9},
	} {
		if at.offset+at.n > size {
			continue
		}
		got := make([]byte, at.n)
		n, err := f.ReadAt(got, at.offset)
		require.NoError(t, err)
		require.Equal(t, int(at.n), n)
		require.Equal(t, whole[at.offset:at.offset+at.n], got, "%d bytes at %d", at.n, at.offset)
	}
	n, err := f.ReadAt(make([]byte, 8), size-3)
	require.Equal(t, 3, n)
	require.ErrorIs(t, err, io.EOF)
	_, err = f.ReadAt(make([]byte, 1), size+10)
	require.ErrorIs(t, err, io.EOF)
}
