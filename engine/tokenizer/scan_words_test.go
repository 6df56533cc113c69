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
	splitAs(t, "testdata/split_hf.json", 15)
	splitAs(t, "testdata/split_more.json", 2)
	splitAs(t, "testdata/split_asian.json", 3)
}

// splitAs compares with a file of cuts for so many names.
func splitAs(t *testing.T, file string, names int) {
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var golden struct {
		Texts []string
		Cuts  map[string][]string
	}
	require.NoError(t, json.Unmarshal(data, &golden))
	require.Len(t, golden.Cuts, names)
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
