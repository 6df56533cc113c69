package loop

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
)

// streamOf gives the chunks of each choice and the result.
func streamOf(s *stream, choices int) (chunks [][]generation.Chunk, got generation.Result) {
	got = s.result()
	chunks = make([][]generation.Chunk, choices)
	for range len(s.chunks) {
		c := <-s.chunks
		chunks[c.Index] = append(chunks[c.Index], c)
	}
	got.Figures = generation.Figures{PromptTokens: got.Figures.PromptTokens, GeneratedTokens: got.Figures.GeneratedTokens}
	return chunks, got
}

// A request whose engine is gone goes on in another, wherever it was: what comes is what had not come, and the result is the whole.
func TestLandedElsewhere(t *testing.T) {
	forked := func(row *step.Row, counter uint32) sample.Token { return ends(nil, counter+uint32(row.Sequence-1)%2) }
	for name, c := range map[string]struct {
		request generation.Request
		say     func(*step.Row, uint32) sample.Token
	}{
		"at MaxTokens":         {generation.Request{MaxTokens: 5}, alphabet},
		"at the context's end": {generation.Request{}, alphabet},
		"at the end token":     {generation.Request{}, ends},
		"past the end token":   {generation.Request{IgnoreEnd: true, MaxTokens: 6}, ends},
		"at a stop text":       {generation.Request{Stop: []string{"de"}}, alphabet},
		"deaf to a stop text":  {generation.Request{Stop: []string{"b"}, MinTokens: 3, MaxTokens: 5}, alphabet},
		"with half a stop":     {generation.Request{Stop: []string{"ef"}, MaxTokens: 5}, alphabet},
		"log-probabilities":    {generation.Request{MaxTokens: 4, Sample: sample.Params{Logprobs: 2}}, alphabetBeams},
		"choices":              {generation.Request{N: 2, MaxTokens: 6}, forked},
		"beams":                {generation.Request{N: 2, MaxTokens: 4, Beams: &generation.Beams{Width: 2}}, alphabetBeams},
		"the best":             {generation.Request{BestOf: 2, MaxTokens: 4}, alphabetBeams},
	} {
		t.Run(name, func(t *testing.T) {
			config := schedule.Config{BlockSize: 4, Blocks: 40, MaxModelLen: 20, PrefixCache: true}
			n := max(1, c.request.N)
			undisturbed := start(t, config, c.say)
			chunks, want := streamOf(undisturbed.submit(c.request), n)
			undisturbed.close()
			for cut := range max(len(chunks[0]), len(chunks[n-1])) + 1 {
				r := start(t, config, c.say)
				limits := generation.Limits{Vocabulary: r.tokenizer.Size(), Ends: r.tokenizer.Ends(), MaxSeqs: 64, Context: r.scheduler.Limit}
				again, rest := c.request, make([][]generation.Chunk, n)
				again.Prompt = []int32{'x', 'y'}
				for i, all := range chunks {
					var had []sample.Token
					for _, chunk := range all[:min(cut, len(all))] {
						had = append(had, chunk.Token)
					}
					again.Landed, rest[i] = append(again.Landed, had), append(rest[i], all[len(had):]...)
				}
				require.NoError(t, again.Validate(limits))
				came, got := streamOf(r.submit(again.Settled(limits)), n)
				assert.Equal(t, want, got, "cut after %d", cut)
				for i := range rest {
					assert.Equal(t, rest[i], came[i], "cut after %d", cut)
				}
				r.close()
			}
		})
	}
}

func TestLandedElsewhereRefuses(t *testing.T) {
	limits := generation.Limits{Vocabulary: 9, MaxSeqs: 4, Context: func(int) int { return 6 }}
	token := func(id int32) sample.Token { return letter(id) }
	for says, r := range map[string]generation.Request{
		"Landed goes without":                     {Logits: func(int, []float32) {}, Landed: [][]sample.Token{{token(1)}}},
		"Landed has 2 choices, N is 1":            {Landed: make([][]sample.Token, 2)},
		"2 tokens of choice 0, which can have 1":  {MaxTokens: 1, Landed: [][]sample.Token{{token(1), token(2)}}},
		"5 tokens of choice 0, which can have 4":  {Landed: [][]sample.Token{make([]sample.Token, 5)}},
		"Landed token 1 of choice 0 is 9, the vo": {Landed: [][]sample.Token{{token(1), token(9)}}},
		"Landed token 0 of choice 0 is -1, the v": {Landed: [][]sample.Token{{token(-1)}}},
	} {
		r.Prompt = []int32{1, 2}
		err := r.Validate(limits)
		assert.ErrorIs(t, err, generation.ErrBadRequest)
		assert.ErrorContains(t, err, says)
	}
}
