package model

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/kernel"
	"quire/tests/tiny"
)

// What a new architecture takes is its description: this one is a llama with LayerNorms and without positions.
func novel(b *builder) {
	x := b.embed("token_embd", 1)
	for range b.layers() {
		h := b.heads(b.layerNorm(x, "attn_norm"), b.attention(), "attn_q", "attn_k", "attn_v")
		b.addProject(x, b.attendAsked(h), "attn_output")
		f := b.glu(b.layerNorm(x, "ffn_norm"), kernel.SiLU, "ffn_gate", "ffn_up")
		b.addProject(x, f, "ffn_down")
	}
	b.head(b.layerNorm(x, "output_norm"), "output")
}

func TestNewArchitecture(t *testing.T) {
	all := architectures
	t.Cleanup(func() { architectures = all })
	architectures = map[string]describe{"llama": all["llama"], "gemma3": all["gemma3"]}
	register("novel", novel)
	const eps, rms = "novel.attention.layer_norm_epsilon", "novel.attention.layer_norm_rms_epsilon"
	m := tiny.Model{Architecture: "novel", Meta: meta{eps: float32(1e-5)}, Drop: []string{rms, "novel.rope.dimension_count"},
		Tensors: map[string][]int{"blk.0.attn_norm.bias": {tiny.Width}, "output_norm.bias": {tiny.Width}}}
	p, err := NewPlan(m.File(t))
	require.NoError(t, err)
	assert.Empty(t, p.Warnings)
	assert.Empty(t, p.Ropes)
	assert.Equal(t, []int{0}, p.Windows())
	var labels []string
	for _, part := range p.matrices {
		labels = append(labels, part.Label)
	}
	assert.Equal(t, []string{"embedding", "layer 0 qkv", "layer 0 attn_output", "layer 0 gate and up", "layer 0 ffn_down",
		"layer 1 qkv", "layer 1 attn_output", "layer 1 gate and up", "layer 1 ffn_down"}, labels)

	// What a file says of things that the architecture does not have changes nothing.
	like := tiny.Model{Architecture: "novel", Meta: meta{eps: float32(1e-5), rms: float32(1e-6), "novel.rope.freq_base": float32(1e4)}}
	p, err = NewPlan(like.File(t))
	require.NoError(t, err)
	assert.Empty(t, p.Warnings)

	for name, change := range map[string]func(*tiny.Model){
		"the file has no " + eps: func(m *tiny.Model) { m.Meta = nil },
		eps + " is 0":            func(m *tiny.Model) { m.Meta = meta{eps: float32(0)} },
		"tensor blk.0.attn_norm.bias has 31 elements, want 32": func(m *tiny.Model) { m.Tensors = map[string][]int{"blk.0.attn_norm.bias": {31}} },
		"tensor blk.1.attn_q.bias2 is part of the model":       func(m *tiny.Model) { m.Tensors = map[string][]int{"blk.1.attn_q.bias2": {3}} },
	} {
		changed := m
		change(&changed)
		_, err := NewPlan(changed.File(t))
		require.ErrorIs(t, err, ErrUnsupported)
		assert.ErrorContains(t, err, name)
	}
	_, err = NewPlan(tiny.Model{Architecture: "unheard"}.File(t))
	assert.ErrorContains(t, err, `architecture "unheard" (gemma3, llama and novel run)`)
}
