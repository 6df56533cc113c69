package engine

import (
	"encoding/json"
	"fmt"
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

// finished is a text that was cut at a limit with an end behind it, of which its schema allows many.
func finished(t *testing.T, source []byte, text string) string {
	g, err := grammar.Compile(grammar.JSONSchema, string(source), grammar.Limits{})
	require.NoError(t, err)
	var tokens [][]byte
	for b := range 256 {
		tokens = append(tokens, []byte{byte(b)})
	}
	v := grammar.NewVocabulary(append(tokens, nil), []int32{256}, nil)
	m, mask, rnd := g.Matcher(v), make([]uint32, v.MaskWords()), rand.New(rand.NewPCG(1, 1))
	out := []byte(strings.TrimRight(text, "\uFFFD")) // for half a character
	require.True(t, m.AcceptBytes(out), "%s\n%s", source, text)
	for range 5000 {
		if m.Accepting() {
			return string(out)
		}
		require.NoError(t, m.Mask(mask))
		var allowed []byte
		for b := range 256 {
			if mask[b>>5]>>(b&31)&1 != 0 {
				allowed = append(allowed, byte(b))
			}
		}
		require.NotEmpty(t, allowed, "%s\n%s", source, out)
		next := allowed[rnd.IntN(len(allowed))]
		ends := `}]"`
		if len(allowed) > 64 { // in a text, where brackets end nothing, and a pattern may wait for a digit or for what is escaped
			ends = fmt.Sprintf(`%d\"`, rnd.IntN(10))
		}
		for _, end := range []byte(ends) {
			if slices.Contains(allowed, end) && out[len(out)-1] != '\\' && (end == '"' || rnd.IntN(3) == 0) {
				next = end
			}
		}
		require.True(t, m.AcceptBytes([]byte{next}))
		out = append(out, next)
	}
	t.Fatalf("no end comes behind %s", out)
	return ""
}
