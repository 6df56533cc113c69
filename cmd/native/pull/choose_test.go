package pull

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/hubtest"
)

func TestQuantizationsInNames(t *testing.T) {
	for file, want := range map[string]string{
		"Llama-3.2-1B-Instruct-Q4_K_M.gguf":    "Q4_K_M",
		"mistral-7b-instruct-v0.2.Q5_K_S.gguf": "Q5_K_S",
		"gemma-3-270m-it-qat-q4_0.gguf":        "Q4_0",
		"Qwen3-30B-A3B-UD-IQ1_S.gguf":          "UD-IQ1_S",
		"BF16/Qwen3-BF16-00001-of-00002.gguf":  "BF16",
		"Q8_0/model-00001-of-00003.gguf":       "Q8_0",
		"gpt-oss-20b-mxfp4.gguf":               "MXFP4",
		"model-fp16.gguf":                      "F16",
		"DeepSeek-R1.i1-IQ3_XXS.gguf":          "IQ3_XXS",
		"Bonsai-TQ2_0.gguf":                    "TQ2_0",
		"ggml-model-f16-Q8_0.gguf":             "Q8_0",
		"tinyllama.gguf":                       "",
		"Qwen2.5-Q.gguf":                       "",
	} {
		assert.Equal(t, want, quantOf(file), file)
	}
}

func files(paths ...string) (all []listed) {
	for _, path := range paths {
		all = append(all, listed{path: path})
	}
	return all
}

func TestChoosing(t *testing.T) {
	for _, tt := range hubtest.Choices {
		t.Run(tt.Name, func(t *testing.T) {
			v, err := choose(Name{Repo: "o/r", Revision: mainRevision, Quant: tt.Quant}, files(tt.Files...))
			if err != nil {
				var wrong *Error
				require.ErrorAs(t, err, &wrong)
				assert.Contains(t, wrong.Text+". "+wrong.Hint, tt.Want)
				assert.NotEmpty(t, wrong.Hint)
				return
			}
			var paths []string
			for _, f := range v.files {
				paths = append(paths, f.path)
			}
			assert.False(t, tt.Fails)
			assert.Equal(t, tt.Want, strings.Join(paths, " "))
		})
	}
}
