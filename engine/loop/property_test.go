package loop

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
	"quire/paging"
)

// alphabetBeams is alphabet with other letters that are less likely.
func alphabetBeams(row *step.Row, counter uint32) sample.Token {
	token := alphabet(row, counter)
	for i := range int32(8) {
		token.Top = append(token.Top, sample.Candidate{ID: 'a' + (int32(counter)+i)%26, Logprob: float32(-1 - i)})
	}
	return token
}

// Whatever is asked, cancelled, lost and broken, in any order: every request finishes once, with a text that it would have
// alone, and nothing is left in use.
func TestAnyOrder(t *testing.T) {
	tok := bytesTokenizer(t)
	under := map[string]string{} // what grammars make of the alphabet
	for _, source := range []string{"[c-h]{9}", "[a-f]*x[0-9]+", "[a-c]{2}is forced[g-z]{5}", "all of it", "[a-z]{40}", "(@@|[a-d]){3,6}yes"} {
		r := start(t, schedule.Config{BlockSize: 4, Blocks: 40, MaxModelLen: 60}, alphabetBeams)
		under[source] = r.submit(generation.Request{MaxTokens: 50, Grammar: &generation.Grammar{Kind: generation.Regex, Source: source}}).result().Text
		r.close()
	}
	sources := slices.Sorted(maps.Keys(under))
	rapid.Check(t, func(rt *rapid.T) {
		draw := func(low, high int, label string) int { return rapid.IntRange(low, high).Draw(rt, label) }
		c := schedule.Config{
			BlockSize: 4, Blocks: draw(8, 40, "blocks"), Depth: draw(1, 7, "depth"), MaxSeqs: draw(2, 6, "sequences"), MaxModelLen: 40,
			TokenBudget: draw(3, 20, "budget"), PrefixCache: rapid.Bool().Draw(rt, "cache"), QueueLimit: draw(0, 3, "queue"),
			DraftRows: max(0, draw(-10, 12, "drafts")), StepRows: []schedule.StepRows{{Rows: draw(1, 8, "rows of a step"), Worth: draw(2, 24, "rows worth more time")}},
		}
		if rapid.Bool().Draw(rt, "window") {
			c.Groups = []paging.Group{{}, {Window: 6}}
		}
		r := start(t, c, alphabetBeams)
		fills, ahead := draw(0, 6, "masks foreseen"), draw(0, 4, "runs ahead") > 0
		together, usual := draw(1, 3, "together"), draw(1, max(c.Depth, 1), "depth of long steps")
		require.NoError(rt, r.Call(func() {
			r.config.RunsAhead, r.config.Short.Together, r.config.Depth = ahead, together, usual
			if fills < 6 {
				r.mostFills = fills
			}
		}))
		limits := generation.Limits{Vocabulary: tok.Size(), Ends: tok.Ends(), MaxSeqs: c.MaxSeqs, Context: r.scheduler.Limit}
		broken := errors.New("broken")
		var all []*stream
		var asked []generation.Request
		for range draw(1, 25, "events") {
			switch draw(0, 7, "event") {
			case 0, 1, 2:
				q := generation.Request{Prompt: make([]int32, draw(1, 12, "prompt")), MaxTokens: draw(1, 20, "tokens"), N: draw(1, 3, "answers")}
				if rapid.Bool().Draw(rt, "search") {
					q.Beams = &generation.Beams{Width: draw(q.N, 4, "beams")}
				} else if rapid.Bool().Draw(rt, "stop") {
					q.Stop = []string{"gh"}
				}
				if rapid.Bool().Draw(rt, "grammar") {
					q.Grammar = &generation.Grammar{Kind: generation.Regex, Source: rapid.SampledFrom(sources).Draw(rt, "source")}
				}
				if q.Validate(limits) == nil {
					asked, all = append(asked, q), append(all, r.submit(q))
				}
			case 3:
				r.Cancel(uint64(draw(1, 20, "cancelled")), nil)
			case 4:
				at := draw(0, 3, "at")
				require.NoError(rt, r.Call(func() { r.runner.submits = append(make([]error, at), errLost) }))
			case 6:
				at := draw(0, 3, "at")
				require.NoError(rt, r.Call(func() { r.runner.draws = append(make([]error, at), errLost) }))
			case 7:
				at := draw(0, 3, "at")
				require.NoError(rt, r.Call(func() { r.runner.sends = append(make([]error, at), errLost) }))
			case 5:
				at := draw(0, 3, "at")
				require.NoError(rt, r.Call(func() { r.runner.lands = append(make([]error, at), broken) }))
			}
		}
		for i, s := range all {
			got := s.result()
			switch got.Reason {
			case generation.FinishLength, generation.FinishStop:
				if g := asked[i].Grammar; g != nil {
					if asked[i].Beams == nil {
						require.Len(rt, got.Choices, asked[i].N)
					}
					for _, choice := range got.Choices {
						checkUnder(rt, g.Source, under[g.Source], &asked[i], &choice)
					}
					continue
				}
				require.Len(rt, got.Choices, asked[i].N)
				if text := "abcdefghijklmnopqrst"; got.Reason == generation.FinishStop {
					require.Equal(rt, "abcdef", got.Text)
				} else {
					require.Equal(rt, text[:len(got.IDs)], got.Text)
				}
				require.Equal(rt, got.Limit == generation.LimitTokens, len(got.IDs) == asked[i].MaxTokens && got.Reason == generation.FinishLength)
			case generation.FinishCancelled:
				require.NoError(rt, got.Err)
			default:
				known := errors.Is(got.Err, broken) || errors.Is(got.Err, schedule.ErrQueueFull) || errors.Is(got.Err, errLost) // too often in a row
				require.True(rt, known, "%v", got.Err)
			}
			if asked[i].Beams == nil && asked[i].Grammar == nil {
				for _, choice := range got.Choices {
					require.True(rt, strings.HasPrefix("abcdefghijklmnopqrst", choice.Text), choice.Text)
				}
			}
		}
		r.close()
		require.False(rt, t.Failed())
		assert.Empty(rt, r.sequences)
		assert.Empty(rt, r.generations)
	})
}

// checkUnder holds a text to its grammar, and to what it would be alone.
func checkUnder(t require.TestingT, source, alone string, q *generation.Request, c *generation.Choice) {
	if c.Reason == generation.FinishStop && (len(q.Stop) == 0 || !strings.Contains(alone, q.Stop[0])) {
		require.Regexp(t, regexp.MustCompile("^(?:"+source+")$"), c.Text)
		require.True(t, q.Beams != nil || c.Text == alone, "%q, alone %q", c.Text, alone)
	}
	require.True(t, q.Beams != nil || strings.HasPrefix(alone, c.Text), "%q, alone %q", c.Text, alone)
}
