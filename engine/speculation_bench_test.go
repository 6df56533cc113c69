package engine

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/chat"
	"quire/engine/quant"
	"quire/engine/sample"
)

const copied = `The rabbit woke before the sun had touched the hill. It shook the dew from its ears, stretched one leg and then the other, and looked out over the meadow where the clover grew thick along the stream. Nothing moved but the mist. The rabbit knew that the fox slept late on cold mornings, and that the farmer's dog would not be let out until the milk was carried in. So it went down by the old stone wall, past the three birches and the broken gate, and began to eat. When the bells of the village rang six times, the rabbit lifted its head, listened, and hopped home by the same path, slowly, as if it had all the time in the world.`

// BenchmarkCopy has SmolLM2 copy a text with small changes at temperature 0, alone, with drafts and without by turns, and reports
// tokens a second and their ratio: medians of three after a first round that compiles what is needed.
func BenchmarkCopy(b *testing.B) {
	e := openModel(b, "SmolLM2-135M-Instruct.Q4_1", Options{Speculation: "ngram", Context: 2048})
	start, err := e.TextPrompt("The hare woke before the sun had touched the hill. It shook the dew")
	require.NoError(b, err)
	prompt := append(asked(b, e, "Copy this text word for word, but write \"hare\" in place of \"rabbit\":\n\n"+copied), start...)
	compareDrafts(b, e, []Request{{Prompt: prompt, MaxTokens: 150}})
}

// BenchmarkFreeText does so with texts that repeat little: what drafts by lookup cost where they do not help.
func BenchmarkFreeText(b *testing.B) {
	e := openModel(b, "SmolLM2-135M-Instruct.Q4_1", Options{Speculation: "ngram", Context: 2048})
	var requests []Request
	for i, q := range []string{"Tell me a story about a lighthouse keeper.", "Explain how rain forms, step by step.", "Write a Python function that parses dates.", "Make a plan for a week in Rome."} {
		requests = append(requests, Request{Prompt: asked(b, e, q), MaxTokens: 400, IgnoreEnd: true, Sample: sample.Params{Temperature: float64(i%2) * 0.8, Seed: uint64(i)}})
	}
	compareDrafts(b, e, requests)
}

// BenchmarkMTP does so with a model of random weights, about as large as Qwen3.5 0.8B, whose block for multi-token prediction is always
// right.
func BenchmarkMTP(b *testing.B) {
	m := hybrid{arch: "qwen35", width: 1024, ffn: 3584, vocabulary: 65536, heads: 8, kvHeads: 2, headDim: 256, rotary: 64, taps: 4, key: 128, keyHeads: 16, stateHeads: 16, value: 128,
		residual: 1, embedding: 1, logits: 1, drafting: 1, guesses: true, tune: predictable(1024), keys: map[string]any{"nextn_predict_layers": uint32(1)},
		types: func(string) quant.Type { return quant.Q8_0 }}
	for i := range 24 {
		m.recurrent = append(m.recurrent, i%4 < 3)
	}
	compareDrafts(b, m.open(b, Options{Speculation: "mtp", Context: 2048}), []Request{{Prompt: testPrompts(4)[3], MaxTokens: 400, IgnoreEnd: true}})
}

// asked is the prompt of a user's question.
func asked(b *testing.B, e *Engine, text string) []int32 {
	prompt, err := e.ChatPrompt([]chat.Message{{Role: "user", Content: text}}, chat.Options{})
	require.NoError(b, err)
	return prompt
}

// compareDrafts runs requests one after another, without drafts and with them by turns.
func compareDrafts(b *testing.B, e *Engine, requests []Request) {
	for range b.N {
		var rates [2][]float64
		for round := range 4 {
			var texts [2][][]int32
			for with := range 2 {
				tokens, seconds := 0.0, 0.0
				for _, r := range requests {
					r.DraftMax = with - 1
					got := submit(b, e, r).Result()
					require.NoError(b, got.Err)
					texts[with] = append(texts[with], got.IDs)
					tokens, seconds = tokens+float64(len(got.IDs)), seconds+float64(len(got.IDs))/got.Figures.DecodePerSecond
					b.Logf("drafts %d: %d tokens, %d of %d drafted right, %.2f tokens/s", with, len(got.IDs), got.Figures.AcceptedTokens, got.Figures.DraftedTokens, got.Figures.DecodePerSecond)
				}
				if round > 0 {
					rates[with] = append(rates[with], tokens/seconds)
				}
			}
			assert.Equal(b, texts[0], texts[1])
		}
		slices.Sort(rates[0])
		slices.Sort(rates[1])
		b.ReportMetric(rates[0][1], "tokens/s-without")
		b.ReportMetric(rates[1][1], "tokens/s-with")
		b.ReportMetric(rates[1][1]/rates[0][1], "ratio")
	}
}
