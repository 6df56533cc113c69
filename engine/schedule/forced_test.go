package schedule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Forced tokens keep to numbers of tokens that a step may have, unless they are many or little else is in it, and each sequence gets on.
func TestForcedTokensKeepToStepRows(t *testing.T) {
	for what, c := range map[string]struct {
		sequences int
		rows      []StepRows
		forced    []int // of the first sequences
		steps     []int // tokens of those that follow
	}{
		"no room":            {4, []StepRows{{4, 6}}, []int{2}, []int{4, 4, 4}},
		"room":               {3, []StepRows{{4, 6}}, []int{3}, []int{4, 3, 3}},
		"no numbers":         {4, nil, []int{2}, []int{5, 4}},
		"worth it":           {4, []StepRows{{4, 6}}, []int{3}, []int{6, 4}},
		"not worth it":       {4, []StepRows{{4, 7}}, []int{3}, []int{4, 4, 4, 4}},
		"far from worth it":  {4, []StepRows{{4, 13}}, []int{2, 7}, []int{4, 4, 4}},
		"alone":              {1, []StepRows{{4, 6}, {8, 11}}, []int{5}, []int{5, 1}},
		"half":               {4, []StepRows{{8, 11}}, []int{6}, []int{9, 4}},
		"two":                {7, []StepRows{{8, 11}}, []int{2, 3}, []int{8, 8, 7}},
		"the next number":    {5, []StepRows{{4, 6}, {8, 11}}, []int{5}, []int{8, 5}},
		"beyond all numbers": {5, []StepRows{{4, 6}}, []int{9}, []int{13, 5}},
		"as many as fit":     {3, []StepRows{{4, 6}}, []int{2}, []int{4, 3}},
	} {
		r := endless(t, Config{BlockSize: 4, Blocks: 200, MaxSeqs: 8, TokenBudget: 40, StepRows: c.rows})
		for id := range uint64(c.sequences) {
			require.NoError(t, r.Add(Request{ID: id, Prompt: prompt(int(id), 3), MaxTokens: 20}))
		}
		r.land(r.next().Step)
		before := r.next().Step
		for id, n := range c.forced {
			taken, _, err := r.Force(uint64(id), prompt(50+id, n))
			require.NoError(t, err)
			require.Equal(t, n, taken)
		}
		r.land(before)
		var steps []int
		for range c.steps {
			d := r.next()
			require.Len(t, r.step.Rows, c.sequences, what)
			steps = append(steps, len(r.step.Tokens))
			r.land(d.Step)
		}
		assert.Equal(t, c.steps, steps, what)
		r.finish()
	}
}

// Of what was in flight when a sequence was given tokens, or is to be drawn again, nothing lands; of others' rows and later steps it does.
func TestVoid(t *testing.T) {
	for what, change := range map[string]func(*rig) error{
		"forced":      func(r *rig) error { _, _, err := r.Force(1, prompt(50, 2)); return err },
		"drawn again": func(r *rig) error { return r.Redraw(1) },
	} {
		r := endless(t, Config{BlockSize: 4, Blocks: 200, Depth: 3, TokenBudget: 40})
		for id := range uint64(2) {
			require.NoError(t, r.Add(Request{ID: id, Prompt: prompt(int(id), 3), MaxTokens: 20}))
		}
		assert.False(t, r.Void(1), what)
		var steps []uint64
		for range 3 {
			steps = append(steps, r.next().Step)
		}
		assert.False(t, r.Void(1), what)
		r.land(steps[0])
		require.NoError(t, change(r), what)
		steps = append(steps, r.next().Step)
		var void [][2]bool
		for _, step := range steps[1:] {
			void = append(void, [2]bool{r.Void(0), r.Void(1)})
			r.land(step)
		}
		assert.Equal(t, [][2]bool{{false, true}, {false, true}, {false, false}}, void, what)
		r.finish()
	}
}
