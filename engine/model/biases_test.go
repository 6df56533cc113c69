package model

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// Any subset of the three biases is read, each at its place.
func TestBiases(t *testing.T) {
	names, lengths := []string{"attn_q", "attn_k", "attn_v"}, []int{32, 16, 16}
	for subset := range 8 {
		m := tiny.Model{Tensors: map[string][]int{}}
		offsets := map[string]int{}
		for i, name := range names {
			if subset>>i&1 == 1 {
				m.Tensors["blk.1."+name+".bias"] = []int{lengths[i]}
				offsets["blk.1."+name+".bias"] = []int{0, 32, 48}[i]
			}
		}
		p, err := NewPlan(m.File(t))
		require.NoError(t, err)
		found := map[string]int{}
		for _, v := range p.vectors {
			if v.Label != "layer 1 qkv bias" {
				assert.NotContains(t, v.Label, "bias")
				continue
			}
			assert.Equal(t, 64, v.Length)
			for _, part := range v.Parts {
				found[part.Tensor.Name] = part.Offset
			}
		}
		assert.Equal(t, offsets, found)
	}
	_, err := NewPlan(tiny.Model{Tensors: map[string][]int{"blk.0.attn_k.bias": {32}}}.File(t))
	require.ErrorIs(t, err, ErrUnsupported)
	assert.ErrorContains(t, err, "blk.0.attn_k.bias")
}

// Biases of all other products are read, too, and one of another length is refused.
func TestBiasesOfProducts(t *testing.T) {
	lengths := map[string]int{"attn_output": tiny.Width, "ffn_gate": tiny.FFN, "ffn_up": tiny.FFN, "ffn_down": tiny.Width}
	all := map[string][]int{}
	for name, n := range lengths {
		all["blk.0."+name+".bias"] = []int{n}
		wrong := tiny.Model{Tensors: map[string][]int{"blk.0." + name + ".bias": {n - 1}}}
		_, err := NewPlan(wrong.File(t))
		require.ErrorIs(t, err, ErrUnsupported)
		assert.ErrorContains(t, err, "blk.0."+name+".bias")
	}
	p, err := NewPlan(tiny.Model{Tensors: all}.File(t))
	require.NoError(t, err)
	places := map[string]int{}
	for _, v := range p.vectors {
		for _, part := range v.Parts {
			if _, ok := all[part.Tensor.Name]; ok {
				places[part.Tensor.Name] = part.Offset
			}
		}
	}
	assert.Equal(t, map[string]int{"blk.0.attn_output.bias": 0, "blk.0.ffn_gate.bias": 0, "blk.0.ffn_up.bias": tiny.FFN, "blk.0.ffn_down.bias": 0}, places,
		"gates' biases come before ups'")
}
