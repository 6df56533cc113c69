package engine

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/reference"
	"quire/engine/reference/referencetest"
	"quire/engine/sample"
	"quire/tests/testdata"
)

// dialogue gives the first n tokens of a golden prompt in which an assistant's short answer ends.
func dialogue(t testing.TB, n int) []int32 {
	t.Helper()
	var golden struct {
		Prompt []int32 `json:"prompt_ids"`
	}
	require.NoError(t, json.Unmarshal(testdata.Bytes(t, "golden/quire-tales/turns.json"), &golden))
	return golden.Prompt[:n]
}

// The GPU's beams are the float64 reference's, found beside other requests, which they change in nothing. Each search
// must be one that errors of 1e-3 would not turn.
func TestBeams(t *testing.T) {
	type search struct {
		prompt      []int32
		tokens, min int
		beams       Beams
	}
	for model, searches := range map[string][]search{
		"tiny-tales": {
			{[]int32{10}, 12, 0, Beams{Width: 2, LengthPenalty: 1}},
			{[]int32{84, 104, 101, 32, 102}, 12, 0, Beams{Width: 4}},
			{[]int32{10, 79, 110}, 8, 0, Beams{Width: 6, LengthPenalty: 2, EarlyStopping: StopNever}},
		},
		"quire-tales": {
			{dialogue(t, 16), 8, 0, Beams{Width: 3, LengthPenalty: 1, EarlyStopping: StopAtWidth}},
			{dialogue(t, 16), 8, 6, Beams{Width: 2}},
			{dialogue(t, 31), 5, 0, Beams{Width: 4, LengthPenalty: 1}},
		},
	} {
		if model != "tiny-tales" && runsFew() {
			continue
		}
		t.Run(model, func(t *testing.T) {
			m := referencetest.Load(t, model)
			e := openModel(t, model, Options{Deterministic: true, KVType: "f32", Context: 256, MaxSeqs: 16, KVMemory: 64 << 20})
			beside := Request{Prompt: testPrompts(2)[1], MaxTokens: 10, IgnoreEnd: true, Sample: sample.Defaults()}
			alone := submit(t, e, beside).Result().IDs
			other := submit(t, e, beside)
			var streams []*Stream
			for _, s := range searches {
				b := s.beams
				streams = append(streams, submit(t, e, Request{Prompt: s.prompt, MaxTokens: s.tokens, MinTokens: s.min, Beams: &b, N: b.Width}))
			}
			assert.Equal(t, alone, other.Result().IDs)
			for i, s := range searches {
				r := choicesOf(t, streams[i])
				want, gap, err := m.Beams(s.prompt, reference.BeamParams{
					Width: s.beams.Width, Tokens: s.tokens, MinTokens: s.min, LengthPenalty: s.beams.LengthPenalty,
					EarlyStopping: referencetest.EarlyStopping[s.beams.EarlyStopping], Ends: e.tokenizer.Ends(),
				})
				require.NoError(t, err)
				t.Logf("search %d: gap %.5f", i, gap)
				assert.Greater(t, gap, 1e-3, "search %d: choose another", i)
				require.Len(t, r.Choices, len(want))
				for j, c := range r.Choices {
					assert.Equal(t, want[j].Tokens, c.IDs, "search %d, text %d: %q", i, j, c.Text)
					assert.InDelta(t, want[j].Sum, c.Logprob, 1e-3)
					assert.InDelta(t, want[j].Score, c.Score, 1e-3)
					stopped := e.tokenizer.IsEnd(c.IDs[len(c.IDs)-1])
					assert.Equal(t, stopped, c.Reason == FinishStop)
					assert.Equal(t, !stopped, c.Reason == FinishLength)
					t.Logf("%.4f %s %q", c.Score, c.Reason, c.Text)
				}
			}
		})
	}
}

// A search gives the same when memory runs out, when a step holds fewer tokens than there are beams, and when devices are
// lost: beams wait, and come back, together.
func TestBeamsComeBack(t *testing.T) {
	if runsFew() {
		t.Skip("TestBeams and TestMemoryPressure run here")
	}
	beams := Request{Prompt: testPrompts(2)[1], MaxTokens: 10, IgnoreEnd: true, N: 4, Beams: &Beams{Width: 4, LengthPenalty: 1}}
	options := Options{Deterministic: true, KVType: "f32", BlockSize: 4, Context: 96, MaxSeqs: 8, KVMemory: 4 << 20}
	e := openModel(t, "tiny-tales", options)
	want := choicesOf(t, submit(t, e, beams))
	require.Len(t, want.Choices, 4)
	assert.Less(t, want.Figures.Blocks, 4*9, "beams share what they have in common")

	perBlock := e.info.KVBytes / uint64(e.info.Blocks+1)
	require.NoError(t, e.Close())
	options.KVMemory, options.TokenBudget, options.Depth = 33*perBlock, 7, 3
	small := openModel(t, "tiny-tales", options)
	check := func(name string) {
		var requests []Request
		for _, prompt := range testPrompts(8)[3:6] {
			requests = append(requests, Request{Prompt: prompt, MaxTokens: 20, IgnoreEnd: true})
		}
		others := submitAll(t, small, append(requests, beams))
		got := choicesOf(t, others[3])
		assert.Equal(t, idsOf(want), idsOf(got), name)
		assert.Equal(t, want.Choices[0].Score, got.Choices[0].Score, name)
		for _, s := range others[:3] {
			require.NoError(t, s.Result().Err)
		}
	}
	check("out of memory")
	assert.NotZero(t, small.Stats().Preemptions)
	losses := []int{12, 27, 38}
	if runsFew() {
		losses = losses[1:2]
	}
	loseAt(small, losses...)
	check("device lost")
	assert.Equal(t, len(losses), small.Stats().Recoveries)
}
