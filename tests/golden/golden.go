// Package golden checks the engine against outputs of independent programs (../../README.md names them): token for
// token and logit for logit, on whatever host and binding the tests are built for.
package golden

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/tests/testdata"
)

// prompt is one golden file of a model: what was fed, what came, and logits along the way.
type prompt struct {
	Text      string     `json:"text"`
	PromptIDs []int32    `json:"prompt_ids"`
	GreedyIDs []int32    `json:"greedy_ids"`
	Positions []position `json:"positions"`
	F16Arith  float64    `json:"f16_arith_max_diff"`
	last      []float32  // the whole vocabulary at the last prompt position
}

// position holds the best logits before one generated token.
type position struct {
	ID  int32        `json:"id"`
	Gap float64      `json:"gap"`
	Top [][2]float64 `json:"top"` // id, logit
}

func load(t testing.TB, model, name string) *prompt {
	t.Helper()
	var p prompt
	require.NoError(t, json.Unmarshal(testdata.Bytes(t, "golden/"+model+"/"+name+".json"), &p))
	p.last = floats(testdata.Bytes(t, "golden/"+model+"/"+name+".logits.f32"))
	require.NotEmpty(t, p.PromptIDs)
	require.Len(t, p.Positions, len(p.GreedyIDs))
	return &p
}

// story is a golden file of stories260K: Tokens[p] follows position p, inside the prompt too.
type story struct {
	PromptTokens []int32 `json:"prompt_tokens"`
	Tokens       []int32 `json:"tokens"`
	logits       []float32
}

func loadStory(t testing.TB, name string) *story {
	t.Helper()
	var s story
	require.NoError(t, json.Unmarshal(testdata.Bytes(t, "golden/stories260K/"+name+".json"), &s))
	s.logits = floats(testdata.Bytes(t, "golden/stories260K/"+name+".logits.f32"))
	return &s
}

func floats(data []byte) []float32 {
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}
