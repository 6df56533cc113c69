package tokenizer

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPairs: between two texts stands what Hugging Face's tokenizers 0.23.3 puts there, by its BertProcessing and RobertaProcessing.
func TestPairs(t *testing.T) {
	words := &Vocabulary{Model: "bert", Tokens: []string{"[PAD]", "[CLS]", "[SEP]", "[UNK]", "▁a", "▁b"}, AddBOS: true, AddEOS: true,
		Types: []Type{Control, Control, Control, Control, Normal, Normal}}
	roberta := smallBPE()
	roberta.AddBOS, roberta.AddEOS = true, true
	for _, c := range []struct {
		name        string
		v           *Vocabulary
		first, last string
		want        []int32
	}{
		{"bert", words, "a", "b", []int32{1, 4, 2, 5, 2}},
		{"roberta", roberta, "ab", "abc", []int32{256, 259, 257, 257, 260, 257}},
		{"special tokens are text", roberta, "ab", "<s>", []int32{256, 259, 257, 257, '<', 's', '>', 257}},
		{"nothing ends a text", smallBPE(), "ab", "abc", []int32{259, 260}},
	} {
		tok, err := FromVocabulary(c.v)
		require.NoError(t, err)
		assert.Equal(t, c.want, tok.EncodePair(c.first, c.last, EncodeOptions{}), c.name)
	}
}
