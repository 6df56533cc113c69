//go:build unix

package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// A reranker is served: its scores are those of its classifier over the first token's vector, and the best document comes first.
func TestServeRanks(t *testing.T) {
	const width = 64
	hidden, output := tiny.Added{Name: "cls.weight", Rows: width, Cols: width}, tiny.Added{Name: "cls.output.weight", Rows: 1, Cols: width}
	ranker := file(t, "ranker.gguf", tiny.With(t, "families/bert.gguf", 4, hidden, output))
	s := serve(t, "-m", ranker, "--kv-type", "f32", "--deterministic").ready(t)
	ask := func(path string, into any, format string, a ...any) {
		t.Helper()
		status, text := s.get(t, path, fmt.Sprintf(format, a...))
		require.Equal(t, 200, status, text)
		require.NoError(t, json.Unmarshal([]byte(text), into))
	}
	const query = "he is here"
	documents := []string{"she", "the house is here", "one two three", "he"}
	ids := func(text string) (told []int) {
		var answer struct{ Tokens []int }
		ask("/tokenize", &answer, `{"content":%q,"add_special":true}`, text)
		return answer.Tokens
	}
	want := make([]float64, len(documents))
	for i, d := range documents {
		pair, err := json.Marshal(slices.Concat(ids(query), ids(d)[1:])) // [CLS] query [SEP] document [SEP]
		require.NoError(t, err)
		var answer struct {
			Data []struct{ Embedding []float64 }
		}
		ask("/v1/embeddings", &answer, `{"input":%s,"pooling":"cls","normalize":false}`, pair)
		for row := range width {
			sum := 0.0
			for col, x := range answer.Data[0].Embedding {
				sum += float64(hidden.At(row, col)) * x
			}
			want[i] += float64(output.At(0, row)) * math.Tanh(sum)
		}
	}
	type ranking struct {
		Model   string
		Results []struct {
			Index    int
			Score    float64 `json:"relevance_score"`
			Document struct{ Text string }
		}
	}
	list, err := json.Marshal(documents)
	require.NoError(t, err)
	var whole, best, raw ranking
	ask("/v1/rerank", &whole, `{"query":%q,"documents":%s,"return_documents":true}`, query, list)
	assert.Equal(t, "ranker", whole.Model)
	require.Len(t, whole.Results, len(documents))
	for i, r := range whole.Results {
		assert.InDelta(t, 1/(1+math.Exp(-want[r.Index])), r.Score, 1e-4)
		assert.Equal(t, documents[r.Index], r.Document.Text)
		if i > 0 {
			assert.LessOrEqual(t, r.Score, whole.Results[i-1].Score)
		}
	}
	ask("/rerank", &best, `{"model":"ranker","query":%q,"documents":%s,"top_n":1}`, query, list)
	require.Len(t, best.Results, 1)
	assert.Equal(t, whole.Results[0].Index, best.Results[0].Index)
	ask("/v1/rerank", &raw, `{"query":%q,"documents":%s,"raw_scores":true}`, query, list)
	for _, r := range raw.Results {
		assert.InDelta(t, want[r.Index], r.Score, 1e-4)
	}
	status, text := s.get(t, "/v1/chat/completions", `{`+fox+`}`)
	assert.Equal(t, 400, status, text)
}
