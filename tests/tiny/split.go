package tiny

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
)

// Split writes a file as several, as llama.cpp's llama-gguf-split does: all keys in the first, a file's share of tensors in each. The
// alignments of data are those that are given, in turn; 0 is the default.
func Split(t testing.TB, whole []byte, files int, alignments ...uint32) [][]byte {
	t.Helper()
	f, err := gguf.Read(bytes.NewReader(whole), int64(len(whole)))
	require.NoError(t, err)
	var all [][]byte
	for no := range files {
		var out bytes.Buffer
		w := gguf.NewWriter(&out)
		set := func(key string, value any) { require.NoError(t, w.Metadata.Set(key, value)) }
		if no == 0 {
			for key, v := range f.Metadata.All() {
				set(key, v)
			}
		}
		if len(alignments) > 0 && alignments[no%len(alignments)] != 0 {
			set("general.alignment", alignments[no%len(alignments)])
		}
		set("split.no", uint16(no))
		set("split.count", uint16(files))
		set("split.tensors.count", int32(len(f.Tensors)))
		share := f.Tensors[no*len(f.Tensors)/files : (no+1)*len(f.Tensors)/files]
		for _, tensor := range share {
			require.NoError(t, w.Declare(tensor.Name, tensor.Type, tensor.Shape...))
		}
		for _, tensor := range share {
			require.NoError(t, w.WriteTensor(bytes.NewReader(whole[tensor.Offset:tensor.Offset+tensor.Bytes])))
		}
		require.NoError(t, w.Close())
		all = append(all, out.Bytes())
	}
	return all
}

// SplitName is the name of a split model's file, from 0.
func SplitName(no, files int) string { return fmt.Sprintf("model-%05d-of-%05d.gguf", no+1, files) }
