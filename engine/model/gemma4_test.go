package model

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// gemma4Tiny is a Gemma 4 whose layers see by turns a window, with heads of 8, and all, with heads of 8 or of another size.
func gemma4Tiny(layers, fullDim int, keys meta) tiny.Model {
	m := normed("gemma4", layers, meta{"attention.sliding_window": uint32(16), "attention.key_length": uint32(fullDim), "attention.value_length": uint32(fullDim),
		"attention.key_length_swa": uint32(tiny.HeadDim), "attention.value_length_swa": uint32(tiny.HeadDim), "rope.dimension_count": uint32(fullDim)})
	pattern := make([]bool, layers)
	for i := range pattern {
		pattern[i] = i%2 == 0
		if !pattern[i] {
			at := func(name string) string { return (&builder{at: i}).name(name + ".weight") }
			m.Tensors[at("attn_q")] = []int{tiny.Heads * fullDim, tiny.Width}
			m.Tensors[at("attn_k")] = []int{tiny.KVHeads * fullDim, tiny.Width}
			m.Tensors[at("attn_v")] = []int{tiny.KVHeads * fullDim, tiny.Width}
			m.Tensors[at("attn_output")] = []int{tiny.Width, tiny.Heads * fullDim}
			m.Tensors[at("attn_q_norm")], m.Tensors[at("attn_k_norm")] = []int{fullDim}, []int{fullDim}
		}
	}
	m.Meta["gemma4.attention.sliding_window_pattern"] = pattern
	for key, value := range keys {
		m.Meta["gemma4."+key] = value
	}
	return m
}

// Layers that share K and V read those of the last layer of their kind that has its own.
func TestGemma4SharedLayers(t *testing.T) {
	p, err := NewPlan(gemma4Tiny(7, 12, meta{"attention.shared_kv_layers": uint32(3)}).File(t))
	require.NoError(t, err)
	assert.Empty(t, p.Warnings)
	require.Len(t, p.kv, 4)
	require.Len(t, p.shared, 3)
	assert.Equal(t, []*kvLayer{p.kv[2], p.kv[3], p.kv[2]}, []*kvLayer{p.shared[0].owner, p.shared[1].owner, p.shared[2].owner}, "layers 4, 5 and 6 read 2, 3 and 2")
	assert.Equal(t, []kvForm{{0, 12, 2}, {16, 8, 2}}, p.groups)
	assert.Equal(t, []int{1, 0}, []int{p.shared[0].group, p.shared[1].group})

	m := gemma4Tiny(7, 12, meta{"attention.shared_kv_layers": uint32(3)})
	m.Drop = []string{"blk.4.attn_k.weight", "blk.5.attn_v.weight", "blk.6.attn_k_norm.weight"}
	_, err = NewPlan(m.File(t))
	require.NoError(t, err, "what nothing reads may be missing")
}

func TestGemma4Refused(t *testing.T) {
	for says, m := range map[string]tiny.Model{
		"layer 1 shares K and V of an earlier layer":         gemma4Tiny(2, 8, meta{"attention.shared_kv_layers": uint32(1)}),
		"gemma4.attention.shared_kv_layers is 2":             gemma4Tiny(2, 8, meta{"attention.shared_kv_layers": uint32(2)}),
		"gemma4.attention.value_length_swa 4":                gemma4Tiny(2, 8, meta{"attention.value_length_swa": uint32(4)}),
		"gemma4.attention.key_length is 514":                 gemma4Tiny(2, 514, nil),
		"gemma4.embedding_length_per_layer_input is 6":       gemma4Tiny(2, 8, meta{"embedding_length_per_layer_input": uint32(6)}),
		"the file has no tensor per_layer_token_embd.weight": gemma4Tiny(2, 8, meta{"embedding_length_per_layer_input": uint32(8)}),
		"gemma4.final_logit_softcapping is -1":               gemma4Tiny(2, 8, meta{"final_logit_softcapping": float32(-1)}),
		"the file has no gemma4.expert_used_count":           gemma4Tiny(2, 8, meta{"expert_count": uint32(4)}),
		"the file has no gemma4.attention.sliding_window": func() tiny.Model {
			m := gemma4Tiny(2, 8, nil)
			m.Drop = append(m.Drop, "gemma4.attention.sliding_window")
			return m
		}(),
		"tensor blk.1.attn_k_norm.weight has 6 elements, want 8": func() tiny.Model {
			m := gemma4Tiny(2, 8, nil)
			m.Tensors["blk.1.attn_k_norm.weight"] = []int{6}
			return m
		}(),
		"layer 2 reads K and V of an earlier layer that has other": gemma4Tiny(3, 8, meta{"attention.shared_kv_layers": uint32(1), "attention.head_count_kv": []int32{2, 2, 1}}),
	} {
		_, err := NewPlan(m.File(t))
		require.ErrorIs(t, err, ErrUnsupported)
		assert.ErrorContains(t, err, says)
	}
}
