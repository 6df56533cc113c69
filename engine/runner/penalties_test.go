package runner

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
	"quire/engine/model"
	"quire/engine/sample"
	"quire/engine/step"
	"quire/tests/tiny"
)

// Regions never lie over each other, whatever comes and goes, and a gap that is large enough is taken.
func TestPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &penalties{}
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			lane := int32(rapid.IntRange(0, 7).Draw(t, "lane"))
			s.drop(lane)
			if rapid.Bool().Draw(t, "ends") {
				continue
			}
			size := rapid.IntRange(1, 50).Draw(t, "size")
			end := 0
			for _, r := range s.regions {
				end = r.at + r.size
			}
			at := s.place(lane, size)
			require.LessOrEqual(t, at, end)
			for i := 1; i < len(s.regions); i++ {
				before := s.regions[i-1]
				require.LessOrEqual(t, before.at+before.size, s.regions[i].at)
				if s.regions[i].lane == lane {
					continue
				}
				require.False(t, s.regions[i].at < at && s.regions[i].at-before.at-before.size >= size, "a gap before it was free")
			}
		}
	})
}

// Nothing is there before the first lane with penalties, and only steps that draw for such a lane have more to do.
func TestPenaltiesCostNothing(t *testing.T) {
	d := gputest.Device(t)
	r := &Runner{device: d, options: Options{MaxSeqs: 4, Context: 64, MaxOutputs: 4}, plan: &model.Plan{Config: &model.Config{Vocabulary: 100}}}
	r.resources = &resources{logprobs: make([]bool, 4), random: make([]bool, 4)}
	before := d.Stats()
	require.NoError(t, r.Open(0, sample.Params{RepetitionPenalty: 1}, sample.History{}))
	s := &step.Step{Rows: []step.Row{{Lane: 0}, {Lane: 1}}, Outputs: []step.Output{{Row: 0, Sample: true}, {Row: 1}}}
	assert.Equal(t, kernel.Draws{Outputs: 2}, r.draws(s))
	assert.Equal(t, before, d.Stats())
	r.penalties.lanes = map[int32]bool{1: true}
	r.penalties.bound = &kernel.Penalties{}
	assert.Nil(t, r.draws(s).Penalties, "nothing is drawn in lane 1")
	s.Outputs[1].Sample = true
	assert.Equal(t, kernel.Draws{Outputs: 2, Penalties: r.penalties.bound, Raw: true}, r.draws(s))
	r.penalties.lanes[1] = false
	assert.False(t, r.draws(s).Raw)
}

// The history grows with what is in it; a lane that has no room there has no penalties, and all is given back.
func TestHistoryGrows(t *testing.T) {
	d, m := gputest.Device(t), tiny.Model{Architecture: "llama"}
	before := d.Stats()
	plan, err := model.NewPlan(m.File(t))
	require.NoError(t, err)
	data := m.Bytes(t)
	r, err := New(context.Background(), d, plan, gpu.ReaderSource(bytes.NewReader(data), int64(len(data))),
		Options{KVType: kernel.KVF16, Blocks: 9, BlockSize: 16, MaxSeqs: 3, TokenBudget: 16, MaxOutputs: 4, Context: 64, Depth: 2})
	require.NoError(t, err)
	p, text := sample.Params{RepetitionPenalty: 2}, []int32{7, 8, 9}
	tokens := func(lane int) (out []uint32) {
		for _, region := range r.penalties.regions {
			if int(region.lane) == lane {
				data := make([]byte, 4*len(text))
				require.NoError(t, r.penalties.history.Read(context.Background(), uint64(4*region.at), data))
				for i := range text {
					out = append(out, binary.LittleEndian.Uint32(data[4*i:]))
				}
			}
		}
		return out
	}
	require.NoError(t, r.Open(1, p, sample.History{Tokens: text, Prompt: 3, Room: 10}))
	first := r.penalties.history
	require.NoError(t, r.Open(0, p, sample.History{Tokens: text, Prompt: 3, Room: leastHistory}))
	assert.NotSame(t, first, r.penalties.history)
	assert.Equal(t, []uint32{7, 8, 9}, tokens(0))
	assert.Equal(t, []uint32{7, 8, 9}, tokens(1))

	require.ErrorIs(t, r.Open(1, p, sample.History{Tokens: text, Prompt: 3, Room: 1 << 40}), gpu.ErrOutOfMemory)
	assert.Equal(t, map[int32]bool{0: false}, r.penalties.lanes)
	assert.Equal(t, []uint32{7, 8, 9}, tokens(0))
	words := make([]byte, 4*kernel.PenaltyWords)
	require.NoError(t, r.penalties.words.Read(context.Background(), 4*kernel.PenaltyWords, words))
	assert.Equal(t, make([]byte, len(words)), words)
	require.NoError(t, r.Open(0, sample.Params{}, sample.History{}))
	assert.Empty(t, r.penalties.regions)
	r.Release()
	assert.Equal(t, before.Bytes, d.Stats().Bytes)
}
