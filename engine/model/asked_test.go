package model

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// A chunk that ends before its prompt reads nothing behind the last layer's K and V, or but the head, where that is read of other rows too.
func TestUnasked(t *testing.T) {
	behind := []string{"blk.1.attn_output.weight", "blk.1.ffn_norm.weight", "blk.1.ffn_gate.weight", "blk.1.ffn_up.weight", "blk.1.ffn_down.weight", "output_norm.weight"}
	const layer = 2 * 2 * tiny.KVHeads * tiny.HeadDim // bytes of a token's K and V in f16
	for what, c := range map[string]struct {
		model   tiny.Model
		tensors []string
		token   int64
	}{
		"the head is the embedding":          {tiny.Model{Drop: []string{"output.weight"}}, append(behind, "token_embd.weight"), layer},
		"a head of its own":                  {tiny.Model{Tensors: map[string][]int{"output.weight": {tiny.Vocabulary, tiny.Width}}}, append(behind, "output.weight"), layer},
		"all rows go through the last layer": {hybrid(3, true, false), []string{"token_embd.weight"}, 0},
	} {
		f := c.model.File(t)
		p, err := NewPlan(f)
		require.NoError(t, err, what)
		weights, token, err := p.Unasked("f16")
		require.NoError(t, err, what)
		want := int64(0)
		for _, name := range c.tensors {
			tensor, ok := f.Tensor(name)
			require.True(t, ok, name)
			want += tensor.Bytes
		}
		assert.Equal(t, want, weights, what)
		assert.Equal(t, c.token, token, what)
	}
}
