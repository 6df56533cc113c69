package engine

import (
	"context"
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/grammar"
	"quire/engine/sample"
	"quire/engine/tokenizer"
)

// foxes is a schema that leaves some tokens open and forces others.
const foxes = `{"type":"object","properties":{"name":{"type":"string","minLength":1,"maxLength":6},"legs":{"type":"integer","minimum":0,"maximum":99},
	"kind":{"const":"a red fox"}},"required":["name","legs","kind"],"additionalProperties":false}`

// bounded are requests under grammars of all kinds, in all that goes with them, and one without. Texts says what they must match.
func bounded() (all []Request, texts []string) {
	add := func(text string, kind GrammarKind, source string, r Request) {
		r.Prompt, r.Grammar = testPrompts(8)[len(all)%7+1][:5+len(all)%5], &Grammar{Kind: kind, Source: source}
		all, texts = append(all, r), append(texts, text)
	}
	drawn := sample.Params{Temperature: 0.9, TopP: 1, Seed: 3}
	object := `\s*\{\s*"name":\s*"(.|\\.)*",\s*"legs":\s*-?[0-9]+,\s*"kind":\s*"a red fox"\s*\}`
	add("[a-z ]{12}x[0-9]{5}", Regex, "[a-z ]{12}x[0-9]{5}", Request{})
	add(object, JSONSchema, foxes, Request{N: 3, Sample: drawn})
	add(object, JSONSchema, foxes, Request{Sample: sample.Params{Logprobs: 2}})
	add("the (fox|kite|rain) [a-z]{4,8}!", Regex, "the (fox|kite|rain) [a-z]{4,8}!", Request{MaxTokens: 40, Beams: &Beams{Width: 3}, N: 2})
	add("[a-e]{30}", GBNF, `root ::= [a-e]{30}`, Request{Sample: sample.Params{FrequencyPenalty: 1, Temperature: 0.8, TopP: 1, TopK: 20}})
	add("", JSONObject, "", Request{MaxTokens: 14, Sample: drawn})
	add("(yes|no)", GBNF, `root ::= "yes" | "no"`, Request{BestOf: 2, Sample: drawn})
	add("[a-z]{9,}", Regex, "[a-z]{5,60}", Request{MinTokens: 9, MaxTokens: 30})
	add("[a-z]{4,40}", Regex, "[a-z]{4,40}", Request{IgnoreEnd: true, MaxTokens: 50})
	all, texts = append(all, Request{Prompt: testPrompts(4)[3], MaxTokens: 24, IgnoreEnd: true, Sample: drawn}), append(texts, "")
	return all, texts
}

// Texts follow their grammars, and are the same alone, in a batch, ahead of their landing, after preemption, and after a lost device.
func TestGrammarsInAnyBatch(t *testing.T) {
	if runsFew() {
		t.Skip("TestGrammarsFollowTheReference is enough here")
	}
	all, texts := bounded()
	options := Options{Deterministic: true, Context: 96, BlockSize: 4, MaxSeqs: 16}
	roomy := openModel(t, "tiny-tales", options)
	var want []Result
	for i, r := range all {
		alone := submit(t, roomy, r).Result()
		require.NoError(t, alone.Err)
		for _, c := range alone.Choices {
			assert.Regexp(t, regexp.MustCompile("^(?s:"+texts[i]+")"), c.Text)
			assert.Equal(t, c.Reason == FinishLength, len(c.IDs) == r.MaxTokens, "request %d: %q", i, c.Text)
		}
		want = append(want, alone)
	}
	assert.Equal(t, FinishLength, want[5].Reason)
	plain := all[2]
	plain.Sample.Logprobs = 0
	assert.Equal(t, want[2].IDs, submit(t, roomy, plain).Result().IDs, "forced tokens are the same with log-probabilities")
	assertSame(t, want, results(t, roomy, all), "a batch")
	options.KVMemory, options.Depth = kvMemory(roomy, 50), 4
	for _, test := range []struct {
		name string
		loss int // the step at which the device is lost
		set  func(*Options)
	}{
		{"recompute", 0, func(o *Options) { o.Preemption = "recompute" }},
		{"swap", 0, func(o *Options) { o.Preemption = "swap" }},
		{"small chunks, the device lost", 30, func(o *Options) { o.KVMemory, o.TokenBudget, o.Depth = 0, 7, 3 }},
	} {
		if test.name == "recompute" && os.Getenv("QUIRE_ALL") == "" {
			continue // the step loop's tests have it
		}
		t.Run(test.name, func(t *testing.T) {
			o := options
			test.set(&o)
			e := openModel(t, "tiny-tales", o)
			loseAt(e, test.loss)
			assertSame(t, want, results(t, e, all), test.name)
			assert.Equal(t, test.loss > 0, e.Stats().Recoveries > 0)
			if o.Preemption != "" {
				assert.Positive(t, e.Stats().Preemptions)
			}
			require.NoError(t, e.Close())
			assert.NoError(t, e.scheduler.Check())
		})
	}
}

// Each token is the one that engine/sample draws from the raw logits of the tokens that may come, or one that must come.
func TestGrammarsFollowTheReference(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{Deterministic: true, Context: 128, MaxSeqs: 4, KVMemory: 4 << 20})
	compiled, err := grammar.Compile(grammar.JSONSchema, foxes, grammar.Limits{})
	require.NoError(t, err)
	tok := e.Tokenizer()
	pieces := make([][]byte, e.Info().Vocabulary)
	for id := range pieces {
		pieces[id] = []byte(tok.Token(int32(id)).Bytes)
	}
	start := compiled.Matcher(grammar.NewVocabulary(pieces, tok.Ends(), nil))
	forced := 0
	settings := []sample.Params{{Temperature: 1, TopK: 8, TopP: 0.9, MinP: 0.02, Seed: 6}, {}, {Temperature: 1.5, TopP: 1, Seed: 5}}
	if runsFew() {
		settings = settings[:1]
	}
	for _, p := range settings {
		prompt := testPrompts(4)[3]
		var rows [][]float32
		r := Request{Prompt: prompt, Grammar: &Grammar{Source: foxes}, Sample: p, Logits: func(position int, logits []float32) {
			if position >= len(prompt)-1 {
				rows = append(rows, logits)
			}
		}}
		got := submit(t, e, r).Result()
		require.NoError(t, got.Err)
		require.True(t, json.Valid([]byte(got.Text)), got.Text)
		m := start.Clone()
		mask := make([]uint32, (len(pieces)+31)/32)
		for n, id := range got.IDs {
			must := m.ForcedTokens(func(text []byte) []int32 { return tok.Encode(string(text), tokenizer.EncodeOptions{Inside: true}) })
			require.NoError(t, m.Mask(mask))
			require.True(t, m.Accept(id))
			if len(must) > 0 {
				forced++
				continue
			}
			var allowed []int32
			var logits []float32
			for id, x := range rows[n] {
				if mask[id/32]>>(id%32)&1 != 0 {
					allowed, logits = append(allowed, int32(id)), append(logits, x)
				}
			}
			require.Equal(t, allowed[sample.Draw(logits, p, uint32(n))], id, "token %d of %q", n, got.Text)
		}
		require.True(t, m.Finished())
	}
	assert.Positive(t, forced)
}

// A grammar that cannot be is refused by name, by the submit that asks for it and the next; waiting for one ends with its context.
func TestGrammarsThatCannotBe(t *testing.T) {
	if runsFew() {
		t.Skip("no GPU has a part in it")
	}
	e := openModel(t, "tiny-tales", Options{Context: 64, MaxSeqs: 2, KVMemory: 1 << 20})
	for range 2 {
		_, err := e.Submit(context.Background(), Request{Prompt: []int32{10}, Grammar: &Grammar{Source: `{"properties":{"a":{"format":"colour"}}}`}})
		assert.ErrorIs(t, err, ErrBadRequest)
		assert.ErrorContains(t, err, "#/properties/a/format")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if s, err := e.Submit(ctx, Request{Prompt: []int32{10}, MaxTokens: 9, Grammar: &Grammar{Kind: JSONObject}}); err == nil {
		assert.Equal(t, FinishCancelled, s.Result().Reason)
	} else {
		assert.ErrorIs(t, err, context.Canceled)
	}
}
