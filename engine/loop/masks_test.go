package loop

import (
	"math/rand/v2"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/generation"
	"quire/engine/grammar"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
)

// What cannot go on ends with an error that says so, and nothing beside it.
func TestGrammarsThatEndInErrors(t *testing.T) {
	for _, c := range []struct {
		source, text string
		limits       grammar.Limits
		q            generation.Request
	}{
		{"()", "cannot go on as its grammar wants", grammar.Limits{}, generation.Request{IgnoreEnd: true, Beams: &generation.Beams{Width: 2}}},
		{"[a-z]{3}(?:a|aa){500}", "too ambiguous", grammar.Limits{Threads: 40}, generation.Request{}},
		{"[a-z]{3}(?:a|aa){500}", "too ambiguous", grammar.Limits{Threads: 40}, generation.Request{N: 2}},
	} {
		c.q.Grammar = &generation.Grammar{Kind: generation.Regex, Source: c.source}
		r := start(t, schedule.Config{BlockSize: 4, Blocks: 200, Depth: 2, PrefixCache: true}, alphabetBeams)
		r.grammars = generation.NewGrammars(r.tokenizer, r.tokenizer.Size(), c.limits)
		var free, under *stream
		require.NoError(t, r.Call(func() {
			free, under = r.submit(generation.Request{MaxTokens: 20}), r.submit(c.q)
		}))
		got := under.result()
		assert.ErrorContains(t, got.Err, c.text, c.source)
		assert.Equal(t, generation.FinishError, got.Reason, c.source)
		assert.Equal(t, "abcdefghijklmnopqrst", free.result().Text)
		r.close()
	}
}

// Texts follow their grammars at every depth, beside others that have none.
func TestGrammars(t *testing.T) {
	for _, depth := range []int{1, 2, 4} {
		for _, c := range []struct {
			source string
			q      generation.Request
			text   string // of the first choice
			reason generation.FinishReason
		}{
			{"[c-f]{3,7}-[0-9]+x", generation.Request{MaxTokens: 100}, "", generation.FinishStop},
			{"[a-z]{3}", generation.Request{}, "abc", generation.FinishStop},
			{"[a-z]{30}", generation.Request{MaxTokens: 5}, "abcde", generation.FinishLength},
			{"[a-z]{5}", generation.Request{MaxTokens: 5}, "abcde", generation.FinishStop},
			{"[a-z]{5}forced!", generation.Request{MaxTokens: 9}, "abcdeforc", generation.FinishLength},
			{"[a-z]{5}forced![a-z]{3}", generation.Request{}, "abcdeforced!mno", generation.FinishStop},
			{"all of it is forced", generation.Request{N: 2}, "all of it is forced", generation.FinishStop},
			{"()", generation.Request{IgnoreEnd: true}, "", generation.FinishStop},
			{"()", generation.Request{MinTokens: 5}, "", generation.FinishStop},
			{"[a-z]{2}", generation.Request{MinTokens: 5}, "ab", generation.FinishStop},
			{"[a-z]{2,30}", generation.Request{MinTokens: 29, MaxTokens: 29}, "abcdefghijklmnopqrstuvwxyzabc", generation.FinishLength},
			{"[a-z]{2}and a stop text[a-z]*", generation.Request{Stop: []string{" stop"}}, "aband a", generation.FinishStop},
			{"[a-z]{4}now [a-z]{4}", generation.Request{Beams: &generation.Beams{Width: 3}, MaxTokens: 20}, "", generation.FinishStop},
		} {
			c.q.Grammar = &generation.Grammar{Kind: generation.Regex, Source: c.source}
			r := start(t, schedule.Config{BlockSize: 4, Blocks: 200, Depth: depth, PrefixCache: true}, alphabetBeams)
			var free, under *stream
			require.NoError(t, r.Call(func() {
				free, under = r.submit(generation.Request{MaxTokens: 20}), r.submit(c.q)
			}))
			got := under.result()
			require.NoError(t, got.Err, c.source)
			assert.Equal(t, c.reason, got.Reason, c.source)
			for _, choice := range got.Choices {
				if c.text != "" {
					assert.Equal(t, c.text, choice.Text, c.source)
				} else {
					assert.Regexp(t, regexp.MustCompile("^(?:"+c.source+")$"), choice.Text)
				}
			}
			assert.Equal(t, "abcdefghijklmnopqrst", free.result().Text)
			r.close()
			assert.Positive(t, r.runner.masked)
		}
	}
}

// Most masks are known before the token lands that they depend on.
func TestMasksAreForeseen(t *testing.T) {
	r := start(t, schedule.Config{BlockSize: 4, Blocks: 200, Depth: 4}, alphabetBeams)
	grammar := &generation.Grammar{Kind: generation.Regex, Source: "[a-z]{5,60}[0-9]{30}x"}
	require.NoError(t, r.submit(generation.Request{MaxTokens: 95, Grammar: grammar}).result().Err)
	r.close()
	assert.LessOrEqual(t, int(r.times.Again), 3)
	assert.GreaterOrEqual(t, r.runner.masked, 90)
}

// Where a text can be read in two ways the mask that is picked may not be that of where the token leads: the text is what it would be
// if each token landed before the next is drawn.
func TestWrongPicks(t *testing.T) {
	const says = `["abcdefghi","bcd"]`
	say := func(_ *step.Row, counter uint32) sample.Token {
		return letter(int32(says[min(int(counter), len(says)-1)]))
	}
	for _, source := range []string{
		`{"anyOf":[{"type":"array","items":{"type":"string","maxLength":4}},{"type":"array","items":{"type":"string","pattern":"^[a-m]*$"}}]}`,
		`{"anyOf":[{"type":"array","items":{"type":"string","maxLength":4}},{"type":"array","items":{"enum":["abcdefghi","bcdefghi","xyz"]}}]}`,
	} {
		want := ""
		for _, depth := range []int{1, 2, 4} {
			r := start(t, schedule.Config{BlockSize: 4, Blocks: 200, Depth: depth}, say)
			under := &generation.Grammar{Kind: generation.JSONSchema, Source: source}
			got := r.submit(generation.Request{MaxTokens: 40, Grammar: under}).result()
			require.NoError(t, got.Err)
			r.close()
			if depth == 1 {
				want = got.Text
				assert.Zero(t, r.times.Again, source)
				continue
			}
			assert.Equal(t, want, got.Text, source)
			assert.Positive(t, r.times.Again, source)
		}
	}
}

// A step that runs ahead may run on a token that the text does not say, and come to no numbers there: the text goes on. Where the text's
// own token does that, it ends.
func TestBrokenBehindWrongPicks(t *testing.T) {
	const prompt, says = 2, `["abcdefghi","bcd"]`
	say := func(_ *step.Row, counter uint32) sample.Token {
		return letter(int32(says[min(int(counter), len(says)-1)]))
	}
	source := `{"anyOf":[{"type":"array","items":{"type":"string","maxLength":4}},{"type":"array","items":{"type":"string","pattern":"^[a-m]*$"}}]}`
	for _, depth := range []int{1, 2, 3, 4} {
		for _, own := range []bool{false, true} {
			r := start(t, schedule.Config{BlockSize: 4, Blocks: 200, Depth: depth}, say)
			broken := 0
			require.NoError(t, r.Call(func() {
				r.runner.broken = func(row *step.Row) bool {
					at := int(row.Start) - prompt
					ran := r.runner.steps[len(r.runner.steps)-1].Tokens[row.First]
					if ran == step.LaneToken {
						ran = r.runner.before[row.Lane]
					}
					if at < 0 || at >= len(says) || (ran == int32(says[at])) != own || own && at != 7 {
						return false
					}
					broken++
					return true
				}
			}))
			under := &generation.Grammar{Kind: generation.JSONSchema, Source: source}
			got := r.submit(generation.Request{MaxTokens: 40, Grammar: under}).result()
			r.close()
			if own {
				require.ErrorIs(t, got.Err, generation.ErrNotNumbers, "depth %d", depth)
				continue
			}
			require.NoError(t, got.Err, "depth %d", depth)
			assert.Equal(t, says, got.Text, "depth %d", depth)
			assert.Equal(t, depth > 2, broken > 0, "depth %d", depth)
		}
	}
}

// Whatever is asked for that may be needed, each output of a step has a slot left for the mask that it surely needs.
func TestMasksThatMayBeLeaveRoom(t *testing.T) {
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		outputs := 1 + rnd.IntN(5)
		l := &Loop{config: Config{Outputs: outputs}, mostFills: rnd.IntN(8)}
		l.shelf.reset(1 + outputs + rnd.IntN(6))
		names := 2 * len(l.shelf.names)
		name := func() step.Name { return step.Name{Kind: step.Place, ID: 1 + uint64(rnd.IntN(names))} }
		for s := range 20 {
			l.shelf.begin()
			l.fills = 0
			for range outputs {
				for range rnd.IntN(2 * names) {
					l.maySlot(name())
				}
				n := name()
				if _, ok := l.shelf.find(n, 0); !ok {
					_, err := l.takeSlot(n)
					require.NoError(t, err, "seed %d, step %d", seed, s)
				}
			}
		}
	}
}
