package attention

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// Steps with many rows take larger tiles once Complete has made their kernel. Until then, and where these do not reach as far, the
// smaller ones have the same items.
func TestManyRows(t *testing.T) {
	dev := gputest.Device(t)
	few := shape{name: "wide32x64", rows: 32, keys: 64, threadsX: 16, threadsY: 8, wide: true}
	square := tiles[slices.IndexFunc(tiles, func(s shape) bool { return s.name == "square64x64" })]
	lengths, counts := []int{900, 40, 1, 161}, []int{66, 40, 1, 9}
	for name, turns := range map[string]int{"in one walk": 0, "in parts": 1600} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, Params{HeadDim: 64, Heads: 4, KVHeads: 2, BlockSize: 16, MaxKeys: 900, MaxTurns: turns, ManyLate: true}, 64, lengths, counts)
			_, decode := s.params.baseline()
			var err error
			s.attention, err = newOf(dev, s.params, choice{prefill: few, many: square, decode: decode})
			require.NoError(t, err)
			a := s.attention
			s.check(s.run(), 2, 1e-5)
			require.Equal(t, turns > 0, s.launches > 1)
			require.Len(t, s.last.Prefill, 3+2+1, "items of 64 flat rows")
			require.False(t, a.Lacks(s.last), "too few rows")
			a.many.least = 2 * len(s.last.Prefill)
			require.Equal(t, turns == 0, a.Lacks(s.last), "what one launch walks")
			require.Equal(t, turns == 0, a.Complete(context.Background()))
			if turns > 0 {
				return
			}
			require.Contains(t, a.Chosen(s.last), "wide32x64")
			s.check(s.run(), 2, 1e-5)
			passed := map[*gpu.Kernel]bool{}
			test, err := kernel.NewSelfTest(dev, passed)
			require.NoError(t, err)
			defer test.Release()
			require.NoError(t, a.SelfTest(test))
			failures, err := test.Run(context.Background())
			require.NoError(t, err)
			require.Empty(t, failures)
			require.True(t, passed[a.many.kernel])
			a.Take(func(k *gpu.Kernel) bool { return k == a.many.kernel })
			require.Contains(t, a.Chosen(s.last), "square64x64")
			require.False(t, a.Lacks(s.last))
			s.check(s.run(), 2, 1e-5)
		})
	}
}
