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
