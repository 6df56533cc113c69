package model

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// hybrid is a tiny LFM2 of which these layers have attention, with convolutions of so many taps.
func hybrid(taps int, attends ...bool) tiny.Model {
	heads := make([]int32, len(attends))
	m := normed("lfm2", len(attends), meta{"shortconv.l_cache": uint32(taps), "attention.head_count_kv": heads})
	m.Drop = []string{"output_norm.weight"}
	m.Tensors["token_embd_norm.weight"] = []int{tiny.Width}
	for i, attention := range attends {
		name := func(s string) string { return (&builder{at: i}).name(s + ".weight") }
		if attention {
			heads[i] = tiny.KVHeads
			continue
		}
		for _, s := range []string{"attn_q", "attn_k", "attn_v", "attn_output", "attn_q_norm", "attn_k_norm"} {
			delete(m.Tensors, name(s))
			m.Drop = append(m.Drop, name(s))
		}
		m.Tensors[name("shortconv.in_proj")] = []int{3 * tiny.Width, tiny.Width}
		m.Tensors[name("shortconv.out_proj")] = []int{tiny.Width, tiny.Width}
		m.Tensors[name("shortconv.conv")] = []int{tiny.Width, taps}
	}
	return m
}

// Layers without KV heads have a convolution and keep a state, the others K and V.
func TestLFM2(t *testing.T) {
	for _, taps := range []int{2, 3, 5} {
		p, err := NewPlan(hybrid(taps, false, true, false, false).File(t))
		require.NoError(t, err)
		assert.Empty(t, p.Warnings)
		assert.Len(t, p.kv, 1)
		assert.Equal(t, int64(3*4*(taps-1)*tiny.Width), p.StateBytes())
		assert.Equal(t, 3, p.StateLayers())
		assert.Equal(t, uint64(4*(taps-1)*tiny.Width), p.LargestStateBytes())
	}
	windowed := hybrid(3, false, true)
	windowed.Meta["lfm2.attention.sliding_window"] = uint32(7)
	p, err := NewPlan(windowed.File(t))
	require.NoError(t, err)
	require.Len(t, p.kv, 1)
	assert.Equal(t, 7, p.kv[0].window)
	for says, m := range map[string]func(m tiny.Model) tiny.Model{
		"lfm2.attention.causal is false, and layers that keep a state see only": func(m tiny.Model) tiny.Model {
			m.Meta["lfm2.attention.causal"] = false
			return m
		},
		"no layer has attention": func(tiny.Model) tiny.Model { return hybrid(3, false, false) },
		"lfm2.shortconv.l_cache": func(tiny.Model) tiny.Model { return hybrid(1, true, false) },
		"tensor blk.0.shortconv.conv.weight has shape [4 32], want [3 32]": func(m tiny.Model) tiny.Model {
			m.Tensors["blk.0.shortconv.conv.weight"] = []int{tiny.Width, 4}
			return m
		},
		"blk.0.shortconv.conv.bias": func(m tiny.Model) tiny.Model {
			m.Tensors["blk.0.shortconv.conv.bias"] = []int{tiny.Width}
			return m
		},
	} {
		_, err := NewPlan(m(hybrid(3, false, true)).File(t))
		require.ErrorIs(t, err, ErrUnsupported, says)
		assert.ErrorContains(t, err, says)
	}
	plain := tiny.Model{Meta: meta{"llama.attention.head_count_kv": []int32{2, 0}}}
	_, err = NewPlan(plain.File(t))
	require.ErrorContains(t, err, "llama.attention.head_count_kv is 0 in layer 1")
}
