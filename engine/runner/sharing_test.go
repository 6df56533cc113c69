package runner

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"quire/engine/kernel"
	"quire/engine/step"
)

// told makes steps of sequences' tables as the scheduler does: with what is new of them.
type told struct {
	tables [][]int32 // by lane
	held   []int
	number int32
}

func (h *told) step(lanes []int, counts []int) *step.Step {
	s := &step.Step{Groups: make([]step.Group, 2)}
	for i, lane := range lanes {
		ids := h.tables[lane]
		row := step.Row{Sequence: uint64(lane), Lane: int32(lane), First: int32(len(s.Tokens)), Count: int32(counts[i]), Start: int32(16*len(ids) - counts[i]),
			Blocks: int32(len(ids)), Held: int32(h.held[lane]), Table: int32(len(s.Groups[0].Tables))}
		for t := range row.Count {
			h.number++
			s.Tokens, s.Positions = append(s.Tokens, h.number), append(s.Positions, row.Start+t)
			for g := range s.Groups {
				s.Groups[g].Slots = append(s.Groups[g].Slots, 2*h.number+int32(g))
			}
		}
		s.Groups[0].Tables = append(s.Groups[0].Tables, make([]int32, len(ids)-h.held[lane])...) // a group that does not count
		s.Groups[1].Tables = append(s.Groups[1].Tables, ids[h.held[lane]:]...)
		s.Outputs = append(s.Outputs, step.Output{Token: row.First + row.Count - 1, Row: int32(i), Counter: uint32(lane)})
		s.Rows = append(s.Rows, row)
		h.held[lane] = len(ids)
	}
	return s
}

// Whatever runs, comes and goes: rows that share really have the same blocks, those that could share do, every token keeps what
// belongs to it, and outputs stay in order.
func TestSharing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const lanes = 12
		h := &told{tables: make([][]int32, lanes), held: make([]int, lanes)}
		next := int32(1)
		fresh := func(n int) (ids []int32) {
			for range n {
				ids = append(ids, next)
				next++
			}
			return ids
		}
		prefixes := [][]int32{fresh(40), fresh(20), fresh(10)}
		prefixes = append(prefixes, append(slices.Clip(prefixes[0][:30]), fresh(20)...))
		begin := func(lane int) {
			p := rapid.SampledFrom(prefixes).Draw(t, "prefix")
			h.tables[lane] = append(slices.Clone(p[:rapid.IntRange(0, len(p)).Draw(t, "of it")]), fresh(rapid.IntRange(1, 5).Draw(t, "own"))...)
			h.held[lane] = 0
		}
		for lane := range lanes {
			begin(lane)
		}
		r := translator{lists: []itemList{{items: fakeItems{longest: 1 << 20, shares: true}, kvHeads: 2, units: 4, room: 1 << 20}},
			kept: kernel.TableRoom{At: 1000, Lanes: lanes, Blocks: 100}, sharing: sharing{groups: []int{1}, blockSize: 16}}
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			var rows, counts []int
			for lane := range lanes {
				switch rapid.IntRange(0, 9).Draw(t, "what") {
				case 0:
					continue
				case 1:
					begin(lane)
				case 2, 3:
					h.tables[lane] = append(h.tables[lane], fresh(1)...)
				case 4: // as after a preemption, or what a draft took back
					h.held[lane] = rapid.IntRange(0, h.held[lane]).Draw(t, "held")
					h.tables[lane] = append(h.tables[lane][:h.held[lane]:h.held[lane]], fresh(1)...)
				}
				rows, counts = append(rows, lane), append(counts, rapid.SampledFrom([]int{1, 1, 1, 1, 3}).Draw(t, "tokens"))
			}
			s := h.step(rows, counts)
			data := r.translate(s)
			checkTranslated(t, s, data)
			shared := map[int]bool{}
			for _, i := range data.Shared {
				first := h.tables[data.Rows[i.Row].Lane]
				for _, row := range data.Rows[i.Row : i.Row+i.To] {
					assert.EqualValues(t, 1, row.Count)
					assert.LessOrEqual(t, i.KeyEnd, row.Start)
					assert.Equal(t, first[:i.KeyEnd/16], h.tables[row.Lane][:i.KeyEnd/16])
					shared[int(row.Lane)] = true
				}
				assert.GreaterOrEqual(t, int(i.KeyEnd), leastShared)
			}
			for i, a := range rows { // of two that could share, one does
				for j, b := range rows[:i] {
					x, y := h.tables[a], h.tables[b]
					if counts[i] == 1 && counts[j] == 1 && len(x) > 16 && len(y) > 16 && slices.Equal(x[:16], y[:16]) {
						require.True(t, shared[a] || shared[b])
					}
				}
			}
		}
	})
}

func checkTranslated(t *rapid.T, s *step.Step, data *kernel.StepData) {
	require.Len(t, data.Rows, len(s.Rows))
	first := uint32(0)
	for _, row := range data.Rows {
		i := slices.IndexFunc(s.Rows, func(r step.Row) bool { return r.Lane == int32(row.Lane) })
		from := s.Rows[i]
		assert.Equal(t, kernel.StepRow{First: first, Count: uint32(from.Count), Start: uint32(from.Start), Lane: row.Lane}, row)
		for n := range uint32(from.Count) {
			at, to := from.First+int32(n), first+n
			assert.EqualValues(t, s.Tokens[at], data.Tokens[to])
			assert.EqualValues(t, s.Positions[at], data.Positions[to])
			for g := range s.Groups {
				assert.Equal(t, s.Groups[g].Slots[at], data.Slots[g][to])
			}
		}
		first += row.Count
	}
	for n, o := range s.Outputs {
		assert.EqualValues(t, s.Tokens[o.Token], data.Tokens[data.Outputs[n].Token])
		assert.EqualValues(t, s.Rows[o.Row].Lane, data.Outputs[n].Lane)
	}
}

// Of several prefixes the one that saves most is shared, and a step that is looked at stays as it is.
func TestSharingSavesMost(t *testing.T) {
	h := &told{tables: make([][]int32, 5), held: make([]int, 5)}
	long := make([]int32, 60)
	for i := range long {
		long[i] = int32(i + 1)
	}
	for lane, blocks := range []int{60, 20, 55, 57, 3} {
		h.tables[lane] = append(slices.Clone(long[:blocks]), int32(100+lane))
	}
	r := translator{lists: []itemList{{items: fakeItems{longest: 1 << 20, shares: true}, kvHeads: 2, units: 4, room: 1 << 20}},
		kept: kernel.TableRoom{At: 1000, Lanes: 5, Blocks: 100}, sharing: sharing{groups: []int{1}, blockSize: 16}}
	lanes, ones := []int{4, 0, 1, 2, 3}, []int{1, 1, 1, 1, 1}
	data := r.translate(h.step(lanes, ones))
	assert.Equal(t, []kernel.Item{{Row: 1, KeyEnd: 55 * 16, To: 3}}, data.Shared, "three share 55 blocks, four only 20")
	var order []uint32
	for _, row := range data.Rows {
		order = append(order, row.Lane)
	}
	assert.Equal(t, []uint32{4, 0, 3, 2, 1}, order)
	r.looked = true
	data = r.translate(h.step(lanes, ones))
	assert.Empty(t, data.Shared)
	assert.EqualValues(t, 2, data.Rows[3].Lane)
	r.looked = false
	assert.Len(t, r.translate(h.step(lanes, ones)).Shared, 1)
	assert.Empty(t, r.translate(h.step(lanes[1:3], []int{1, 2})).Shared)
	r.lists[0].room = 4
	assert.Empty(t, r.translate(h.step(lanes, ones)).Shared, "no room for the partial results")
}
