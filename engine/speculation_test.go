package engine

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/sample"
	"quire/tests/testdata"
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
	// Each token of a draft is drawn under a mask of its own; what is forced is none of a draft.
	lists := `{"type":"array","items":{"enum":["the little fox","the little dog ran home","a bird"]},"minItems":8,"maxItems":9}`
	for _, g := range []Grammar{{Kind: Regex, Source: "[a-z ,.']{50,90}"}, {Source: lists}} {
		r := all[len(all)%3+1]
		r.Grammar, r.MinTokens, r.IgnoreEnd = &g, 0, false
		r.Sample.Logprobs, r.MaxTokens = 0, 60
		all = append(all, r)
	}
	all[4].Sample.Logprobs = 2
	return all
}

// say runs requests, one after another or together, and gives their results.
func say(t *testing.T, e *Engine, requests []Request, together bool) (all []Result) {
	if !together {
		for _, r := range requests {
			all = append(all, results(t, e, []Request{r})...)
		}
		return all
	}
	return results(t, e, requests)
}

func TestSpeculation(t *testing.T) {
	t.Run("lookup", func(t *testing.T) {
		testSpeculation(t, openModel(t, "tiny-tales", Options{Deterministic: true, Context: 256, MaxSeqs: 4, Speculation: "ngram"}))
	})
	t.Run("draft model", func(t *testing.T) {
		if runsFew() {
			t.Skip("takes a second model")
		}
		e := openModel(t, "tiny-tales", Options{Deterministic: true, Context: 256, MaxSeqs: 4, Speculation: "draft", DraftModel: modelSource(t, "tiny-tales")})
		assert.NotEmpty(t, e.Info().DraftModel)
		assert.NotZero(t, e.Info().DraftBytes)
		testSpeculation(t, e)
		require.NoError(t, e.loop.Call(func() { e.loop.Fail(gpu.ErrDeviceLost) }))
		testSpeculation(t, e) // and after a lost device
	})
	t.Run("draft model with states", func(t *testing.T) {
		repeats(t)
		testSpeculation(t, openFamily(t, "qwen35", Options{Deterministic: true, Context: 256, MaxSeqs: 4, Speculation: "draft", DraftModel: familySource(t, "qwen35")}))
	})
}

func modelSource(t testing.TB, name string) gpu.Source {
	f, size := testdata.Open(t, "models/"+name+".gguf")
	return gpu.ReaderSource(f, size)
}

// testSpeculation asks for texts, and the log-probabilities of every token, which are to be those that come without drafts: alone and
// together.
func testSpeculation(t *testing.T, e *Engine) {
	requests, ways := spoken(), []bool{false, true}
	if runsFew() {
		requests, ways = append(requests[:1], requests[4]), ways[1:]
		requests[0].MaxTokens = 14 // under a grammar a text takes longer to repeat itself
	}
	plain := slices.Clone(requests)
	for i := range plain {
		plain[i].DraftMax = -1
	}
	none := e.Stats().DraftedTokens
	want := say(t, e, plain, false)
	require.Equal(t, none, e.Stats().DraftedTokens)
	for _, together := range ways {
		before := e.Stats()
		got := say(t, e, requests, together)
		for i := range want {
			assert.Equal(t, want[i].Choices, got[i].Choices, "request %d, together: %t", i, together)
			if g := requests[i].Grammar; g != nil && g.Kind == Regex && e.Info().Architecture == "llama" { // others write no text
				assert.Positive(t, got[i].Figures.DraftedTokens)
			}
		}
		s := e.Stats()
		right, drafted := s.AcceptedTokens-before.AcceptedTokens, s.DraftedTokens-before.DraftedTokens
		t.Logf("%d steps for %d tokens, %d of %d drafted were right", s.Steps-before.Steps, s.Tokens-before.Tokens, right, drafted)
		assert.Positive(t, right)
		assert.True(t, runsFew() || drafted > right, "none was wrong")
	}
}

// What cannot be drafted is refused by name.
func TestSpeculationIsChecked(t *testing.T) {
	for text, o := range map[string]Options{
		`Speculation is "medusa"`: {Speculation: "medusa"}, "DraftMax is -1": {Speculation: "ngram", DraftMax: -1}, "DraftMax is 4, which needs Speculation": {DraftMax: 4},
		`Speculation is "draft", which needs`: {Speculation: "draft"}, `Speculation is "ngram", which has no use for`: {Speculation: "ngram", DraftModel: modelSource(t, "tiny-tales")},
		"its vocabulary is another: token": {Speculation: "draft", DraftModel: modelSource(t, "stories260K")},
	} {
		o.GPU.Adapter = os.Getenv("QUIRE_ADAPTER")
		_, err := Open(t.Context(), modelSource(t, "tiny-tales"), o)
		assert.ErrorContains(t, err, text)
		assert.True(t, errors.Is(err, ErrBadRequest) || errors.Is(err, ErrDraftModel), "%v", err)
	}
}
