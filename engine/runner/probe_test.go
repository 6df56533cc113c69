package runner

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine/step"
)

// A probe writes nothing, in any KV group.
func TestProbeStep(t *testing.T) {
	s := probeStep(20, 16, 3)
	assert.Len(t, s.Groups, 3)
	for _, g := range s.Groups {
		assert.Equal(t, []int32{0, 0}, g.Tables)
		assert.Len(t, g.Slots, 20)
		for _, slot := range g.Slots {
			assert.Equal(t, step.NoSlot, slot)
		}
	}
	assert.Equal(t, []step.Row{{Count: 20, Blocks: 2}}, s.Rows)
	assert.EqualValues(t, 19, s.Positions[19])
	r := translator{lists: []itemList{{items: fakeItems{longest: 1 << 20}, kvHeads: 1, units: 1, room: 10}}}
	assert.Len(t, r.translate(s).Slots, 3)
}
