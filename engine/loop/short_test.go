package loop

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
)

// Steps in which sequences only decode go to the GPU in twos, where they are short and enough may be in flight.
func TestTogether(t *testing.T) {
	for name, c := range map[string]struct {
		depth, most int
		slow, short time.Duration
		request     generation.Request
		draws       bool // drafts
	}{
		"short steps":       {depth: 4, most: 2, short: time.Millisecond},
		"of more in flight": {depth: 7, most: 2, short: time.Millisecond},
		"just short enough": {depth: 4, most: 2, slow: time.Millisecond, short: time.Millisecond},
		"long steps":        {depth: 4, most: 1, slow: 10 * time.Millisecond, short: time.Millisecond},
		"too few in flight": {depth: 3, most: 1, short: time.Millisecond},
		"under a grammar":   {depth: 4, most: 1, short: time.Millisecond, request: generation.Request{Grammar: &generation.Grammar{Kind: generation.Regex, Source: "[a-z]{40}"}}},
		"with all logits":   {depth: 4, most: 1, short: time.Millisecond, request: generation.Request{Logits: func(int, []float32) {}}},
		"with choices":      {depth: 4, most: 2, short: time.Millisecond, request: generation.Request{N: 3}},
		"with a draft":      {depth: 4, most: 1, short: time.Millisecond, draws: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config := schedule.Config{BlockSize: 4, Blocks: 100, MaxModelLen: 60, Depth: c.depth}
				if c.draws {
					config.DraftRows = 1 << 10
				}
				r := start(t, config, alphabet)
				require.NoError(t, r.Call(func() { r.config.Short.Most, r.runner.slow = c.short, c.slow }))
				c.request.MaxTokens = 40
				got := r.submit(c.request).result()
				require.NoError(t, got.Err)
				assert.Equal(t, "abcdefghijklmnopqrstuvwxyzabcdefghijklmn", got.Text)
				r.close()
				assert.Equal(t, c.most, slices.Max(r.runner.together))
				if n := len(r.runner.steps); c.most == 2 {
					assert.Less(t, len(r.runner.together), n*3/4, "submissions of %d steps", n)
				}
			})
		})
	}
}

// What ends, is cancelled, comes or is lost between two steps that go together changes no text.
func TestTogetherEndsAnywhere(t *testing.T) {
	for tokens := range 12 {
		r := start(t, schedule.Config{BlockSize: 4, Blocks: 14, Depth: 4, MaxSeqs: 3, PrefixCache: true}, func(row *step.Row, counter uint32) sample.Token {
			if row.Sequence == 2 && int(counter) == tokens {
				return letter(endToken)
			}
			return alphabet(row, counter)
		})
		all := []*stream{
			r.submit(generation.Request{MaxTokens: 1 + tokens}), r.submit(generation.Request{MaxTokens: 20}),
			r.submit(generation.Request{MaxTokens: 20, Stop: []string{"def"}}), r.submit(generation.Request{MaxTokens: 20}),
		}
		r.Cancel(all[3].id, nil)
		for i, want := range []string{"abcdefghijklmnop"[:1+tokens], "abcdefghijklmnop"[:tokens], "abc"} {
			assert.Equal(t, want, all[i].result().Text, "request %d of %d tokens", i, tokens)
		}
		assert.Equal(t, generation.FinishCancelled, all[3].result().Reason)
		r.close()
		assert.Contains(t, r.runner.together, 2)
	}
}
