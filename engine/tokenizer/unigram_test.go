package tokenizer

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
)

// Texts and the tokens that SentencePiece 0.2 makes of them, with a vocabulary and a table of replacements of its own making.
func TestUnigram(t *testing.T) {
	data, err := os.ReadFile("testdata/unigram.json")
	require.NoError(t, err)
	var p struct {
		Tokens   []string
		Scores   []float32
		Types    []Type
		Charsmap string
		Texts    []string
		IDs      [][]int32
	}
	require.NoError(t, json.Unmarshal(data, &p))
	table, err := base64.StdEncoding.DecodeString(p.Charsmap)
	require.NoError(t, err)
	v := &Vocabulary{Model: "t5", Tokens: p.Tokens, Scores: p.Scores, Types: p.Types, Charsmap: table, AddSpacePrefix: true, MergeSpaces: true}
	tok, err := FromVocabulary(v)
	require.NoError(t, err)
	for i, text := range p.Texts {
		got := tok.Encode(text, EncodeOptions{})
		if len(got)+len(p.IDs[i]) > 0 {
			assert.Equal(t, p.IDs[i], got, "%q", text)
		}
	}

	// A table that is cut short, or was altered, is told or does no harm.
	for n := range 8 {
		v.Charsmap = table[:n]
		_, err := FromVocabulary(v)
		var e *gguf.MetadataError
		if n > 0 {
			require.ErrorAs(t, err, &e)
			assert.Equal(t, keyCharsmap, e.Key)
		}
	}
	for i := range len(table) {
		altered := append([]byte{}, table...)
		altered[i] ^= 0xFF
		v.Charsmap = altered
		if tok, err := FromVocabulary(v); err == nil {
			tok.Encode("½ ﬁne e\u0301 the fox", EncodeOptions{})
		}
	}
}

func TestMaskTakesSpaceBeforeIt(t *testing.T) {
	v := &Vocabulary{Model: "gpt2", Pre: "jina-v2-code", Tokens: []string{"a", "Ġ", "<mask>"}, Types: []Type{Normal, Normal, Control}, Merges: []string{}}
	tok, err := FromVocabulary(v)
	require.NoError(t, err)
	assert.Equal(t, []int32{0, 2, 1, 0}, tok.Encode("a \n <mask> a", EncodeOptions{Special: true}))
	v.Pre = "gpt-2"
	tok, err = FromVocabulary(v)
	require.NoError(t, err)
	assert.Equal(t, []int32{0, 1, 1, 2, 1, 0}, tok.Encode("a  <mask> a", EncodeOptions{Special: true}))
}
