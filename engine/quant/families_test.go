package quant_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/quant"
	"quire/tests/testdata"
)

// Files of llama.cpp's quantizer; the first is in the project.
var files = []string{"quant-q4_k_m", "quant-q4_0", "quant-q4_1", "quant-q5_0", "quant-q6_k", "quant-q8_0", "quant-q3_k_l", "quant-iq1_s",
	"quant-iq2_s", "quant-iq2_xxs", "quant-iq3_xxs", "quant-iq4_nl", "quant-nvfp4", "quant-tq1_0", "quantmoe-q4_k_m", "quantmoe-iq3_xxs"}

// Tensors come out bit for bit as gguf-py and ggml dequantize them.
func TestDequantizeFiles(t *testing.T) {
	for _, name := range files {
		t.Run(name, func(t *testing.T) {
			var golden struct {
				Tensors map[string]struct{ SHA256 string } `json:"dequantized_sha256"`
			}
			require.NoError(t, json.Unmarshal(testdata.Bytes(t, "families/"+name+".json"), &golden))
			src, size := testdata.Open(t, "families/"+name+".gguf")
			defer src.Close()
			f, err := gguf.Read(src, size)
			require.NoError(t, err)
			for tensor, want := range golden.Tensors {
				info, ok := f.Tensor(tensor)
				require.True(t, ok, tensor)
				data, weights := make([]byte, info.Bytes), make([]float32, info.Elements())
				_, err := src.ReadAt(data, info.Offset)
				require.NoError(t, err)
				require.NoError(t, quant.Dequantize(info.Type, data, weights), tensor)
				hash := sha256.New()
				for _, w := range weights {
					hash.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(w)))
				}
				assert.Equal(t, want.SHA256, hex.EncodeToString(hash.Sum(nil)), "%s, %s", tensor, info.Type)
			}
		})
	}
}
