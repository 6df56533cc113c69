package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
)

// spoken are requests whose texts repeat themselves, so that there is something to draft.
func spoken() (all []Request) {
	phrase := testPrompts(4)[3][:12]
	for i, p := range []sample.Params{
		{}, {Temperature: 0.3, Seed: 5, Logprobs: 3}, {Temperature: 0.7, TopK: 20, TopP: 0.9, MinP: 0.02, Seed: 9}, {Temperature: 0.2, Seed: 1, Logprobs: 1},
	} {
		r := Request{MaxTokens: 40, IgnoreEnd: true, Sample: p}
		for range 4 {
			r.Prompt = append(r.Prompt, phrase[:8+i]...)
		}
		if i == 3 {
			r.IgnoreEnd, r.MinTokens = false, 39
		}
		all = append(all, r)
	}
	return all
}

// say runs requests, one after another or together, and gives their results.
func say(t *testing.T, e *Engine, requests []Request, together bool) (all []Result) {
	var streams []*Stream
	for i, r := range requests {
		streams = append(streams, submit(t, e, r))
		if !together {
			require.NoError(t, streams[i].Result().Err)
		}
	}
	for _, s := range streams {
		r := s.Result()
		require.NoError(t, r.Err)
		all = append(all, r)
	}
	return all
}

// Texts, and the log-probabilities of every token, are those that come without drafts.
func TestSpeculation(t *testing.T) {
	requests := spoken()
	if runsFew() {
		requests = requests[:2]
	}
	o := Options{Deterministic: true, Context: 256, MaxSeqs: 4}
	want := say(t, openModel(t, "tiny-tales", o), requests, false)
	o.Speculation = "ngram"
	for _, together := range []bool{false, true} {
		e := openModel(t, "tiny-tales", o)
		got := say(t, e, requests, together)
		for i := range want {
			assert.Equal(t, want[i].Choices, got[i].Choices, "request %d, together: %t", i, together)
		}
		s := e.Stats()
		t.Logf("%d steps for %d tokens, %d of %d drafted were right", s.Steps, s.Tokens, s.AcceptedTokens, s.DraftedTokens)
		assert.Positive(t, s.AcceptedTokens)
		assert.Greater(t, s.DraftedTokens, s.AcceptedTokens)
	}
}
