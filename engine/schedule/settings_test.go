package schedule

import (
	"testing"

	"pgregory.net/rapid"

	"quire/paging"
)

// settings chooses a small scheduler of any kind.
func settings(from choices) Config {
	c := Config{
		BlockSize: 1 + from.below(6), Depth: 1 + from.below(5), PrefixCache: from.below(4) > 0, MaxSeqs: 4 + from.below(5),
		TokenBudget: 3 + from.below(40), LongPrompt: from.below(10) - 1, MoreLogits: from.below(5), Watermark: from.below(3),
		Preemption: Preemption(from.below(3)), TokenCost: uint64(from.below(5)), BlockCost: uint64(from.below(12)),
		QueueLimit: max(0, from.below(10)-4),
	}
	c.PartialHits = c.PrefixCache && from.below(2) == 0
	if from.below(3) == 0 {
		c.SharedBudget = 1 + from.below(c.TokenBudget)
	}
	if from.below(3) > 0 {
		c.HostBlocks = from.below(60)
	}
	c.DraftRows = max(0, from.below(16)-4)
	for range from.below(4) {
		g := paging.Group{}
		if from.below(3) > 0 {
			g.Window, g.Sinks = 1+from.below(12), max(0, from.below(12)-6)
		}
		c.Groups = append(c.Groups, g)
	}
	if from.below(3) == 0 {
		c.States, c.SnapshotInterval = 2+2*c.MaxSeqs+from.below(8), 1+from.below(12)
		c.HostStates, c.StateCost = from.below(5), uint64(from.below(9))
	}
	c.Blocks = 2 + max(1, len(c.Groups))*(1+from.below(4+40/c.BlockSize))
	if from.below(2) == 0 {
		for _, rows := range []int{1 + from.below(6), 7 + from.below(6)} {
			c.StepRows = append(c.StepRows, StepRows{rows, rows + 1 + from.below(2*rows)})
		}
	}
	return c
}

// TestWalkUnderAnySettings walks over schedulers that nobody thought of.
func TestWalkUnderAnySettings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := drawn{t}
		c := settings(from)
		if _, err := New(c); err != nil {
			t.Skip(err)
		}
		w := newWalk(t, from, c)
		w.check = true
		t.Repeat(map[string]func(*rapid.T){"turns": func(*rapid.T) {
			for range 10 {
				w.turn()
			}
		}})
		for w.schedule() != Idle {
		}
	})
}
