package gguf

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/quant"
	"quire/tests/testdata"
)

// rewrite writes a file's metadata and tensors anew.
func rewrite(t *testing.T, f *File, src io.ReaderAt) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	for key, v := range f.Metadata.All() {
		require.NoError(t, w.Metadata.Set(key, v))
	}
	for _, x := range f.Tensors {
		require.NoError(t, w.Declare(x.Name, x.Type, x.Shape...))
	}
	for _, x := range f.Tensors {
		require.NoError(t, w.WriteTensor(io.NewSectionReader(src, x.Offset, x.Bytes)))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestWriterRoundTrip(t *testing.T) {
	t.Run("small", func(t *testing.T) {
		data := smallFile(t)
		f, err := read(data)
		require.NoError(t, err)
		assert.Equal(t, data, rewrite(t, f, bytes.NewReader(data)))
		b, ok := f.Tensor("b.weight")
		require.True(t, ok)
		assert.Equal(t, bytes.Repeat([]byte{34}, 34), data[b.Offset:b.Offset+b.Bytes])
	})
	for _, name := range []string{"models/stories260K.gguf", "models/quire-tales.gguf", "tokenizers/ggml-vocab-phi-3.gguf"} {
		t.Run(name, func(t *testing.T) {
			data := testdata.Bytes(t, name)
			f, err := read(data)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(data, rewrite(t, f, bytes.NewReader(data))))
		})
	}
}

func TestWriterAligns(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out)
	require.NoError(t, w.Metadata.Set("general.alignment", uint32(256)))
	require.NoError(t, w.Declare("a", quant.I8, 1))
	require.NoError(t, w.Declare("b", quant.I8, 1))
	require.NoError(t, w.WriteTensor(strings.NewReader("1")))
	require.NoError(t, w.WriteTensor(strings.NewReader("2")))
	require.NoError(t, w.Close())
	f, err := read(out.Bytes())
	require.NoError(t, err)
	for i, x := range f.Tensors {
		assert.Zero(t, x.Offset%256)
		assert.Equal(t, byte('1'+i), out.Bytes()[x.Offset])
	}
}

func TestWriterRefuses(t *testing.T) {
	w := NewWriter(io.Discard)
	assert.ErrorContains(t, w.Metadata.Set("k", struct{}{}), `"k"`)
	assert.ErrorIs(t, w.Declare("w", quant.Type(99), 1), quant.ErrUnsupportedType)
	assert.ErrorContains(t, w.Declare("w", quant.Q8_0, 33), "no multiple")
	assert.ErrorContains(t, w.Declare("w", quant.F32, 1, 1, 1, 1, 1), "dimensions")
	require.NoError(t, w.Declare("w", quant.F32, 2))
	assert.ErrorContains(t, w.Declare("w", quant.F32, 2), "twice")
	assert.ErrorContains(t, w.WriteTensor(strings.NewReader("short")), "5 of 8 bytes")

	w = NewWriter(io.Discard)
	require.NoError(t, w.Declare("w", quant.F32, 1))
	assert.ErrorContains(t, w.Close(), `"w" has no data`)
	assert.ErrorContains(t, w.Declare("late", quant.F32, 1), "already written")
	require.NoError(t, w.WriteTensor(strings.NewReader("1234")))
	assert.ErrorContains(t, w.WriteTensor(strings.NewReader("1234")), "all 1 declared")
	assert.NoError(t, w.Close())

	w = NewWriter(io.Discard)
	require.NoError(t, w.Metadata.Set("general.alignment", uint32(3)))
	assert.ErrorContains(t, w.Close(), "power of two")

	w = NewWriter(io.Discard)
	require.NoError(t, w.Declare("a", quant.I8, math.MaxInt64))
	require.NoError(t, w.Declare("b", quant.I8, math.MaxInt64))
	assert.ErrorContains(t, w.Close(), "larger than a file")
}
