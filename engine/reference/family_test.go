package reference

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/testdata"
)

// The logits of tiny models are those of transformers, at every position, past the window too.
func TestFamilies(t *testing.T) {
	for _, name := range []string{"llama-llama3", "qwen3", "gemma3"} {
		t.Run(name, func(t *testing.T) {
			var golden struct {
				Noise   float64 `json:"float32_noise"`
				Prompts []struct {
					PromptIDs []int32 `json:"prompt_ids"`
					Row       int     `json:"logits_row"`
				}
			}
			require.NoError(t, json.Unmarshal(testdata.Bytes(t, "families/"+name+".json"), &golden))
			want := readFloats(t, "families/"+name+".logits.f32")
			m := loadModel(t, "families/"+name+".gguf")
			for _, p := range golden.Prompts {
				rows, err := m.NewState().Forward(p.PromptIDs)
				require.NoError(t, err)
				for i, row := range rows {
					assert.Less(t, largestDifference(t, want[(p.Row+i)*m.Vocabulary:][:m.Vocabulary], row), 5*golden.Noise, "position %d", i)
				}
			}
		})
	}
}
