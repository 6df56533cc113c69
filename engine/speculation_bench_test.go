package engine

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/chat"
)

const copied = `The rabbit woke before the sun had touched the hill. It shook the dew from its ears, stretched one leg and then the other, and looked out over the meadow where the clover grew thick along the stream. Nothing moved but the mist. The rabbit knew that the fox slept late on cold mornings, and that the farmer's dog would not be let out until the milk was carried in. So it went down by the old stone wall, past the three birches and the broken gate, and began to eat. When the bells of the village rang six times, the rabbit lifted its head, listened, and hopped home by the same path, slowly, as if it had all the time in the world.`

// BenchmarkCopy has SmolLM2 copy a text with small changes at temperature 0, alone, with drafts and without by turns, and reports
// tokens a second and their ratio: medians of three after a first round that compiles what is needed.
func BenchmarkCopy(b *testing.B) {
	e := openModel(b, "SmolLM2-135M-Instruct.Q4_1", Options{Speculation: "ngram", Context: 2048})
	prompt, err := e.ChatPrompt([]chat.Message{{Role: "user", Content: "Copy this text word for word, but write \"hare\" in place of \"rabbit\":\n\n" + copied}}, chat.Options{})
	require.NoError(b, err)
	start, err := e.TextPrompt("The hare woke before the sun had touched the hill. It shook the dew")
	require.NoError(b, err)
	prompt = append(prompt, start...)
	for range b.N {
		var rates [2][]float64
		var texts [2]string
		for round := range 4 {
			for with := range 2 {
				r := submit(b, e, Request{Prompt: prompt, MaxTokens: 150, DraftMax: with - 1}).Result()
				require.NoError(b, r.Err)
				texts[with] = r.Text
				if round > 0 {
					rates[with] = append(rates[with], r.Figures.DecodePerSecond)
				}
				b.Logf("drafts %d: %d tokens, %d of %d drafted right, %.2f tokens/s", with, len(r.IDs), r.Figures.AcceptedTokens, r.Figures.DraftedTokens, r.Figures.DecodePerSecond)
			}
		}
		assert.Equal(b, texts[0], texts[1])
		slices.Sort(rates[0])
		slices.Sort(rates[1])
		b.ReportMetric(rates[0][1], "tokens/s-without")
		b.ReportMetric(rates[1][1], "tokens/s-with")
		b.ReportMetric(rates[1][1]/rates[0][1], "ratio")
	}
}
