package tokenizer

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/tests/testdata"
)

const (
	fileTales   = "models/quire-tales.gguf"
	fileTiny    = "models/tiny-tales.gguf" // a token a byte
	fileSmol    = "models/SmolLM2-135M-Instruct.Q4_1.gguf"
	fileStories = "models/stories260K.gguf"
)

var vocabularyFiles = []string{
	"tokenizers/ggml-vocab-gpt-2.gguf", "tokenizers/ggml-vocab-falcon.gguf", "tokenizers/ggml-vocab-starcoder.gguf",
	"tokenizers/ggml-vocab-llama-spm.gguf", "tokenizers/ggml-vocab-phi-3.gguf",
}

func open(t testing.TB, name string) *Tokenizer {
	t.Helper()
	tok, err := New(header(t, name))
	require.NoError(t, err)
	return tok
}

func header(t testing.TB, name string) *gguf.File {
	t.Helper()
	f, size := testdata.Open(t, name)
	defer f.Close()
	file, err := gguf.Read(f, size)
	require.NoError(t, err)
	return file
}

func TestVectors(t *testing.T) {
	for _, name := range vocabularyFiles {
		t.Run(name, func(t *testing.T) {
			tok := open(t, name)
			texts := strings.Split(string(testdata.Bytes(t, name+".inp")), "\n__ggml_vocab_test__\n")
			lines := strings.Split(strings.TrimRight(string(testdata.Bytes(t, name+".out")), "\n"), "\n")
			require.Len(t, lines, len(texts)-1, "the last case is empty and has no line")
			for i, line := range lines {
				var want []int32
				for _, field := range strings.Fields(line) {
					id, err := strconv.Atoi(field)
					require.NoError(t, err)
					want = append(want, int32(id))
				}
				got := tok.Encode(texts[i], EncodeOptions{})
				assert.Equal(t, want, got, "%q", texts[i])
				assert.Equal(t, texts[i], string(tok.Decode(got, DecodeOptions{})))
			}
		})
	}
}

func TestGoldenPrompts(t *testing.T) {
	for file, names := range map[string][]string{
		fileTales: {"quire-tales/kite", "quire-tales/once", "quire-tales/strange", "quire-tales/turns"},
		fileSmol:  {"smollm2-135m/gravity", "smollm2-135m/long", "smollm2-135m/odd", "smollm2-135m/plain", "smollm2-135m/turns"},
	} {
		for _, name := range names {
			t.Run(name, func(t *testing.T) {
				tok := open(t, file)
				var golden struct {
					Text       string  `json:"text"`
					PromptIDs  []int32 `json:"prompt_ids"`
					GreedyIDs  []int32 `json:"greedy_ids"`
					GreedyText string  `json:"greedy_text"`
				}
				require.NoError(t, json.Unmarshal(testdata.Bytes(t, "golden/"+name+".json"), &golden))
				assert.Equal(t, golden.PromptIDs, tok.EncodePrompt(golden.Text, EncodeOptions{Special: true}))
				shown := tok.Decode(golden.GreedyIDs, DecodeOptions{Special: true, After: golden.PromptIDs})
				assert.Equal(t, golden.GreedyText, string(shown))
			})
		}
	}
}
