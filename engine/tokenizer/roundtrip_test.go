package tokenizer

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// randomTexts gives valid UTF-8 of all kinds of code points, the same every time.
func randomTexts(n int) []string {
	r := rand.New(rand.NewPCG(1, 2))
	ranges := [][2]rune{{' ', '~'}, {' ', '~'}, {0, 0x7F}, {0x80, 0x7FF}, {0x800, 0xFFFF}, {0x10000, 0x10FFFF}, {'0', '9'},
		{0x300, 0x36F}, {0x4E00, 0x9FFF}, {0x1F300, 0x1FAFF}, {0x600, 0x6FF}}
	common := []string{" ", "  ", "\n", "\r\n", "\t", "\u00a0", "\u3000", "\u200d", "the", " and", "'s", "123", "</s>", "<0x0A>"}
	texts := make([]string, n)
	for i := range texts {
		var b strings.Builder
		for range 1 + r.IntN(40) {
			if r.IntN(3) == 0 {
				b.WriteString(common[r.IntN(len(common))])
				continue
			}
			span := ranges[r.IntN(len(ranges))]
			b.WriteRune(span[0] + r.Int32N(span[1]-span[0]+1)) // a surrogate becomes U+FFFD
		}
		texts[i] = b.String()
	}
	return texts
}

// keep drops the bytes that a byte-level vocabulary lacks.
func keep(t *Tokenizer, text string) string {
	var b strings.Builder
	for _, c := range []byte(text) {
		if t.bpe.bytes[c] != None {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func TestRoundTrip(t *testing.T) {
	for _, name := range append([]string{fileTales, fileTiny, fileSmol, fileStories}, vocabularyFiles...) {
		t.Run(name, func(t *testing.T) {
			tok := open(t, name)
			for _, text := range randomTexts(400) {
				want := text
				if tok.sp != nil {
					want = strings.ReplaceAll(text, spaceMark, " ")
				} else {
					want = keep(tok, text)
				}
				ids := tok.Encode(text, EncodeOptions{})
				require.Equal(t, want, string(tok.Decode(ids, DecodeOptions{})), "%q", text)

				d, shown := tok.NewDecoder(DecodeOptions{}), ""
				for _, id := range ids {
					part := d.Next(id)
					require.True(t, utf8.ValidString(part))
					shown += part
				}
				shown += d.Flush()
				if utf8.ValidString(want) {
					require.Equal(t, want, shown)
				}
			}
		})
	}
}

// TestBytes: text that is no UTF-8 is kept byte for byte.
func TestBytes(t *testing.T) {
	var all strings.Builder
	for b := range 256 {
		all.WriteByte(byte(b))
	}
	for _, name := range []string{fileTales, fileStories} {
		tok := open(t, name)
		for _, text := range []string{"\xff", "a\xe4\xb8", "\xc0\x80 \xed\xa0\x80", "\xf4\x90\x80\x80", all.String()} {
			ids := tok.Encode(text, EncodeOptions{Special: true})
			assert.Equal(t, text, string(tok.Decode(ids, DecodeOptions{Special: true})), "%s %q", name, text)
		}
	}
}

func TestMissingBytesAreDropped(t *testing.T) {
	tok := open(t, fileSmol)
	text := "a\x1db"
	require.Equal(t, None, tok.bpe.bytes[0x1d], "the vocabulary has the byte")
	assert.Equal(t, "ab", string(tok.Decode(tok.Encode(text, EncodeOptions{}), DecodeOptions{})))
}

func TestSpecial(t *testing.T) {
	tok := open(t, fileSmol)
	text := "<|im_start|>user\nhi<|im_end|>"
	ids := tok.Encode(text, EncodeOptions{Special: true})
	assert.Equal(t, int32(1), ids[0])
	assert.Equal(t, int32(2), ids[len(ids)-1])
	assert.Equal(t, text, string(tok.Decode(ids, DecodeOptions{Special: true})))
	assert.Equal(t, "user\nhi", string(tok.Decode(ids, DecodeOptions{})))
	plain := tok.Encode(text, EncodeOptions{})
	assert.NotContains(t, plain, int32(1))
	assert.NotContains(t, plain, int32(2))
	assert.Equal(t, text, string(tok.Decode(plain, DecodeOptions{})))
}

// TestSpecialOrder: longer special tokens are taken out first, wherever they stand.
func TestSpecialOrder(t *testing.T) {
	v := smallBPE()
	first := int32(len(v.Tokens))
	for _, token := range []string{"<t", "<t>", "<t><t>", "b<t"} {
		v.Tokens, v.Types = append(v.Tokens, token), append(v.Types, UserDefined)
	}
	tok, err := FromVocabulary(v)
	require.NoError(t, err)
	assert.Equal(t, []int32{259, first + 2, first + 1, first, 'x'}, tok.Encode("ab<t><t><t><tx", EncodeOptions{}))
	assert.Equal(t, []int32{first + 3, 'x'}, tok.Encode("b<tx", EncodeOptions{}))
}

// TestStrippedSpaces: white space after Phi-3's special tokens belongs to them, as in llama.cpp.
func TestStrippedSpaces(t *testing.T) {
	tok := open(t, "tokenizers/ggml-vocab-phi-3.gguf")
	special := EncodeOptions{Special: true}
	hello := int32(15043)
	assert.Equal(t, []int32{32010, hello, 32007, 32001}, tok.Encode("<|user|> \n\tHello<|end|>\n<|assistant|>", special))
	assert.Equal(t, append([]int32{1}, tok.Encode(" Hello", special)...), tok.Encode("<s> Hello", special), "not after <s>")
}

// TestSpaces: SentencePiece puts a space in front of text, also after special tokens, and only that
// one is taken off again.
func TestSpaces(t *testing.T) {
	tok := open(t, "tokenizers/ggml-vocab-llama-spm.gguf")
	hello := int32(15043) // "▁Hello"
	assert.Equal(t, []int32{hello}, tok.Encode("Hello", EncodeOptions{}))
	assert.Equal(t, []int32{1, hello}, tok.EncodePrompt("Hello", EncodeOptions{}))
	assert.Equal(t, []int32{1, hello}, tok.EncodePrompt("<s>Hello", EncodeOptions{Special: true}), "BOS once")
	assert.Equal(t, []int32{1, hello, 2, hello}, tok.Encode("<s>Hello</s>Hello", EncodeOptions{Special: true}))
	for _, c := range []struct {
		ids     []int32
		options DecodeOptions
		want    string
	}{
		{[]int32{hello, hello}, DecodeOptions{}, "Hello Hello"},
		{[]int32{1, hello}, DecodeOptions{}, "Hello"},
		{[]int32{1, hello, 2, hello}, DecodeOptions{Special: true}, "<s>Hello</s>Hello"},
		{[]int32{hello}, DecodeOptions{After: []int32{1, hello}}, " Hello"},
		{[]int32{hello}, DecodeOptions{After: []int32{1}}, "Hello"},
		{[]int32{-1, 1 << 30, hello}, DecodeOptions{}, "Hello"},
	} {
		assert.Equal(t, c.want, string(tok.Decode(c.ids, c.options)), "%v", c)
		d, shown := tok.NewDecoder(c.options), ""
		for _, id := range c.ids {
			shown += d.Next(id)
		}
		assert.Equal(t, c.want, shown+d.Flush(), "%v", c)
	}
}

// TestSpaceMarks: what is spelt with U+2581 comes back: runs of it are spaces, inside a special token's name it is part of the name.
func TestSpaceMarks(t *testing.T) {
	v := smallSP()
	v.AddSpacePrefix = false
	ids := map[string]int32{}
	add := func(text string, as Type) {
		ids[text] = int32(len(v.Tokens))
		v.Tokens, v.Types, v.Scores = append(v.Tokens, text), append(v.Types, as), append(v.Scores, 1)
	}
	add("▁▁", UserDefined)
	add("▁▁▁", UserDefined)
	add("<▁s>", UserDefined)
	add("▁b", UserDefined)
	add("<b▁a>", Control)
	add("aa", Unused)
	tok, err := FromVocabulary(v)
	require.NoError(t, err)
	special := EncodeOptions{Special: true}
	for text, want := range map[string][]int32{
		"a  b":    {5, ids["▁▁"], 6},
		"a   b":   {5, ids["▁▁▁"], 6},
		"  a":     {ids["▁▁"], 5},
		"a<▁s>b":  {5, ids["<▁s>"], 6},
		"< s>":    {12, 4, 13, 11},
		"a▁b":     {5, ids["▁b"]},
		"a b":     {5, 4, 6},
		"a<b▁a>b": {5, ids["<b▁a>"], 6},
		"aab":     {5, 8},
	} {
		got := tok.Encode(text, special)
		assert.Equal(t, want, got, "%q", text)
		assert.Equal(t, text, string(tok.Decode(got, DecodeOptions{Special: true})), "%q", text)
	}
	v.AddSpacePrefix = true
	tok, err = FromVocabulary(v)
	require.NoError(t, err)
	for _, text := range []string{"a  b", "  a", " ", "   ", "a<▁s>  b", "<b▁a>  a", "a▁b", " a b"} {
		assert.Equal(t, text, string(tok.Decode(tok.Encode(text, special), DecodeOptions{Special: true})), "%q", text)
	}
}

func TestDecoderHoldsBack(t *testing.T) {
	tok := open(t, fileTiny)
	d := tok.NewDecoder(DecodeOptions{})
	var parts []string
	for _, c := range []byte("\xf0\x9f\x98\x80x\xe4\xb8y\xff\xc3") {
		parts = append(parts, d.Next(int32(c)))
	}
	assert.Equal(t, []string{"", "", "", "😀", "x", "", "", "\ufffdy", "\ufffd", ""}, parts)
	assert.Equal(t, "\ufffd", d.Flush())
	assert.Equal(t, "", d.Flush())
}

func TestConcurrentUse(t *testing.T) {
	tok := open(t, fileTales)
	texts := randomTexts(40)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for _, text := range texts {
				assert.Equal(t, keep(tok, text), string(tok.Decode(tok.Encode(text, EncodeOptions{}), DecodeOptions{})))
			}
		})
	}
	group.Wait()
}
