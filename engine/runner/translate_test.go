package runner

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"quire/engine/attention"
	"quire/engine/kernel"
	"quire/engine/step"
	"quire/paging"
)

// fakeItems cuts rows of one token into spans, and gives others an item each.
type fakeItems struct {
	longest int
	shares  bool
}

func (f fakeItems) DecodeItems(count, seqLen, span int) int {
	if count > 1 {
		return 0
	}
	span = min(span, f.longest)
	return max(1, (seqLen+span-1)/span)
}

func (f fakeItems) AppendRow(s *kernel.StepData, row, count, start, span int) {
	if count > 1 {
		s.Prefill = append(s.Prefill, kernel.Item{Row: uint32(row), KeyEnd: uint32(start + count)})
		return
	}
	for i := range f.DecodeItems(count, start+count, span) {
		s.Decode = append(s.Decode, kernel.Item{Row: uint32(row), KeyBegin: uint32(i * span), KeyEnd: uint32(min(start+count, (i+1)*span))})
	}
}

func (f fakeItems) LongestSpan() int { return f.longest }
func (f fakeItems) Unsplit() int     { return 128 }
func (f fakeItems) Shares() bool     { return f.shares }

func (f fakeItems) Share(rows, keys, longest, span, units int) (attention.Sharing, bool) {
	return attention.Sharing{Partials: rows * (1 + f.DecodeItems(1, longest-keys, span))}, true
}

func (f fakeItems) AppendShared(s *kernel.StepData, first, rows, keys, span int, sharing attention.Sharing) {
	s.Shared = append(s.Shared, kernel.Item{Row: uint32(first), KeyEnd: uint32(keys), To: uint32(rows)})
}

// What is new of tables goes to the lane's, in each group, null blocks of windows included.
func TestTranslate(t *testing.T) {
	r := translator{lists: []itemList{{items: fakeItems{longest: 1 << 20}, kvHeads: 2, units: 4, room: 100}}, kept: kernel.TableRoom{At: 1000, Lanes: 4, Blocks: 10}}
	s := &step.Step{
		Tokens: []int32{5, 6, step.LaneToken}, Positions: []int32{0, 1, 40},
		Rows: []step.Row{
			{Sequence: 9, Lane: 3, First: 0, Count: 2, Start: 0, Table: 0, Blocks: 1},
			{Sequence: 4, Lane: 1, First: 2, Count: 1, Start: 40, Table: 1, Blocks: 3, Held: 1},
		},
		Groups: []step.Group{
			{Slots: []int32{16, 17, 72}, Tables: []int32{1, 3, 4}},
			{Slots: []int32{80, 81, step.NoSlot}, Tables: []int32{5, 0, 6}},
		},
		Outputs: []step.Output{{Token: 1, Row: 0, Counter: 7}, {Token: 2, Row: 1, Counter: 8, Sample: true}},
		Copies:  []paging.Copy{{Group: 1, From: 5, To: 6, Slots: 3}},
	}
	for range 2 { // memory is used again
		data := r.translate(s)
		assert.Equal(t, []uint32{5, 6, math.MaxUint32}, data.Tokens)
		assert.Equal(t, []uint32{0, 1, 40}, data.Positions)
		assert.Equal(t, [][]int32{{16, 17, 72}, {80, 81, -1}}, data.Slots)
		assert.Equal(t, []kernel.StepRow{
			{First: 0, Count: 2, Start: 0, Lane: 3},
			{First: 2, Count: 1, Start: 40, Lane: 1},
		}, data.Rows)
		assert.Equal(t, []kernel.TableRun{
			{At: 1030, IDs: []int32{1}}, {At: 1070, IDs: []int32{5}}, // [group][lane][block]
			{At: 1011, IDs: []int32{3, 4}}, {At: 1051, IDs: []int32{0, 6}},
		}, data.Runs)
		assert.Equal(t, []kernel.Item{{Row: 0, KeyEnd: 2}}, data.Prefill)
		assert.NotEmpty(t, data.Decode)
		assert.EqualValues(t, 41, data.Decode[len(data.Decode)-1].KeyEnd)
		assert.Equal(t, []kernel.Output{{Token: 1, Lane: 3, Counter: 7}, {Token: 2, Lane: 1, Counter: 8, Flags: kernel.OutputSample}}, data.Outputs)
		assert.Equal(t, s.Copies, data.Copies)
	}
	empty := r.translate(&step.Step{Groups: []step.Group{{}}})
	assert.Empty(t, empty.Rows)
	assert.Empty(t, empty.Decode)
	assert.Empty(t, empty.Copies)
	assert.Zero(t, testing.AllocsPerRun(20, func() { r.translate(s) }))
}

// However long and many the rows, their parts fit the room for partial results, or spans are as long as they get.
func TestSpanFitsTheRoom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := itemList{items: fakeItems{longest: 1 << rapid.IntRange(10, 20).Draw(t, "longest")}, kvHeads: rapid.IntRange(1, 8).Draw(t, "KV heads"),
			units: rapid.IntRange(1, 200).Draw(t, "units"), room: rapid.IntRange(1, 300).Draw(t, "room")}
		s := &step.Step{Groups: []step.Group{{}}}
		for range rapid.IntRange(1, 40).Draw(t, "rows") {
			start := rapid.IntRange(0, 200000).Draw(t, "start")
			s.Rows = append(s.Rows, step.Row{First: int32(len(s.Rows)), Count: 1, Start: int32(start)})
		}
		x := &translator{}
		x.translate(s)
		span, fits := x.span(&r, nil)
		items, split := 0, false
		for i := range s.Rows {
			n := r.items.DecodeItems(1, int(s.Rows[i].Start)+1, span)
			items, split = items+n, split || n > 1
		}
		if span < r.items.LongestSpan() && split {
			assert.LessOrEqual(t, items, r.room)
		}
		assert.Equal(t, !split || items <= r.room, fits)
	})
}

// Tokens of rows that take the long tables are at their places there.
func TestTranslateLong(t *testing.T) {
	r := translator{longAt: 100}
	data := r.translate(&step.Step{Tokens: []int32{5, 6, 7}, Positions: []int32{3, 4, 90}, Rows: []step.Row{{Count: 2, Start: 3}, {First: 2, Count: 1, Start: 90, Long: true}}})
	assert.Equal(t, []uint32{3, 4, 190}, data.Positions)
	assert.EqualValues(t, 90, data.Rows[1].Start, "attention counts keys")
}

// Where outputs are few among a step's tokens, they count the rows that are asked for, in whatever order those lie.
func TestTranslateAsked(t *testing.T) {
	s := &step.Step{Tokens: make([]int32, 40), Positions: make([]int32, 40), Rows: []step.Row{{Count: 30}, {First: 30, Count: 10}},
		Outputs: []step.Output{{Token: 39, Row: 1}, {Token: 29}}}
	r := translator{asks: true}
	data := r.translate(s)
	assert.Equal(t, []uint32{39, 29}, data.Asked)
	assert.Equal(t, []kernel.Output{{Token: 0}, {Token: 1}}, data.Outputs)
	stay := func(why string, r *translator, s step.Step) {
		data := r.translate(&s)
		assert.Empty(t, data.Asked, why)
		assert.Equal(t, []kernel.Output{{Token: 39}, {Token: 29}}, data.Outputs[:2], why)
	}
	stay("the model reads every row", &translator{}, *s)
	stay("the step is looked at", &translator{asks: true, looked: true}, *s)
	pools, more := *s, *s
	pools.Pools = []step.Pool{{Count: 30}}
	stay("embeddings are of every row", &r, pools)
	more.Outputs = append(more.Outputs, step.Output{Token: 3})
	stay("most rows are asked for", &r, more)
	adapted := *s
	adapted.Rows = []step.Row{{Count: 30}, {First: 30, Count: 10, LoRA: "a"}}
	stay("a row has an adapter", &translator{asks: true, adapters: adapters{lists: map[string][]kernel.AdapterFour{"a": {{}}}}}, adapted)
}
