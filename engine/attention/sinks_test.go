package attention

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu/gputest"
)

// A logit a head joins the softmax of whatever kernel attends, of a row's parts and of none, at any size.
func TestSinks(t *testing.T) {
	many := []int{1, 16, 17, 45, 8, 300}
	for i, c := range []struct {
		params          Params
		lengths, counts []int
	}{
		{Params{HeadDim: 64, Heads: 8, KVHeads: 2}, many, []int{1, 1, 1, 1, 1, 1}}, // decode, split and merged
		{Params{HeadDim: 64, Heads: 8, KVHeads: 2, Window: 16}, many, []int{1, 16, 3, 40, 1, 64}},
		{Params{HeadDim: 59, Heads: 4, KVHeads: 1, Deterministic: true}, []int{45, 2}, []int{1, 5}}, // rows that see nothing
	} {
		if i > 0 && i%min(3, caseShare()) > 0 {
			continue
		}
		t.Run(fmt.Sprintf("%+v", c.params), func(t *testing.T) {
			c.params.BlockSize, c.params.LSE = 16, true
			s := newScene(t, c.params, 32, c.lengths, c.counts)
			s.sinks = append(s.floats(c.params.Heads-3, 2), 300, -300, 5)
			s.check(s.run(), 2, 1e-5)
		})
	}
	_, err := NewSinks(gputest.Device(t), Params{HeadDim: 64, Heads: 1, KVHeads: 1})
	require.ErrorContains(t, err, "LSE")
}
