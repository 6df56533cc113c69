package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu/gputest"
	"quire/engine/grammar"
	"quire/engine/grammar/grammartest"
	"quire/engine/sample"
)

// What models write under random schemas parses and is valid, what is cut at a limit once it is finished; what is refused is refused by name. QUIRE_ALL has two models
// write under 2,000, a software GPU the larger one under 200; QUIRE_SCHEMAS says another number.
func TestRandomSchemas(t *testing.T) {
	models := []string{"tiny-tales"}
	if os.Getenv("QUIRE_ALL") != "" {
		models = append(models, "quire-tales")
	} else if !gputest.First {
		t.Skip("the GPU draws what masks allow on every host: set QUIRE_ALL=1")
	}
	for _, model := range models {
		t.Run(model, func(t *testing.T) {
			e := openModel(t, model, Options{Context: 384, MaxSeqs: 64, KVMemory: 64 << 20})
			count := 2000
			if os.Getenv("QUIRE_ALL") == "" {
				count = 30
			} else if model == "quire-tales" && e.Info().Adapter.Type == "cpu" {
				count = 200
			}
			if asked, err := strconv.Atoi(os.Getenv("QUIRE_SCHEMAS")); err == nil {
				count = asked
			}
			ends := map[int32]float64{} // texts end sooner
			for id := range int32(e.Tokenizer().Size()) {
				switch e.Tokenizer().Token(id).Bytes {
				case `"`, "}", "]":
					ends[id] = 6
				}
			}
			type asked struct {
				source []byte
				stream *Stream
			}
			var running []asked
			refused, cut, valid := 0, 0, 0
			take := func() {
				a := running[0]
				running = running[1:]
				r := a.stream.Result()
				require.NoError(t, r.Err, "%s", a.source)
				text := r.Text
				if r.Reason == FinishLength {
					cut++
					text = finished(t, a.source, text)
				} else {
					require.Equal(t, FinishStop, r.Reason)
					valid++
				}
				value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
				require.NoError(t, err, "%s\n%s", a.source, text)
				require.NoError(t, grammartest.Validator(t, a.source).Validate(value), "%s\n%s", a.source, text)
			}
			for seed := range count {
				if seed > 0 && seed%250 == 0 {
					t.Logf("%d schemas: %d refused, %d texts valid, %d cut", seed, refused, valid, cut)
				}
				rnd := rand.New(rand.NewPCG(uint64(seed), 17))
				source, err := json.Marshal(grammartest.Schemas{Rand: rnd}.Root())
				require.NoError(t, err)
				p := sample.Params{Temperature: 1, TopP: 1, Seed: uint64(seed)}
				if seed%3 > 0 {
					p.LogitBias = ends
				}
				s, err := e.Submit(t.Context(), Request{Prompt: testPrompts(8)[seed%8], MaxTokens: 250, Sample: p, Grammar: &Grammar{Kind: JSONSchema, Source: string(source)}})
				if err != nil {
					require.ErrorIs(t, err, ErrBadRequest)
					require.ErrorContains(t, err, "JSON Schema: #")
					refused++
					continue
				}
				if running = append(running, asked{source, s}); len(running) == 64 {
					take()
				}
			}
			for len(running) > 0 {
				take()
			}
			t.Logf("%d schemas: %d refused by name or for nothing that satisfies them, %d texts valid, and %d that were cut at a limit and finished", count, refused, valid, cut)
			require.Greater(t, valid, count/3)
		})
	}
}

// finished is a text that was cut at a limit with an end behind it, of which its schema allows many: the first of 20 that are drawn to end.
func finished(t *testing.T, source []byte, text string) string {
	g, err := grammar.Compile(grammar.JSONSchema, string(source), grammar.Limits{})
	require.NoError(t, err)
	v := byteVocabulary()
	begun := []byte(strings.TrimRight(text, "\uFFFD")) // for half a character
	cut := g.Matcher(v)
	require.True(t, cut.AcceptBytes(begun), "%s\n%s", source, text)
	var schema any
	require.NoError(t, json.Unmarshal(source, &schema))
	values := literals([]any{schema, nil, true, 1, ""}, [][]byte{[]byte("{}"), []byte("[]")}) // a type may be asked for
	for seed := range uint64(20) {
		rnd, m, out := rand.New(rand.NewPCG(seed, 1)), cut.Clone(), slices.Clone(begun)
		for len(out) < len(begun)+2000 {
			if m.Accepting() {
				return string(out)
			}
			value := values[rnd.IntN(len(values))]
			if begins := len(out) == 0 || strings.IndexByte("[{:, ", out[len(out)-1]) >= 0; !begins || rnd.IntN(3) > 0 || !m.AcceptBytes(value) {
				value = []byte{towardsEnd(t, allowed(t, m, v), out, rnd)}
				require.True(t, m.AcceptBytes(value))
			}
			out = append(out, value...)
		}
	}
	t.Fatalf("no end comes behind %s\n%s", begun, source)
	return ""
}

// TestCutTexts has texts of random bytes that random schemas allow end with a value that is valid.
func TestCutTexts(t *testing.T) {
	count := 100
	if os.Getenv("QUIRE_ALL") != "" {
		count = 2000
	} else if !gputest.First {
		t.Skip("no GPU has a part in it: set QUIRE_ALL=1")
	}
	v := byteVocabulary()
	for seed := range uint64(count) {
		source, err := json.Marshal(grammartest.Schemas{Rand: rand.New(rand.NewPCG(seed, 17))}.Root())
		require.NoError(t, err)
		g, err := grammar.Compile(grammar.JSONSchema, string(source), grammar.Limits{})
		if err != nil {
			continue
		}
		m, rnd, text := g.Matcher(v), rand.New(rand.NewPCG(seed, 3)), []byte(nil)
		for bytes := allowed(t, m, v); len(bytes) > 0 && len(text) < 300; bytes = allowed(t, m, v) {
			text = append(text, bytes[rnd.IntN(len(bytes))])
			require.True(t, m.AcceptBytes(text[len(text)-1:]))
		}
		ended := finished(t, source, string(text))
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(ended))
		require.NoError(t, err, "%s\n%s", source, ended)
		require.NoError(t, grammartest.Validator(t, source).Validate(value), "%s\n%s", source, ended)
	}
}

// literals are the values within a value that hold no others, and its names, as JSON: what it may ask texts to hold is among them.
func literals(value any, to [][]byte) [][]byte {
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			to = literals(v[name], literals(name, to))
		}
	case []any:
		for _, item := range v {
			to = literals(item, to)
		}
	default:
		text, _ := json.Marshal(v)
		to = append(to, text)
	}
	return to
}

// towardsEnd draws one of the bytes that may come, more often one that ends something.
func towardsEnd(t *testing.T, allowed, out []byte, rnd *rand.Rand) byte {
	require.NotEmpty(t, allowed, "%s", out)
	next := allowed[rnd.IntN(len(allowed))]
	ends := `}]"`
	if len(allowed) > 64 { // in a text, where brackets end nothing, and a pattern may wait for a digit or for what is escaped
		ends = fmt.Sprintf(`%d\"`, rnd.IntN(10))
	}
	for _, end := range []byte(ends) {
		if slices.Contains(allowed, end) && (len(out) == 0 || out[len(out)-1] != '\\') && (end == '"' && len(allowed) > 64 || rnd.IntN(3) == 0) {
			next = end
		}
	}
	return next
}

// byteVocabulary has a token for each byte, and one for the end.
func byteVocabulary() *grammar.Vocabulary {
	var tokens [][]byte
	for b := range 256 {
		tokens = append(tokens, []byte{byte(b)})
	}
	return grammar.NewVocabulary(append(tokens, nil), []int32{256}, nil)
}

// allowed are the bytes that may come.
func allowed(t *testing.T, m *grammar.Matcher, v *grammar.Vocabulary) []byte {
	mask := make([]uint32, v.MaskWords())
	require.NoError(t, m.Mask(mask))
	var out []byte
	for b := range 256 {
		if mask[b>>5]>>(b&31)&1 != 0 {
			out = append(out, byte(b))
		}
	}
	return out
}
