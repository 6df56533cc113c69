package tiny

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/quant"
)

// Script writes a model that says prescribed texts: a prompt that ends with the first of a line's pieces is continued with the others,
// and then the end. Its embeddings tell tokens apart and nothing else, its layer adds nothing, and its output knows which token
// comes after which; no piece may stand twice. After other prompts any token is as probable as any other.
func Script(t testing.TB, name, template string, lines ...[]string) []byte {
	t.Helper()
	tokens, types := vocabulary()
	next := map[int]int{}
	for _, line := range lines {
		for i, piece := range line {
			require.NotContains(t, tokens, piece)
			tokens, types = append(tokens, piece), append(types, 4) // user-defined: taken out of texts whole
			next[len(tokens)-1] = len(tokens)
			if i == len(line)-1 {
				next[len(tokens)-1] = EOS
			}
		}
	}
	const headDim, ffn = 32, 32
	width := (len(tokens) + headDim - 1) / headDim * headDim
	var out bytes.Buffer
	w := gguf.NewWriter(&out)
	for _, p := range []pair{
		{"general.architecture", "llama"}, {"general.name", name}, {"llama.context_length", uint32(2048)},
		{"llama.embedding_length", uint32(width)}, {"llama.block_count", uint32(1)}, {"llama.feed_forward_length", uint32(ffn)},
		{"llama.attention.head_count", uint32(1)}, {"llama.attention.head_count_kv", uint32(1)}, {"llama.attention.key_length", uint32(headDim)},
		{"llama.attention.value_length", uint32(headDim)}, {"llama.rope.dimension_count", uint32(headDim)},
		{"llama.attention.layer_norm_rms_epsilon", float32(1e-5)}, {"tokenizer.ggml.model", "gpt2"}, {"tokenizer.ggml.pre", "gpt-2"},
		{"tokenizer.ggml.tokens", tokens}, {"tokenizer.ggml.token_type", types}, {"tokenizer.ggml.merges", []string{}},
		{"tokenizer.ggml.bos_token_id", uint32(BOS)}, {"tokenizer.ggml.eos_token_id", uint32(EOS)}, {"tokenizer.ggml.add_bos_token", false},
		{"tokenizer.chat_template", template},
	} {
		require.NoError(t, w.Metadata.Set(p.key, p.value))
	}
	const zero, one, own, after = 0, 1, 2, 3
	matrices := []struct {
		name     string
		holds    int
		row, col int // no rows: a vector
	}{
		{"token_embd.weight", own, len(tokens), width}, {"output_norm.weight", one, 0, width}, {"output.weight", after, len(tokens), width},
		{"blk.0.attn_norm.weight", one, 0, width}, {"blk.0.ffn_norm.weight", one, 0, width},
		{"blk.0.attn_q.weight", zero, headDim, width}, {"blk.0.attn_k.weight", zero, headDim, width},
		{"blk.0.attn_v.weight", zero, headDim, width}, {"blk.0.attn_output.weight", zero, width, headDim},
		{"blk.0.ffn_gate.weight", zero, ffn, width}, {"blk.0.ffn_up.weight", zero, ffn, width}, {"blk.0.ffn_down.weight", zero, width, ffn},
	}
	for _, m := range matrices {
		shape := []uint64{uint64(m.col), uint64(m.row)}
		if m.row == 0 {
			shape = shape[:1]
		}
		require.NoError(t, w.Declare(m.name, quant.F32, shape...))
	}
	for _, m := range matrices {
		data := make([]byte, 4*max(m.row, 1)*m.col)
		put := func(row, col int, x float32) {
			binary.LittleEndian.PutUint32(data[4*(row*m.col+col):], math.Float32bits(x))
		}
		switch m.holds {
		case one:
			for i := range m.col {
				put(0, i, 1)
			}
		case own:
			for token := range tokens {
				put(token, token, 1)
			}
		case after: // normalised, an embedding is √width long: no other token has a chance
			for token, follows := range next {
				put(follows, token, 2)
			}
		}
		require.NoError(t, w.WriteTensor(bytes.NewReader(data)))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}
