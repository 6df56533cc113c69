package gguf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/quant"
	"quire/tests/testdata"
)

func readData(t *testing.T, name string) *File {
	t.Helper()
	src, size := testdata.Open(t, name)
	defer src.Close()
	f, err := Read(src, size)
	require.NoError(t, err)
	return f
}

func TestReadModels(t *testing.T) {
	for _, tc := range []struct {
		name               string
		layers, wide, ffn  uint32
		vocabulary, tokens int
		types              map[quant.Type]int
	}{
		{"models/stories260K.gguf", 5, 64, 172, 512, 512, map[quant.Type]int{quant.F32: 48}},
		{"models/quire-tales.gguf", 8, 256, 768, 4096, 4096, map[quant.Type]int{quant.Q8_0: 57, quant.F32: 17}},
		{"models/SmolLM2-135M-Instruct.Q4_1.gguf", 30, 576, 1536, 49152, 49152, map[quant.Type]int{quant.Q4_1: 210, quant.Q8_0: 1, quant.F32: 61}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := readData(t, tc.name)
			arch, ok, err := f.Metadata.String("general.architecture")
			require.NoError(t, err)
			require.True(t, ok)
			assert.Equal(t, "llama", arch)
			for key, want := range map[string]uint32{"block_count": tc.layers, "embedding_length": tc.wide, "feed_forward_length": tc.ffn} {
				got, ok, err := f.Metadata.Uint32("llama." + key)
				require.NoError(t, err)
				assert.True(t, ok, key)
				assert.Equal(t, want, got, key)
			}
			tokens, _, err := f.Metadata.Strings("tokenizer.ggml.tokens")
			require.NoError(t, err)
			assert.Len(t, tokens, tc.tokens)
			types, end := map[quant.Type]int{}, int64(0)
			for _, x := range f.Tensors {
				types[x.Type]++
				assert.Zero(t, x.Offset%int64(f.Alignment), x.Name)
				assert.GreaterOrEqual(t, x.Offset, end, x.Name)
				end = x.Offset + x.Bytes
			}
			assert.Equal(t, tc.types, types)
			assert.LessOrEqual(t, f.Size-end, int64(f.Alignment))
			embedding, ok := f.Tensor("token_embd.weight")
			require.True(t, ok)
			assert.Equal(t, []uint64{uint64(tc.wide), uint64(tc.vocabulary)}, embedding.Shape)
		})
	}
}

func TestReadVocabularies(t *testing.T) {
	for name, want := range map[string]struct {
		model, pre string
		tokens     int
	}{
		"falcon": {"gpt2", "falcon", 65024}, "gpt-2": {"gpt2", "gpt-2", 50257}, "llama-spm": {"llama", "default", 32000},
		"phi-3": {"llama", "default", 32064}, "starcoder": {"gpt2", "starcoder", 49152},
	} {
		t.Run(name, func(t *testing.T) {
			f := readData(t, "tokenizers/ggml-vocab-"+name+".gguf")
			assert.Empty(t, f.Tensors)
			model, _, err := f.Metadata.String("tokenizer.ggml.model")
			require.NoError(t, err)
			assert.Equal(t, want.model, model)
			pre, _, err := f.Metadata.String("tokenizer.ggml.pre")
			require.NoError(t, err)
			assert.Equal(t, want.pre, pre)
			tokens, _, err := f.Metadata.Strings("tokenizer.ggml.tokens")
			require.NoError(t, err)
			assert.Len(t, tokens, want.tokens)
			types, _, err := f.Metadata.Int32s("tokenizer.ggml.token_type")
			require.NoError(t, err)
			assert.Len(t, types, want.tokens)
		})
	}
}

func TestTrapsOfStories260K(t *testing.T) {
	m := readData(t, "models/stories260K.gguf").Metadata
	_, ok, err := m.Float32("llama.rope.freq_base")
	require.NoError(t, err)
	assert.False(t, ok)
	padding, ok, err := m.Uint32("tokenizer.ggml.padding_token_id")
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, uint32(0xFFFFFFFF), padding)
	scores, _, err := m.Float32s("tokenizer.ggml.scores")
	require.NoError(t, err)
	assert.Len(t, scores, 512)
}
