package tokenizer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
)

// smallBPE is a byte-level vocabulary of all bytes, two merges and some special tokens.
func smallBPE() *Vocabulary {
	v := &Vocabulary{Model: "gpt2", Pre: "gpt-2", IDs: map[string]int32{keyBOS: 256, keyEOS: 257}}
	for b := range 256 {
		v.Tokens, v.Types = append(v.Tokens, string(byteRunes[b])), append(v.Types, Normal)
	}
	add := func(text string, as Type) {
		v.Tokens, v.Types = append(v.Tokens, text), append(v.Types, as)
	}
	add("<s>", Control)        // 256
	add("<end>", Control)      // 257
	add("<tool>", UserDefined) // 258
	add("ab", Normal)          // 259
	add("abc", Normal)         // 260
	add("bc", Normal)          // 261
	add("<|im_end|>", Normal)  // 262
	add("xyz", Normal)         // 263
	add("", Normal)            // 264
	v.Merges = []string{"a b", "ab c", "b c"}
	return v
}

func smallSP() *Vocabulary {
	v := &Vocabulary{Model: "llama", AddBOS: true, AddSpacePrefix: true, IDs: map[string]int32{keyBOS: 1, keyEOS: 2}}
	add := func(text string, as Type, score float32) {
		v.Tokens, v.Types, v.Scores = append(v.Tokens, text), append(v.Types, as), append(v.Scores, score)
	}
	add("<unk>", Unknown, 0)
	add("<s>", Control, 0)
	add("</s>", Control, 0)
	add("<0x21>", Byte, 0)
	add("▁", Normal, -1)
	add("a", Normal, -2)
	add("b", Normal, -3)
	add("▁a", Normal, -5)
	add("ab", Normal, -4)
	add("▁ab", Normal, -6)
	add("<s", Normal, -7)
	add(">", Normal, -8)
	add("<", Normal, -9)
	add("s", Normal, -10)
	return v
}

func TestSmallVocabularies(t *testing.T) {
	bpe, err := FromVocabulary(smallBPE())
	require.NoError(t, err)
	assert.Equal(t, []int32{260, 259, 'x'}, bpe.Encode("abcabx", EncodeOptions{}))
	assert.Equal(t, []int32{'a', 258, 'b'}, bpe.Encode("a<tool>b", EncodeOptions{}), "user-defined tokens are always parsed")
	assert.NotContains(t, bpe.Encode("<s>", EncodeOptions{}), int32(256))
	assert.Equal(t, []int32{256, 'a'}, bpe.Encode("<s>a", EncodeOptions{Special: true}))
	assert.Equal(t, []int32{'x', 'y', 'z'}, bpe.Encode("xyz", EncodeOptions{}))
	assert.True(t, bpe.IsEnd(257) && bpe.IsEnd(262) && !bpe.IsEnd(256))
	assert.Equal(t, []int32{257, 262}, bpe.Ends())
	eot, ok := bpe.EOT()
	assert.True(t, ok)
	assert.Equal(t, int32(262), eot)
	assert.NotContains(t, bpe.Encode("<|im_end|>", EncodeOptions{}), int32(262), "its name makes it a control token")
	assert.Equal(t, Piece{Text: "Ġ", Bytes: " ", Type: Normal}, bpe.Token(' '))
	assert.Equal(t, Piece{}, bpe.Token(-1))
	assert.Equal(t, 265, bpe.Size())
	assert.False(t, bpe.AddBOS())

	twice := smallBPE()
	twice.Merges = []string{"a b", "b c", "ab c", "a b"}
	bpe, err = FromVocabulary(twice)
	require.NoError(t, err)
	assert.Equal(t, []int32{260}, bpe.Encode("abc", EncodeOptions{}), "the first of equal merges counts")

	whole := smallBPE()
	whole.IgnoreMerges = true
	bpe, err = FromVocabulary(whole)
	require.NoError(t, err)
	assert.Equal(t, []int32{263}, bpe.Encode("xyz", EncodeOptions{}))

	sp, err := FromVocabulary(smallSP())
	require.NoError(t, err)
	assert.Equal(t, []int32{9, 3}, sp.Encode("ab!", EncodeOptions{}), "the best score merges first: ab, then ▁ab")
	assert.Equal(t, []int32{7}, sp.Encode("a", EncodeOptions{}))
	assert.Equal(t, []int32{7, 0}, sp.Encode("aé", EncodeOptions{}), "bytes without a token are unknown")
	assert.NotContains(t, sp.Encode("<s>", EncodeOptions{}), int32(1), "plain text never becomes a control token")
	assert.Equal(t, []int32{1, 7}, sp.EncodePrompt("a", EncodeOptions{}))
	assert.Empty(t, sp.Encode("", EncodeOptions{}))
}

func TestUnfitVocabularies(t *testing.T) {
	for name, c := range map[string]struct {
		key    string
		change func(v *Vocabulary)
	}{
		"no tokens":         {keyTokens, func(v *Vocabulary) { v.Tokens = nil }},
		"the same twice":    {keyTokens, func(v *Vocabulary) { v.Tokens[3] = v.Tokens[4] }},
		"few types":         {keyTypes, func(v *Vocabulary) { v.Types = v.Types[:5] }},
		"odd byte":          {keyTypes, func(v *Vocabulary) { v.Types[5] = Byte }},
		"few scores":        {keyScores, func(v *Vocabulary) { v.Scores = []float32{1} }},
		"no merges":         {keyMerges, func(v *Vocabulary) { v.Merges = nil }},
		"merge of one":      {keyMerges, func(v *Vocabulary) { v.Merges[0] = "ab" }},
		"empty merge":       {keyMerges, func(v *Vocabulary) { v.Merges[0] = "" }},
		"half a merge":      {keyMerges, func(v *Vocabulary) { v.Merges[0] = "a " }},
		"id out of range":   {keyEOS, func(v *Vocabulary) { v.IDs[keyEOS] = 265 }},
		"negative id":       {keyBOS, func(v *Vocabulary) { v.IDs[keyBOS] = -7 }},
		"scores are needed": {keyScores, func(v *Vocabulary) { v.Model = "llama" }},
	} {
		t.Run(name, func(t *testing.T) {
			v := smallBPE()
			c.change(v)
			_, err := FromVocabulary(v)
			var e *gguf.MetadataError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, c.key, e.Key)
		})
	}
}

// Merges with a part or a result that is no token are left out with a word.
func TestMergesOfWhatIsNoToken(t *testing.T) {
	plain, err := FromVocabulary(smallBPE())
	require.NoError(t, err)
	assert.Empty(t, plain.Warnings())
	v := smallBPE()
	v.Merges = []string{"a z", "a b", "é z", "ab c", "zz a", "b c"}
	odd, err := FromVocabulary(v)
	require.NoError(t, err)
	for _, text := range []string{"abc", "az", "abcaz", "éz", "zza"} {
		assert.Equal(t, plain.Encode(text, EncodeOptions{}), odd.Encode(text, EncodeOptions{}), text)
	}
	require.Len(t, odd.Warnings(), 1)
	assert.Contains(t, odd.Warnings()[0], `3 of 6 merges need a token that the vocabulary lacks, the first is "a z"`)
}

// What a SentencePiece vocabulary without byte tokens lacks is its unknown token, one for what lies side by side.
func TestUnknownToken(t *testing.T) {
	vocabulary := func() *Vocabulary {
		v := smallSP()
		v.Tokens[3], v.Types[3] = "x", Normal
		return v
	}
	for name, change := range map[string]func(v *Vocabulary){
		"by key":  func(v *Vocabulary) { v.IDs[keyUnknown], v.Types[0] = 0, Normal },
		"by type": func(v *Vocabulary) { v.Tokens[0] = "what?" },
		"by name": func(v *Vocabulary) { v.Types[0] = Control },
	} {
		v := vocabulary()
		change(v)
		sp, err := FromVocabulary(v)
		require.NoError(t, err, name)
		for text, ids := range map[string][]int32{"a日b": {7, 0, 6}, "日": {4, 0}, "日本": {4, 0}, "日a本": {4, 0, 5, 0}, "ab": {9}, "日 本": {4, 0, 4, 0}} {
			assert.Equal(t, ids, sp.Encode(text, EncodeOptions{}), "%s: %s", name, text)
		}
		ids := sp.Encode("a日 ab", EncodeOptions{})
		assert.Regexp(t, "^a(<unk>)? ab$", string(sp.Decode(ids, DecodeOptions{})), "%s: the space after it is the text's", name)
		assert.Equal(t, " ab", string(sp.Decode(ids[2:], DecodeOptions{After: ids[:2]})), name)
	}
	v := vocabulary()
	v.Tokens[0], v.Types[0] = "y", Normal
	_, err := FromVocabulary(v)
	var e *gguf.MetadataError
	require.ErrorAs(t, err, &e, "nothing stands for what is lacking")
	assert.Equal(t, keyUnknown, e.Key)
}

func TestUnsupported(t *testing.T) {
	for _, model := range []string{"rwkv", "plamo2", "none", "GPT2", ""} {
		_, err := FromVocabulary(&Vocabulary{Model: model, Tokens: []string{"a"}})
		assert.ErrorIs(t, err, ErrUnsupportedTokenizer)
		assert.ErrorContains(t, err, `"`+model+`"`)
	}
	for _, pre := range []string{"gpt2", "whitespace", "LLAMA-BPE", " ", "gpt-2 mpt"} {
		v := smallBPE()
		v.Pre = pre
		_, err := FromVocabulary(v)
		assert.ErrorIs(t, err, ErrUnsupportedTokenizer, "%q", pre)
		assert.ErrorContains(t, err, pre)
	}
}

func TestFromGGUF(t *testing.T) {
	file := func(pairs ...any) *gguf.File {
		f := &gguf.File{}
		for i := 0; i < len(pairs); i += 2 {
			require.NoError(t, f.Metadata.Set(pairs[i].(string), pairs[i+1]))
		}
		return f
	}
	tokens := []string{"a", "b", "ab"}
	v, err := FromGGUF(file(keyModel, "llama", keyTokens, tokens, keyScores, []int32{0, -1, -2},
		keyBOS, uint32(1), keyEOS, uint32(0xFFFFFFFF), "tokenizer.ggml.padding_token_id", int32(2)))
	require.NoError(t, err)
	assert.Equal(t, &Vocabulary{Model: "llama", Tokens: tokens, Scores: []float32{0, -1, -2}, AddBOS: true, AddSpacePrefix: true,
		IDs: map[string]int32{keyBOS: 1, "tokenizer.ggml.padding_token_id": 2}}, v)

	v, err = FromGGUF(file(keyModel, "gpt2", keyPre, "llama-bpe", keyTokens, tokens, keyMerges, []string{"a b"}))
	require.NoError(t, err)
	assert.True(t, v.IgnoreMerges && v.AddBOS && !v.AddSpacePrefix)
	v, err = FromGGUF(file(keyModel, "gpt2", keyPre, "llama-bpe", keyTokens, tokens, keyIgnoreMerges, false, keyAddBOS, false))
	require.NoError(t, err)
	assert.False(t, v.IgnoreMerges || v.AddBOS)

	// Ids past the vocabulary: what nothing needs is left out with a word, also where a writer spells "none" as -1.
	v, err = FromGGUF(file(keyModel, "gpt2", keyPre, "gpt-2", keyTokens, tokens, keyMerges, []string{"a b"}, keyBOS, uint32(7), keyAddBOS, false,
		"tokenizer.ggml.padding_token_id", uint32(3), "tokenizer.ggml.middle_token_id", uint32(32010), "tokenizer.ggml.fim_pad_token_id", int64(1)<<40,
		keyUnknown, int32(-1), "tokenizer.ggml.seperator_token_id", uint32(99), "tokenizer.ggml.mask_token_id", uint32(99)))
	require.NoError(t, err)
	assert.Empty(t, v.IDs)
	require.Len(t, v.Warnings, 4)
	assert.Contains(t, v.Warnings[0], keyBOS+" is 7, but there are 3 tokens")

	v, err = FromGGUF(file(keyModel, "gpt2", keyPre, "gpt-2", keyTokens, tokens, keyMerges, []string{"a b"}, keyEOS, uint32(2), keyEOT, uint32(32010)))
	require.NoError(t, err, "llama.cpp's converter wrote CodeLlama's ids for other models, too")
	assert.Equal(t, map[string]int32{keyEOS: 2}, v.IDs)
	require.Len(t, v.Warnings, 1)

	for key, f := range map[string]*gguf.File{
		keyBOS:    file(keyModel, "gpt2", keyTokens, tokens, keyBOS, uint32(3), keyAddBOS, true),
		keyEOT:    file(keyModel, "gpt2", keyTokens, tokens, keyEOT, uint32(3)),
		keyModel:  file(),
		keyTokens: file(keyModel, "gpt2", keyTokens, []int32{1}),
		keyScores: file(keyModel, "llama", keyTokens, tokens, keyScores, "x"),
		keyTypes:  file(keyModel, "gpt2", keyTokens, tokens, keyTypes, []string{"x"}),
		keyAddBOS: file(keyModel, "gpt2", keyTokens, tokens, keyAddBOS, "yes"),
		keyEOS:    file(keyModel, "gpt2", keyTokens, tokens, keyEOS, uint32(3)),
		keyPre:    file(keyModel, "gpt2", keyPre, uint32(1)),
	} {
		_, err := New(f)
		var e *gguf.MetadataError
		require.ErrorAs(t, err, &e, "%s", key)
		assert.Equal(t, key, e.Key)
		assert.Equal(t, 1, strings.Count(err.Error(), "tokenizer: "), err)
	}
}
