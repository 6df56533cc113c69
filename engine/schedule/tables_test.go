package schedule

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/step"
	"quire/paging"
)

// laneTables are the block tables as lanes hold them, of which a step tells only what is new.
type laneTables [][][]int32 // [lane][group]

// take does what a GPU does before a step's work.
func (l laneTables) take(s *step.Step) {
	for _, r := range s.Rows {
		for len(l[r.Lane]) < len(s.Groups) {
			l[r.Lane] = append(l[r.Lane], nil)
		}
		for g := range s.Groups {
			l[r.Lane][g] = append(l[r.Lane][g][:r.Held], s.Groups[g].Tables[r.Table:r.Table+r.Blocks-r.Held]...)
		}
	}
}

// of is a row's table in a group.
func (l laneTables) of(r *step.Row, g int) []int32 { return l[r.Lane][g][:r.Blocks] }

// lose forgets all of them: no later step may count on one.
func (l laneTables) lose() {
	for lane := range l {
		l[lane] = nil
	}
}

// A step tells what a lane does not hold: a new block, and with a window what the window has left.
func TestTablesAreToldByDifference(t *testing.T) {
	r := endless(t, Config{BlockSize: 4, Blocks: 60, Groups: []paging.Group{{}, {Window: 8}}})
	r.add(Request{ID: 1, Prompt: prompt(1, 15), MaxTokens: 14})
	for i, told := range []struct{ held, blocks int32 }{
		{0, 4},                 // the prompt
		{0, 4},                 // the window leaves two blocks
		{4, 5}, {5, 5}, {5, 5}, // a block, and then nothing
		{2, 5}, // the window leaves the third
		{5, 6},
	} {
		r.runStep()
		row := r.step.Rows[0]
		require.Equal(t, told.held, row.Held, "step %d", i)
		require.Equal(t, told.blocks, row.Blocks, "step %d", i)
		for g := range 2 {
			assert.Len(t, r.step.Groups[g].Tables, int(row.Blocks-row.Held), "step %d", i)
		}
	}
}
