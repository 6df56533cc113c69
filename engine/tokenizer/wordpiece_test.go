package tokenizer

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// published are texts and the tokens that Hugging Face's tokenizers 0.23.3 makes of them with a vocabulary.
type published struct {
	Tokens []string `json:"tokens"`
	Types  []Type   `json:"types"`
	Cases  []struct {
		Text  string  `json:"text"`
		Whole []int32 `json:"whole"`
		Cased []int32 `json:"cased"` // with neither case nor accents taken off
	} `json:"cases"`
}

func readPublished(t testing.TB, name string) *published {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	p := &published{}
	require.NoError(t, json.Unmarshal(data, p))
	return p
}

func TestWordPiece(t *testing.T) {
	p := readPublished(t, "testdata/wordpiece.json")
	for _, cased := range []bool{false, true} {
		tok, err := FromVocabulary(&Vocabulary{Model: "bert", Tokens: p.Tokens, Types: p.Types, AddBOS: true, AddEOS: true, Cased: cased, Accents: cased})
		require.NoError(t, err)
		for _, c := range p.Cases {
			want := c.Whole
			if cased {
				want = c.Cased
			}
			assert.Equal(t, want, tok.EncodeWhole(c.Text, EncodeOptions{Special: true}), "%q, cased %v", c.Text, cased)
		}
	}
}
