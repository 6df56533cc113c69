package tiny

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/quant"
	"quire/tests/testdata"
)

// Added are tensors that a test puts into a file: rows, or one of them for a bias, whose elements a formula gives.
type Added struct {
	Name       string
	Rows, Cols int // Rows 0: a bias
}

// At gives an element.
func (a Added) At(row, col int) float32 {
	return float32(math.Sin(float64(1+len(a.Name)+7*row+3*col))) / 4
}

// With copies a model of the test data, with further tensors and another pooling.
func With(t testing.TB, name string, pooling uint32, tensors ...Added) []byte {
	t.Helper()
	src, size := testdata.Open(t, name)
	defer src.Close()
	f, err := gguf.Read(src, size)
	require.NoError(t, err)
	arch, _, err := f.Metadata.String("general.architecture")
	require.NoError(t, err)
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	for key, value := range f.Metadata.All() {
		if key == arch+".pooling_type" {
			require.NoError(t, w.Metadata.Set(key, pooling))
		} else {
			require.NoError(t, w.Metadata.Set(key, value))
		}
	}
	for _, tensor := range f.Tensors {
		require.NoError(t, w.Declare(tensor.Name, tensor.Type, tensor.Shape...))
	}
	for _, a := range tensors {
		shape := []uint64{uint64(a.Cols)}
		if a.Rows > 0 {
			shape = append(shape, uint64(a.Rows))
		}
		require.NoError(t, w.Declare(a.Name, quant.F32, shape...))
	}
	for _, tensor := range f.Tensors {
		data := make([]byte, tensor.Bytes)
		_, err := src.ReadAt(data, tensor.Offset)
		require.NoError(t, err)
		require.NoError(t, w.WriteTensor(bytes.NewReader(data)))
	}
	for _, a := range tensors {
		var data []byte
		for row := range max(1, a.Rows) {
			for col := range a.Cols {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(a.At(row, col)))
			}
		}
		require.NoError(t, w.WriteTensor(bytes.NewReader(data)))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}
