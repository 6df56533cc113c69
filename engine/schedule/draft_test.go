package schedule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// guess drafts these tokens, whatever was said.
type guess []int32

func (g guess) Draft(_ []int32, inFlight, most int) []int32 { return g[:min(len(g), inFlight+most)] }

// A sequence that goes to host memory in the step that was to verify its draft comes back without it.
func TestPreemptedDraft(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 20, MaxSeqs: 1, HostBlocks: 9, Preemption: Swap, DraftRows: 8})
	require.NoError(t, r.Add(Request{ID: 1, Prompt: prompt(1, 6), MaxTokens: 12}))
	for len(r.texts[1]) < 3 {
		if d := r.next(); d.Kind == Land {
			r.land(d.Step)
		}
	}
	r.Draft(1, guess{7, 7})
	r.shareDrafts()
	require.Equal(t, 2, r.byID[1].verify)
	r.preempt(r.byID[1].request) // as where others take more blocks than it seemed
	require.NoError(t, r.Add(Request{ID: 2, Prompt: prompt(2, 5), MaxTokens: 3, Priority: -1}))
	r.finish()
	require.Positive(t, r.Stats().Cache.SwapIns+r.Stats().Cache.SwapsSpared)
	assert.Equal(t, continuation(nil, prompt(1, 6), 12, 100), r.texts[1])
}

// A sequence that verifies a draft leaves those behind it their next tokens, as a prompt does.
func TestDraftsLeaveRoomToDecode(t *testing.T) {
	c := plain()
	c.TokenBudget, c.SharedBudget, c.DraftRows = 64, 6, 16
	r := endless(t, c)
	for id := range uint64(4) {
		r.add(Request{ID: id, Prompt: prompt(int(id), 4)})
	}
	r.runStep()
	r.runStep()
	r.Draft(0, guess{7, 7, 7, 7, 7, 7, 7, 7})
	assert.Equal(t, map[uint64]int{0: 3, 1: 1, 2: 1, 3: 1}, r.runStep())
}
