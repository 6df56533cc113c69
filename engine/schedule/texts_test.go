package schedule

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTextsDoNotDependOnSettings runs the same requests under many settings: whatever is shared, cut into chunks,
// preempted or run ahead, every text is the one that its sequence would have alone.
func TestTextsDoNotDependOnSettings(t *testing.T) {
	for _, depth := range []int{1, 2, 4} {
		for _, blocks := range []int{12, 20, 200} {
			for _, cache := range []bool{false, true} {
				for _, budget := range []int{7, 512} {
					t.Run(name("depth %d, %d blocks, cache %t, budget %d", depth, blocks, cache, budget), func(t *testing.T) {
						r := newRig(t, Config{BlockSize: 4, Blocks: blocks, PrefixCache: cache, TokenBudget: budget, MaxSeqs: 8, Depth: depth, MaxModelLen: 40})
						want := map[uint64][]int32{}
						for i := uint64(1); i <= 12; i++ {
							p := append(prompt(int(i%3), int(5+i%7)), prompt(int(i), int(i%4))...)
							require.NoError(t, r.Add(Request{ID: i, Prompt: p, MaxTokens: 20}))
							want[i] = continuation(nil, p, 20, 0)
						}
						r.finish()
						require.Equal(t, want, r.texts)
						if blocks == 12 {
							require.NotZero(t, r.Stats().Preemptions)
						}
					})
				}
			}
		}
	}
}
