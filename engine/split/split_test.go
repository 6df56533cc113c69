package split

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/tests/tiny"
)

func source(data []byte) gpu.Source { return gpu.ReaderSource(bytes.NewReader(data), int64(len(data))) }

// opener opens files by their names in a folder of memory.
func opener(files map[string][]byte) func(context.Context, string) (gpu.Source, error) {
	return func(_ context.Context, name string) (gpu.Source, error) {
		data, ok := files[name]
		if !ok {
			return nil, fmt.Errorf("%s: %w", name, os.ErrNotExist)
		}
		return source(data), nil
	}
}

// same checks that a joined file has the keys and the tensors of the whole one.
func same(t *testing.T, whole []byte, joined gpu.Source) {
	t.Helper()
	want, err := gguf.Read(bytes.NewReader(whole), int64(len(whole)))
	require.NoError(t, err)
	got, err := gguf.Read(joined, joined.Size())
	require.NoError(t, err)
	for key, v := range want.Metadata.All() {
		held, ok := got.Metadata.Get(key)
		assert.True(t, ok && held.String() == v.String(), key)
	}
	_, split := got.Metadata.Get("split.count")
	assert.False(t, split)
	require.Equal(t, len(want.Tensors), len(got.Tensors))
	for i, tensor := range got.Tensors {
		original := want.Tensors[i]
		require.Equal(t, original.Name, tensor.Name)
		assert.Equal(t, original.Shape, tensor.Shape)
		data := make([]byte, tensor.Bytes)
		_, err := joined.ReadAt(data, tensor.Offset)
		require.NoError(t, err)
		assert.Equal(t, whole[original.Offset:original.Offset+original.Bytes], data, tensor.Name)
	}
}

func TestOpen(t *testing.T) {
	whole := tiny.Model{}.Bytes(t)
	for name, alignments := range map[string][]uint32{"alike": nil, "another": {64}, "all unlike": {8, 0, 256}, "no power of two": {24}} {
		t.Run(name, func(t *testing.T) {
			for _, count := range []int{2, 3, 30} { // 30: some files have no tensors
				files := map[string][]byte{}
				for i, data := range tiny.Split(t, whole, count, alignments...) {
					files["dir/"+tiny.SplitName(i, count)] = data
				}
				for _, given := range []int{0, count - 1} {
					name := "dir/" + tiny.SplitName(given, count)
					joined, err := Open(context.Background(), File{name, source(files[name])}, opener(files))
					require.NoError(t, err)
					same(t, whole, joined)
				}
			}
		})
	}
}

func TestOpenGivesBackWhatIsNotSplit(t *testing.T) {
	part := tiny.Split(t, tiny.Model{}.Bytes(t), 2)[0]
	for name, data := range map[string][]byte{
		"model.gguf": tiny.Model{}.Bytes(t), "model-00001-of-00002.gguf": tiny.Model{}.Bytes(t), "renamed.gguf": part, "wrong-00002-of-00002.gguf": part, "text": []byte("text"),
	} {
		first := source(data)
		got, err := Open(context.Background(), File{name, first}, opener(nil))
		require.NoError(t, err)
		assert.Same(t, first, got, name)
	}
}

func TestMissingFiles(t *testing.T) {
	parts := tiny.Split(t, tiny.Model{}.Bytes(t), 3)
	name := func(no int) string { return tiny.SplitName(no, 3) }
	_, err := Open(context.Background(), File{name(0), source(parts[0])}, opener(map[string][]byte{name(1): parts[1]}))
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, name(2))
	for want, files := range map[string][]File{
		"lies in 3 files, and model-00002-of-00003.gguf, model-00003-of-00003.gguf are missing": {{name(0), source(parts[0])}},
		"and model-00001-of-00003.gguf is missing":                                              {{name(2), source(parts[2])}, {name(1), source(parts[1])}},
		"and file 2 is missing":                                       {{"", source(parts[2])}, {"", source(parts[0])}},
		"b: file 1 of 3 is given twice":                               {{"a", source(parts[0])}, {"b", source(parts[0])}},
		"this is a model of its own":                                  {{"a", source(tiny.Model{}.Bytes(t))}, {"b", source(parts[0])}},
		"b: this is file 1 of a model in 2 files, and another":        {{"a", source(parts[0])}, {"b", source(tiny.Split(t, tiny.Model{}.Bytes(t), 2)[0])}},
		"is 20, and the model's files have":                           {{"", source(parts[0])}, {"", source(parts[1])}, {"", source(tiny.Split(t, tiny.Model{Layers: 3}.Bytes(t), 3)[2])}},
		`"llama.block_count": is not what the model's first file has`: {{"", source(parts[0])}, {"", source(parts[1])}, {"", source(with(t, parts[2], "llama.block_count", uint32(7)))}},
	} {
		_, err := Join(files)
		assert.ErrorContains(t, err, want)
	}
}

// with gives a file without tensors' data changed that has one more key.
func with(t *testing.T, data []byte, key string, value any) []byte {
	f, err := gguf.Read(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	for key, v := range f.Metadata.All() {
		require.NoError(t, w.Metadata.Set(key, v))
	}
	require.NoError(t, w.Metadata.Set(key, value))
	for _, tensor := range f.Tensors {
		require.NoError(t, w.Declare(tensor.Name, tensor.Type, tensor.Shape...))
	}
	for _, tensor := range f.Tensors {
		require.NoError(t, w.WriteTensor(bytes.NewReader(data[tensor.Offset:tensor.Offset+tensor.Bytes])))
	}
	return out.Bytes()
}

// FuzzJoin: whatever stands in a model's files, what joins reads as one file within its size.
func FuzzJoin(f *testing.F) {
	parts := tiny.Split(f, tiny.Model{Layers: 1}.Bytes(f), 2, 0, 64)
	f.Add(parts[0], parts[1])
	f.Add(parts[1], parts[1])
	f.Fuzz(func(t *testing.T, a, b []byte) {
		joined, err := Join([]File{{"a-00001-of-00002.gguf", source(slices.Clone(a))}, {"", source(b)}})
		if err != nil {
			return
		}
		header, err := gguf.Read(joined, joined.Size())
		require.NoError(t, err)
		for _, tensor := range header.Tensors {
			assert.LessOrEqual(t, tensor.Offset+max(tensor.Bytes, 0), joined.Size())
		}
	})
}
