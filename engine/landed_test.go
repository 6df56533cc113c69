package engine

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// What has begun in one engine goes on in another as it would have there, beside others.
func TestGoesOnFromElsewhere(t *testing.T) {
	if runsFew() {
		t.Skip("one host is enough")
	}
	o := Options{Deterministic: true, Context: 128, MaxSeqs: 16, KVMemory: 4 << 20}
	here, there := openModel(t, "tiny-tales", o), openModel(t, "tiny-tales", o)
	requests := many()
	var first, again []*Stream
	for _, r := range requests {
		first = append(first, submit(t, here, r))
	}
	for i, s := range first {
		r := requests[i]
		for j, choice := range s.Result().Choices {
			var had []Token
			for n := range (len(choice.IDs)/2 + j) % len(choice.IDs) {
				token := Token{Candidate: Candidate{ID: choice.IDs[n]}}
				if r.Sample.Logprobs > 0 {
					token = choice.Tokens[n]
				}
				had = append(had, token)
			}
			r.Landed = append(r.Landed, had)
		}
		again = append(again, submit(t, there, r))
	}
	for i, s := range again {
		want, got := first[i].Result(), s.Result()
		assert.NoError(t, got.Err)
		assert.Equal(t, want.Choices, got.Choices, "request %d", i)
		assert.Equal(t, want.Figures.GeneratedTokens, got.Figures.GeneratedTokens)
		assert.Less(t, there.Stats().Tokens, here.Stats().Tokens, "what has landed is not drawn again")
	}
}
