package golden

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/tests/testdata"
)

// family is the golden file of a tiny model of one family or quantization type: prompts with the logits at each of
// their positions, and what greedy decoding adds to them.
type family struct {
	Model   string         `json:"model"`
	Vocab   int            `json:"vocab"`
	Noise   float64        `json:"float32_noise"`
	Prompts []familyPrompt `json:"prompts"`
	Types   map[string]any `json:"tensor_types"` // of quantized files
	logits  []float32

	Adapters []struct {
		File  string  `json:"file"`
		Scale float64 `json:"scale"`
	} `json:"adapters"`
}

type familyPrompt struct {
	Name      string     `json:"name"`
	PromptIDs []int32    `json:"prompt_ids"`
	GreedyIDs []int32    `json:"greedy_ids"`
	Positions []position `json:"positions"`
	Row       int        `json:"logits_row"`
	Rows      int        `json:"logits_rows"`
}

func loadFamily(t testing.TB, name string) *family {
	t.Helper()
	var f family
	require.NoError(t, json.Unmarshal(testdata.Bytes(t, "families/"+name+".json"), &f))
	f.logits = floats(testdata.Bytes(t, "families/"+name+".logits.f32"))
	for _, p := range f.Prompts {
		require.Equal(t, len(p.PromptIDs), p.Rows)
		require.Len(t, p.Positions, len(p.GreedyIDs))
		require.LessOrEqual(t, (p.Row+p.Rows)*f.Vocab, len(f.logits))
	}
	return &f
}

// tolerance is the largest difference of a logit with f32 activations and an f32 cache.
func (f *family) tolerance() float64 {
	if f.Types != nil {
		return 2e-3
	}
	return max(1e-3, 5*f.Noise)
}

// want gives the logits at position i of a prompt.
func (f *family) want(p *familyPrompt, i int) []float32 {
	return f.logits[(p.Row+i)*f.Vocab:][:f.Vocab]
}
