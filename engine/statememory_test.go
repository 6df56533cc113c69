package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

// How many state slots there are, and for how many sequences.
func TestStateNeeds(t *testing.T) {
	const mega = 1 << 20
	needs := func(change func(*stateNeeds)) *stateNeeds {
		n := &stateNeeds{slot: 18 * mega, layer: mega, memory: 1 << 30, binding: 128 * mega, seqs: 64}
		change(n)
		return n
	}
	for name, c := range map[string]struct {
		change      func(*stateNeeds)
		slots, seqs int
	}{
		"no states":              {func(n *stateNeeds) { n.slot = 0 }, 0, 64},
		"small states":           {func(n *stateNeeds) { n.slot, n.layer = 4096, 512 }, 2 + 2*64 + snapshotSlots, 64},
		"as memory goes":         {func(n *stateNeeds) {}, 56, 13},
		"as the adapter goes":    {func(n *stateNeeds) { n.memory = 1 << 40 }, 128, 31},
		"as many as asked for":   {func(n *stateNeeds) { n.seqs, n.given = 27, true }, 56, 27},
		"little memory":          {func(n *stateNeeds) { n.memory = 80 * mega }, 4, 1},
		"few sequences, all fit": {func(n *stateNeeds) { n.seqs = 2 }, 56, 2},
	} {
		t.Run(name, func(t *testing.T) {
			slots, seqs, err := needs(c.change).fit()
			require.NoError(t, err)
			assert.Equal(t, []int{c.slots, c.seqs}, []int{slots, seqs})
		})
	}
	for says, change := range map[string]func(*stateNeeds){
		"run fewer sequences at once or raise the state memory": func(n *stateNeeds) { n.seqs, n.given = 28, true },
		"may have 2.2 GiB: run fewer sequences at once":         func(n *stateNeeds) { n.memory, n.given = 1<<40, true },
		": raise the state memory":                              func(n *stateNeeds) { n.memory = 70 * mega },
	} {
		_, _, err := needs(change).fit()
		require.ErrorIs(t, err, gpu.ErrOutOfMemory)
		assert.ErrorContains(t, err, says)
	}
}
