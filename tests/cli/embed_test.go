//go:build !js

package cli

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type vector struct {
	PromptIDs []int32   `json:"promptIds"`
	Embedding []float64 `json:"embedding"`
	Error     string    `json:"error"`
}

func vectors(t *testing.T, r result) []vector {
	t.Helper()
	var all []vector
	for line := range strings.Lines(r.stdout) {
		var v vector
		require.NoError(t, json.Unmarshal([]byte(line), &v), line)
		all = append(all, v)
	}
	return all
}

func TestEmbedPrintsALinePerPrompt(t *testing.T) {
	prompts := "{\"ids\":[145,56,158]}\n{\"prompt\":\"he\",\"max_tokens\":7}\n{\"ids\":[288]}\n"
	model := path(t, "families/qwen3embed.gguf")
	r := quireWith(t, prompts, "embed", "-m", model, "--prompts", "-", "--json")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "1 of 3 prompts failed")
	all := vectors(t, r)
	require.Len(t, all, 3)
	assert.Equal(t, []int32{145, 56, 158}, all[0].PromptIDs)
	assert.Equal(t, []int32{256, 287}, all[1].PromptIDs, "the end token comes behind a text")
	assert.Contains(t, all[2].Error, "288")
	for _, v := range all[:2] {
		sum := 0.0
		for _, x := range v.Embedding {
			sum += x * x
		}
		assert.Len(t, v.Embedding, 64)
		assert.InDelta(t, 1, math.Sqrt(sum), 1e-6)
	}

	one := vectors(t, quire(t, "embed", "-m", model, "--pooling", "mean", "--no-normalize", "he").ok(t))
	require.Len(t, one, 1)
	assert.NotEqual(t, all[1].Embedding, one[0].Embedding)
	assert.Contains(t, quire(t, "embed", "-m", model, "--pooling", "rank", "he").stderr, "the model has no scores")
}
