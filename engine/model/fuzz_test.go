//go:build !js

// Corpora are read from folders, which a tab does not have.

package model_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/model"
	"quire/tests/tiny"
)

// Whatever a header holds, it is planned or refused as a model that does not run.
func FuzzCheck(f *testing.F) {
	for _, m := range []tiny.Model{
		{Layers: 1},
		{Layers: 1, Architecture: "qwen2", Tensors: map[string][]int{"blk.0.attn_k.bias": {16}, "rope_freqs.weight": {4}}},
		{Layers: 1, Meta: meta{"llama.attention.head_count_kv": []int32{2}, "llama.rope.scale_linear": float32(2), "llama.attention.sliding_window": uint32(4)}},
		{Layers: 1, Architecture: "qwen3", Tensors: map[string][]int{"blk.0.attn_q_norm.weight": {8}, "blk.0.attn_k_norm.weight": {8}}},
		{Layers: 1, Architecture: "gemma3", Meta: meta{"gemma3.attention.sliding_window": uint32(4), "gemma3.attention.sliding_window_pattern": []bool{true}},
			Tensors: map[string][]int{"blk.0.attn_q_norm.weight": {8}, "blk.0.attn_k_norm.weight": {8}, "blk.0.post_attention_norm.weight": {32},
				"blk.0.post_ffw_norm.weight": {32}}},
		{Layers: 1, Meta: meta{"llama.expert_count": uint32(0), "llama.colour": []string{"green"}, "split.count": uint16(1), "split.no": int8(-1)}},
	} {
		data := m.Bytes(f)
		f.Add(data[:m.File(f).DataOffset])
	}
	f.Fuzz(func(t *testing.T, header []byte) {
		data := append(bytes.Clone(header), make([]byte, 1<<17)...) // weights are not looked at
		file, err := gguf.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		plan, problems := model.Check(file)
		for _, err := range problems {
			var key *gguf.MetadataError
			require.True(t, errors.Is(err, model.ErrUnsupported) || errors.As(err, &key), "%v", err)
			require.NotEmpty(t, err.Error())
		}
		if len(problems) == 0 {
			require.NotNil(t, plan)
			require.Positive(t, plan.Parameters())
		}
	})
}
