//go:build !js

package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// chosen is what run --json prints of answers.
type chosen struct {
	IDs          []int32
	Text         string
	FinishReason string `json:"reason"`
	Choices      []struct {
		Index          int
		IDs            []int32
		Text           string
		FinishReason   string `json:"reason"`
		Logprob, Score *float64
	}
}

func TestRunGivesSeveralAnswers(t *testing.T) {
	lines := `{"prompt":"Once upon a time","n":3,"seed":5}
{"prompt":"Once upon a time","seed":6}
{"prompt":"Once upon a time","n":1,"best_of":2,"seed":5}
{"prompt":"Once upon a time","n":2,"beams":2,"length_penalty":0,"early_stopping":true}
`
	r := quireWith(t, lines, "run", "--raw", "--json", "--max-tokens", "6", "--deterministic", "--prompts", "-").ok(t)
	var all []chosen
	for line := range strings.Lines(r.stdout) {
		var c chosen
		require.NoError(t, json.Unmarshal([]byte(line), &c), line)
		all = append(all, c)
	}
	require.Len(t, all, 4)
	samples, single, best, beams := all[0], all[1], all[2], all[3]
	require.Len(t, samples.Choices, 3)
	assert.Equal(t, samples.IDs, samples.Choices[0].IDs)
	assert.Equal(t, samples.Text, samples.Choices[0].Text)
	require.NotNil(t, samples.Choices[0].Score)
	assert.Zero(t, *samples.Choices[0].Score, "nothing asks for log-probabilities")
	assert.Equal(t, single.IDs, samples.Choices[1].IDs, "the second answer has the next seed")
	require.Len(t, single.Choices, 1)
	assert.Equal(t, single.Text, single.Choices[0].Text)
	require.Len(t, best.Choices, 1)
	assert.Contains(t, [][]int32{samples.Choices[0].IDs, samples.Choices[1].IDs}, best.IDs)
	assert.Negative(t, *best.Choices[0].Score)
	require.Len(t, beams.Choices, 2)
	assert.Equal(t, 1, beams.Choices[1].Index)
	assert.Equal(t, *beams.Choices[0].Logprob, *beams.Choices[0].Score, "a penalty of 0 ranks by the sum")
	assert.Greater(t, *beams.Choices[0].Score, *beams.Choices[1].Score)

	plain := quire(t, "run", "--raw", "--max-tokens", "6", "--n", "2", "--beams", "2", "--length-penalty", "0", "--early-stopping", "true", "Once upon a time").ok(t)
	assert.Equal(t, "==> answer 1 <==\n"+beams.Choices[0].Text+"\n\n==> answer 2 <==\n"+beams.Choices[1].Text+"\n", plain.stdout)
}

func TestRunRefusesChoices(t *testing.T) {
	for says, args := range map[string][]string{
		"--beams go without drawing: leave out the --temperature": {"--beams", "2", "--temperature", "0.5"},
		"--best-of is 2, it must be at least --n (3)":             {"--n", "3", "--best-of", "2"},
		"--n is 3, --beams 2":                                     {"--n", "3", "--beams", "2"},
		"do not go together":                                      {"--best-of", "3", "--beams", "2"},
		`must be one of "true","false","never"`:                   {"--beams", "2", "--early-stopping", "soon"},
		"must be within 1":                                        {"--n", "0"},
		"--length-penalty: must be a number":                      {"--length-penalty", "much"},
	} {
		r := quire(t, append([]string{"run", "hi"}, args...)...)
		assert.Equal(t, 2, r.code, says)
		assert.Contains(t, r.stderr, says)
	}
	r := quire(t, "run", "--raw", "--beams", "20", "Once upon a time")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "beams is 20")
}
