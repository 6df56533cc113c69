package tokenizer

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The pre-tokenizers of later vocabularies cut as Hugging Face's tokenizers do by the patterns of their tokenizer.json.
func TestSplitAgainstHuggingFace(t *testing.T) {
	data, err := os.ReadFile("testdata/split_hf.json")
	require.NoError(t, err)
	var golden struct {
		Texts []string
		Cuts  map[string][]string
	}
	require.NoError(t, json.Unmarshal(data, &golden))
	require.Len(t, golden.Cuts, 15)
	for pre, cuts := range golden.Cuts {
		t.Run(pre, func(t *testing.T) {
			require.Contains(t, preTokenizers, pre)
			for i, text := range golden.Texts {
				var got []string
				for _, part := range splitBy(pre, text) {
					got = append(got, strconv.Itoa(len(part)))
				}
				assert.Equal(t, cuts[i], strings.Join(got, " "), "%q", text)
			}
		})
	}
}
