package generation

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sample"
	"quire/engine/tokenizer"
)

// words is a vocabulary of a token a byte, and some longer ones.
func words(t *testing.T, longer ...string) *tokenizer.Tokenizer {
	v := &tokenizer.Vocabulary{Model: "gpt2", Pre: "gpt-2", IDs: map[string]int32{}}
	for b := range 256 {
		v.Tokens, v.Types = append(v.Tokens, tokenizer.ByteToken(byte(b))), append(v.Types, tokenizer.Normal)
	}
	for _, text := range longer {
		v.Tokens, v.Types = append(v.Tokens, text), append(v.Types, tokenizer.Normal)
		for i := 1; i < len(text); i++ {
			v.Merges = append(v.Merges, text[:i]+" "+text[i:i+1])
		}
	}
	tok, err := tokenizer.FromVocabulary(v)
	require.NoError(t, err)
	return tok
}

func TestBreakers(t *testing.T) {
	tok := words(t, "ab", "abc", "az", "xa")
	id := func(text string) int32 {
		ids := tok.Encode(text, tokenizer.EncodeOptions{})
		require.Len(t, ids, 1, text)
		return ids[0]
	}
	b := NewBreakers(tok)
	got, err := b.Of(sample.DRY{Multiplier: 1, Base: 1, Breakers: []string{"z", "abc"}})
	require.NoError(t, err)
	assert.Equal(t, map[int32]bool{id("z"): true, id("az"): true, id("abc"): true}, got.Alone)
	assert.ElementsMatch(t, [][]int32{
		append([]int32{id("a")}, tok.Encode("bc", tokenizer.EncodeOptions{})...),
		append([]int32{id("xa")}, tok.Encode("bc", tokenizer.EncodeOptions{})...),
		{id("ab"), id("c")},
	}, got.Sequences)
	again, err := b.Of(sample.DRY{Multiplier: 3, Base: 2, Breakers: []string{"z", "abc"}})
	require.NoError(t, err)
	assert.Same(t, got, again, "they are remembered")
	other, err := b.Of(sample.DRY{Multiplier: 1, Base: 1, Breakers: []string{"zabc"}})
	require.NoError(t, err)
	assert.NotEqual(t, got, other)
	none, err := b.Of(sample.DRY{Breakers: []string{"a"}})
	assert.NoError(t, err)
	assert.Nil(t, none)
	for i := range 3 * knownBreakers {
		_, err := b.Of(sample.DRY{Multiplier: 1, Base: 1, Breakers: []string{strings.Repeat("x", i%40+1)}})
		require.NoError(t, err)
		assert.LessOrEqual(t, len(b.known), knownBreakers)
	}
}
