package schedule

import (
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/paging"
)

// layout is a config with a name.
type layout struct {
	name string
	Config
}

func layouts() []layout {
	beside := []paging.Group{{}, {Window: 6}}
	return []layout{
		{"swap", Config{BlockSize: 4, Blocks: 8, PrefixCache: true, TokenBudget: 16, MaxSeqs: 4, Depth: 2, HostBlocks: 16, Preemption: Swap}},
		{"swap, partial hits", Config{
			BlockSize: 4, Blocks: 13, PrefixCache: true, PartialHits: true, TokenBudget: 16, MaxSeqs: 6, Depth: 3, DraftRows: 12, HostBlocks: 30, Preemption: Swap,
		}},
		{"swap, little room", Config{BlockSize: 4, Blocks: 10, TokenBudget: 64, MaxSeqs: 4, Depth: 2, HostBlocks: 5, Preemption: Swap, Watermark: 1}},
		{"swap or recompute", Config{
			BlockSize: 4, Blocks: 24, PrefixCache: true, PartialHits: true, Groups: beside, TokenBudget: 6, MaxSeqs: 6, Depth: 2,
			HostBlocks: 20, TokenCost: 4, BlockCost: 9, MoreLogits: 3, DraftRows: 9,
		}},
		{"recompute", Config{BlockSize: 4, Blocks: 8, PrefixCache: true, PartialHits: true, TokenBudget: 8, LongPrompt: 5, MaxSeqs: 4, DraftRows: 6}},
		{"whole prompts", Config{
			BlockSize: 4, Blocks: 11, PrefixCache: true, NoChunking: true, TokenBudget: 40, MaxModelLen: 40, MaxSeqs: 5, QueueLimit: 6, Watermark: 2,
		}},
		{"states", Config{DraftRows: 12, BlockSize: 4, Blocks: 16, PrefixCache: true, TokenBudget: 8, MaxSeqs: 5, Depth: 3, States: 30, SnapshotInterval: 8, HostBlocks: 20, HostStates: 4, Preemption: Swap}},
		{"few states beside a window", Config{BlockSize: 2, Blocks: 60, PrefixCache: true, PartialHits: true, Groups: beside, TokenBudget: 6, MaxSeqs: 5, Depth: 2, States: 12, SnapshotInterval: 10}},
		{"sinks", Config{
			BlockSize: 4, Blocks: 34, PrefixCache: true, PartialHits: true, Groups: []paging.Group{{Window: 9, Sinks: 2}, {}}, TokenBudget: 5, Depth: 3, DraftRows: 20,
		}},
		{"windows alone", Config{
			BlockSize: 2, Blocks: 34, PrefixCache: true, Groups: []paging.Group{{Window: 5}, {Window: 3, Sinks: 3}}, TokenBudget: 4, MaxSeqs: 5,
			MaxModelLen: 40, Depth: 3, HostBlocks: 30, Preemption: Swap, DraftRows: 12,
		}},
	}
}

// TestWalk is short but for QUIRE_ALL, where nothing but what is read tells that something went wrong.
func TestWalk(t *testing.T) {
	seeds, turns := 1, 30_000
	if os.Getenv("QUIRE_ALL") != "" {
		seeds, turns = 4, 200_000
	}
	for _, c := range layouts() {
		for seed := range seeds {
			t.Run(name("%s/%d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				w := newWalk(t, generated{rand.New(rand.NewPCG(uint64(seed), 3))}, c.Config)
				w.check = seeds == 1
				for range turns {
					w.turn()
				}
				for w.schedule() != Idle {
				}
				s := w.Stats()
				t.Logf("%d ended, %d forks, %d loads of %d tokens, %d saved, %d fails, %d losses, %d reads, %+v",
					w.ended, w.forks, w.loads, w.loaded, w.saved, w.fails, w.losses, w.memory.reads, s)
				require.NoError(t, w.Check())
				for what, happened := range map[string]bool{
					"ends": w.ended > turns/100, "forks": w.forks > 0, "copies": s.Cache.Copies > 0, "preemptions": s.Preemptions > 0,
					"forced tokens": w.forced > 0, "draws in whose place they come": w.voided > 0, "draws that come again": w.redrawn > 0, "fails": w.fails > 0, "losses": w.losses > 0,
				} {
					require.True(t, happened, what)
				}
				require.Equal(t, c.PrefixCache, w.loaded > 0 && w.saved > 0 && s.Cache.Evictions > 0, "the prefix cache")
				require.Equal(t, c.PartialHits && c.States == 0, s.Cache.PartialTokens > 0, "partial hits")
				require.Equal(t, c.PrefixCache && c.States > 0, s.Cache.SnapshotHits > 0, "snapshots")
				require.Equal(t, c.DraftRows > 0, s.Drafted > s.Accepted && s.Accepted > 0, "drafts")
				require.Equal(t, c.HostBlocks > 0, s.Swaps > 0 && s.Cache.SwapIns > 0, "swaps")
				if c.Preemption == Cheaper || c.HostBlocks < 10 {
					require.Less(t, s.Swaps, s.Preemptions, "recomputes")
				}
			})
		}
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add([]byte("any order of requests, forks, failures and landings gives every sequence its own text"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		from, all := &given{data}, layouts()
		w := newWalk(t, from, all[from.below(len(all))].Config)
		w.check = true
		for from.data != nil {
			w.turn()
		}
	})
}
