package pull

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
	usual := files("README.md", "m-Q2_K.gguf", "m-Q4_0.gguf", "m-Q4_K_M.gguf", "m-Q8_0.gguf", "m-imatrix.gguf", "mmproj-m-F16.gguf", "m-f16.gguf")
	split := files("BF16/m-BF16-00002-of-00002.gguf", "BF16/m-BF16-00001-of-00002.gguf", "m-UD-Q4_K_XL.gguf", "m-Q3_K_S.gguf", "Q8_0/m-Q8_0-00001-of-00002.gguf", "Q8_0/m-Q8_0-00002-of-00002.gguf", "Q8_0/m-Q8_0.gguf")
	tests := []struct {
		name, quant string
		all         []listed
		want        string // files, or what the error says
	}{
		{"the usual one", "", usual, "m-Q4_K_M.gguf"},
		{"by name", "Q8_0", usual, "m-Q8_0.gguf"},
		{"any case", "q8_0", usual, "m-Q8_0.gguf"},
		{"another spelling", "fp16", usual, "m-f16.gguf"},
		{"no part of a name", "Q4", usual, "has no Q4"},
		{"nor a shorter one", "Q4_K", usual, "has no Q4_K"},
		{"none", "Q6_K", usual, "has no Q6_K"},
		{"a part after a dash", "Q4_K_XL", split, "m-UD-Q4_K_XL.gguf"},
		{"all files, in order", "bf16", split, "BF16/m-BF16-00001-of-00002.gguf BF16/m-BF16-00002-of-00002.gguf"},
		{"one file rather than several", "Q8_0", split, "Q8_0/m-Q8_0.gguf"},
		{"with what is before it", "i1-q4_k_m", files("m.Q4_K_M.gguf", "m.i1-Q4_K_M.gguf"), "m.i1-Q4_K_M.gguf"},
		{"one of two models", "13b-Q8_0", files("m-7b-Q8_0.gguf", "m-13b-Q8_0.gguf", "m-113b-Q8_0.gguf"), "m-13b-Q8_0.gguf"},
		{"what a model was made from", "F16", files("m-f16-Q8_0.gguf"), "has no F16"},
		{"made with an importance matrix", "", files("m-imatrix-Q4_K_M.gguf", "m-imatrix.gguf", "Q8_0/imatrix.gguf"), "m-imatrix-Q4_K_M.gguf"},
		{"the next best", "", split, "m-UD-Q4_K_XL.gguf"},
		{"the only one", "", files("strange.gguf", "mmproj.gguf"), "strange.gguf"},
		{"no folder rather than one", "", files("a/m-Q4_K_M.gguf", "m-Q4_K_M.gguf"), "m-Q4_K_M.gguf"},
		{"several models", "", files("a-Q4_K_M.gguf", "b-Q4_K_M.gguf"), "has several such models"},
		{"several without a quantization", "", files("a.gguf", "b.gguf"), "has several such models"},
		{"no model", "", files("model.safetensors", "mmproj-f16.gguf"), "there is no GGUF file"},
		{"a file that is missing", "", files("m-Q4_K_M-00001-of-00002.gguf"), "number 2 of them, m-Q4_K_M-00002-of-00002.gguf, is not"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := choose(Name{Repo: "o/r", Revision: mainRevision, Quant: tt.quant}, tt.all)
			if err != nil {
				var wrong *Error
				require.ErrorAs(t, err, &wrong)
				assert.Contains(t, wrong.Text, tt.want)
				assert.NotEmpty(t, wrong.Hint)
				return
			}
			var paths []string
			for _, f := range v.files {
				paths = append(paths, f.path)
			}
			assert.Equal(t, tt.want, strings.Join(paths, " "))
		})
	}
}

// An error says what there is, as one would write it.
func TestWhatThereIs(t *testing.T) {
	all := files("m-Q4_0.gguf", "m-q8_0.gguf", "other-Q8_0.gguf", "strange.gguf", "mmproj-F16.gguf")
	_, err := choose(Name{Repo: "o/r", Revision: mainRevision, Quant: "Q5_0"}, all)
	var wrong *Error
	require.ErrorAs(t, err, &wrong)
	assert.Equal(t, "There are hf:o/r/m-q8_0.gguf, hf:o/r/other-Q8_0.gguf, hf:o/r/strange.gguf, hf:o/r:Q4_0.", wrong.Hint)
}
