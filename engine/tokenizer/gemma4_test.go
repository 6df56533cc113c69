package tokenizer

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Ids as Hugging Face tokenizers 0.23.3 gives them: BPE with byte_fallback and fuse_unk, spaces replaced by U+2581.
func TestGemma4(t *testing.T) {
	v := &Vocabulary{Model: "gemma4", Tokens: []string{"<pad>", "<eos>", "<bos>", "<unk>"}, Types: []Type{Control, Control, Control, Unknown}, IDs: map[string]int32{},
		Merges: []string{"h e", "l l", "▁ ▁", "ll o", "▁ h", "▁ he", "he llo", "\n \n"}}
	for b := range 256 {
		v.Tokens, v.Types = append(v.Tokens, fmt.Sprintf("<0x%02X>", b)), append(v.Types, Byte)
	}
	words := []string{"▁", "h", "e", "l", "o", "he", "ll", "llo", "▁h", "▁he", "hello", "▁▁", "\n", "\n\n", "é"}
	v.Tokens, v.Types = append(v.Tokens, words...), append(v.Types, slices.Repeat([]Type{Normal}, len(words))...)
	tok, err := FromVocabulary(v)
	require.NoError(t, err)
	texts := map[string][]int32{
		"hello":      {270},
		" hello":     {269, 267},
		"  hello":    {271, 270},
		"hhello llo": {261, 270, 260, 267},
		"\n\n\nhé 日": {273, 272, 261, 274, 260, 234, 155, 169},
		"   h":       {271, 268},
		"<0x41>":     {64, 52, 124, 56, 53, 66},
	}
	for text, want := range texts {
		ids := tok.Encode(text, EncodeOptions{})
		assert.Equal(t, want, ids, "%q", text)
		assert.Equal(t, text, string(tok.Decode(ids, DecodeOptions{})))
	}
	assert.Empty(t, tok.Warnings())

	// Vocabularies of the same kind that are written down as byte-level ones, their bytes with no type.
	for _, pre := range []string{"sarvam-moe", "granite-embed-multi-311m"} {
		w := *v
		w.Model, w.Pre, w.Types = "gpt2", pre, slices.Clone(v.Types)
		for i, kind := range w.Types {
			if kind == Byte {
				w.Types[i] = Normal
			}
		}
		tok, err := FromVocabulary(&w)
		require.NoError(t, err)
		for text, want := range texts {
			ids := tok.Encode(text, EncodeOptions{})
			assert.Equal(t, want, ids, "%s: %q", pre, text)
			assert.Equal(t, text, string(tok.Decode(ids, DecodeOptions{})), pre)
		}
		assert.False(t, tok.AddBOS(), pre)
	}

	v.Merges = append(v.Merges, "o o")
	tok, err = FromVocabulary(v)
	require.NoError(t, err)
	assert.Len(t, tok.Warnings(), 1, "a merge of what is no token")
	v.Merges = nil
	_, err = FromVocabulary(v)
	assert.ErrorContains(t, err, keyMerges)
}
