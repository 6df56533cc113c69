package tokenizer

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
)

// FuzzEncode: any bytes encode, to ids of the vocabulary, and decode to the same bytes, or to a
// subsequence of them where the vocabulary lacks some.
func FuzzEncode(f *testing.F) {
	for _, text := range []string{"Hello <s>world</s>!", "\xff\xfe\x00", "日本語 123 'S", "  \n\r\n\t ▁", "<tool><|im_end|>abcabc"} {
		f.Add(text, false)
		f.Add(text, true)
	}
	var all []*Tokenizer
	for pre := range preTokenizers {
		v := smallBPE()
		v.Pre = pre
		t, err := FromVocabulary(v)
		require.NoError(f, err)
		all = append(all, t)
	}
	sp, err := FromVocabulary(smallSP())
	require.NoError(f, err)
	all = append(all, sp)
	f.Fuzz(func(t *testing.T, text string, special bool) {
		for _, tok := range all {
			ids := tok.Encode(text, EncodeOptions{Special: special})
			for _, id := range ids {
				require.True(t, 0 <= id && int(id) < tok.Size())
			}
			got := string(tok.Decode(ids, DecodeOptions{Special: special}))
			if tok.bpe != nil {
				require.Equal(t, text, got)
			}
			d, shown := tok.NewDecoder(DecodeOptions{Special: special}), ""
			for _, id := range ids {
				shown += d.Next(id)
				require.True(t, utf8.ValidString(shown))
			}
			shown += d.Flush()
			if utf8.ValidString(got) {
				require.Equal(t, got, shown)
			}
		}
	})
}

// FuzzVocabulary: no metadata make a tokenizer panic, neither when made nor when used.
func FuzzVocabulary(f *testing.F) {
	f.Add("llama", "", "<unk>,<s>,</s>,<0x41>,▁,a,▁a", "", []byte{2, 3, 3, 6, 1, 1, 1}, []byte{0, 0, 0, 0, 9, 8, 7}, uint32(1), "a A")
	f.Add("gpt2", "llama-bpe", "a,b,ab,Ġ,<|eot_id|>", "a b", []byte{1, 1, 1, 1, 3}, []byte{}, uint32(4), "ab ab<|eot_id|>")
	f.Add("gpt2", "", "a,,b", "a b,b a", []byte{}, []byte{}, uint32(0xFFFFFFFF), "\xff")
	f.Fuzz(func(t *testing.T, model, pre, tokens, merges string, types, scores []byte, id uint32, text string) {
		file := &gguf.File{}
		set := func(key string, value any) { require.NoError(t, file.Metadata.Set(key, value)) }
		set(keyModel, model)
		set(keyTokens, strings.Split(tokens, ","))
		if pre != "" {
			set(keyPre, pre)
		}
		if merges != "" {
			set(keyMerges, strings.Split(merges, ","))
		}
		var t32 []int32
		for _, b := range types {
			t32 = append(t32, int32(int8(b)))
		}
		var s32 []float32
		for _, b := range scores {
			s32 = append(s32, float32(int8(b)))
		}
		if t32 != nil {
			set(keyTypes, t32)
		}
		if s32 != nil {
			set(keyScores, s32)
		}
		set(keyEOS, id)
		set(keyName, text)
		tok, err := New(file)
		if err != nil {
			return
		}
		for _, special := range []bool{false, true} {
			ids := tok.EncodePrompt(text+tokens, EncodeOptions{Special: special})
			tok.Decode(append(ids, int32(id), -1), DecodeOptions{Special: special})
			d := tok.NewDecoder(DecodeOptions{Special: special, After: ids})
			for _, id := range ids {
				d.Next(id)
			}
			d.Flush()
		}
		for id := int32(-1); int(id) <= tok.Size(); id++ {
			tok.Token(id)
			tok.IsEnd(id)
		}
	})
}
