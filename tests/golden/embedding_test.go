package golden

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu/gputest"
	"quire/tests/testdata"
)

// embedding is the golden file of a tiny model of embeddings: prompts with the vector of each, not normalised.
type embedding struct {
	Model   string `json:"model"`
	Width   int    `json:"width"`
	Pooling string `json:"pooling"`
	Prompts []struct {
		Name      string  `json:"name"`
		PromptIDs []int32 `json:"prompt_ids"`
		Row       int     `json:"row"`
		Norm      float64 `json:"norm"`
	} `json:"prompts"`
	vectors []float32
}

func loadEmbedding(t testing.TB, name string) *embedding {
	t.Helper()
	var e embedding
	require.NoError(t, json.Unmarshal(testdata.Bytes(t, "families/"+name+".json"), &e))
	e.vectors = floats(testdata.Bytes(t, "families/"+name+".embedding.f32"))
	return &e
}

// Golden files of embeddings, by what runs them.
var (
	embedEverywhere = []string{"qwen3embed", "gemmaembed", "bert"}
	embedFirst      = []string{"gemmaembed-dense", "nomicbert"} // the default native binding
)

const embeddingTolerance = 1e-3

// Every prompt's vector is the golden one, alone and beside the others in one batch, in chunks of 7 tokens where a prompt may
// be cut, and in one order of summation.
func TestEmbeddings(t *testing.T) {
	names := embedEverywhere
	if gputest.First || all() {
		names = slices.Concat(embedEverywhere, embedFirst)
	}
	for _, name := range names {
		g := loadEmbedding(t, name)
		for what, o := range map[string]engine.Options{"": {}, "chunks": {TokenBudget: 7}, "deterministic": {Deterministic: true}} {
			if what != "" && !gputest.First && !all() {
				continue
			}
			t.Run(name+" "+what, func(t *testing.T) {
				o.KVType, o.MaxSeqs = "f32", 4
				e := openFile(t, "families/"+g.Model, o)
				assert.Equal(t, g.Pooling, string(e.Info().Pooling))
				worst := 0.0
				var streams []*engine.Stream
				for _, p := range g.Prompts {
					r := generate(t, e, engine.Request{Prompt: p.PromptIDs, Embed: &engine.Embed{Raw: true}})
					worst = max(worst, g.difference(t, p.Row, 1, r.Embedding))
					s, err := e.Submit(t.Context(), engine.Request{Prompt: p.PromptIDs, Embed: &engine.Embed{}})
					require.NoError(t, err)
					streams = append(streams, s)
				}
				for i, p := range g.Prompts {
					r := streams[i].Result()
					require.NoError(t, r.Err)
					assert.Equal(t, engine.FinishStop, r.Reason)
					assert.Empty(t, r.IDs)
					worst = max(worst, g.difference(t, p.Row, p.Norm, r.Embedding))
				}
				assert.LessOrEqual(t, worst, embeddingTolerance)
				t.Logf("largest difference of an element %.2g", worst)
			})
		}
	}
}

// difference is the largest difference of a vector's elements from the golden ones, once it is as long as they are.
func (g *embedding) difference(t testing.TB, row int, scale float64, got []float32) float64 {
	t.Helper()
	require.Len(t, got, g.Width)
	worst := 0.0
	for i, want := range g.vectors[row*g.Width:][:g.Width] {
		worst = max(worst, math.Abs(float64(got[i])*scale-float64(want)))
	}
	return worst
}
