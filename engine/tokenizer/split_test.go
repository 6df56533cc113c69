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

func splitBy(pre, text string) []string {
	var s scan
	var parts []string
	s.split(text, preTokenizers[pre].passes, func(p string) { parts = append(parts, p) })
	return parts
}

// TestSplitAgainstLlamaCpp compares every pre-tokenizer with what llama.cpp makes of the same texts.
func TestSplitAgainstLlamaCpp(t *testing.T) {
	data, err := os.ReadFile("testdata/split.json")
	require.NoError(t, err)
	var golden struct {
		Texts []string
		Cuts  map[string][]string
	}
	require.NoError(t, json.Unmarshal(data, &golden))
	require.Len(t, golden.Cuts, 11)
	for pre, cuts := range golden.Cuts {
		t.Run(pre, func(t *testing.T) {
			require.Contains(t, preTokenizers, pre)
			require.Len(t, cuts, len(golden.Texts))
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

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		pre, text string
		want      []string
	}{
		{"gpt-2", "it's IT'S  12345 a\n\n b ", []string{"it", "'s", " IT", "'", "S", " ", " 12345", " a", "\n\n", " b", " "}},
		{"llama-bpe", "it's IT'S  12345 a\n\n b ", []string{"it", "'s", " IT", "'S", " ", " ", "123", "45", " a", "\n\n", " b", " "}},
		{"llama-bpe", "'Sam 'LLama'VEx'Dog'reed", []string{"'S", "am", " '", "LLama", "'VE", "x", "'D", "og", "'re", "ed"}},
		{"qwen2", "'Tea'llama", []string{"'T", "ea", "'ll", "ama"}},
		{"gpt-2", "'Tea'llama", []string{"'", "Tea", "'ll", "ama"}},
		{"qwen2", "x123 !\r\n\r\n y", []string{"x", "1", "2", "3", " !\r\n\r\n", " y"}},
		{"qwen2", "e\u0301x", []string{"e", "\u0301x"}},
		{"qwen35", "हिन्दी में 123", []string{"हिन्दी", " में", " ", "1", "2", "3"}},
		{"qwen35", "e\u0301te\u0301 \u0301\u0301x \u0301", []string{"e\u0301te\u0301", " \u0301\u0301x", " \u0301"}},
		{"qwen35", "a\u0301!\u0301\n 12", []string{"a\u0301", "!\u0301", "\n", " ", "1", "2"}},
		{"qwen35", "-\u0301 'S\u0301 1\u0301", []string{"-\u0301", " '", "S\u0301", " ", "1", "\u0301"}},
		{"qwen35", "ok \u20e3# \U000e0100z", []string{"ok", " \u20e3", "#", " \U000e0100z"}},
		{"gpt-4o", "HelloWorld's HTTPServer it'S", []string{"Hello", "World's", " HTTPServer", " it'S"}},
		{"gpt-4o", "a/b//\n\n x 12345", []string{"a", "/b", "//\n\n", " x", " ", "123", "45"}},
		{"gpt-4o", "ǅabc Éa 漢字Kanji's  'Sam'LL", []string{"ǅabc", " Éa", " 漢字Kanji's", " ", " '", "Sam'LL"}},
		{"gpt-4o", "e\u0301te\u0301 \u0301\u0301X", []string{"e\u0301te\u0301", " \u0301\u0301", "X"}},
		{"smollm", " 12 ab", []string{" ", "1", "2", " ab"}},
		{"falcon", "a+b, 1234 ``", []string{"a", "+", "b", ",", " ", "123", "4", " ", "``"}},
		{"default", "a+b, 1234 ``", []string{"a", "+", "b", ",", " ", "123", "4", " ``"}},
		{"deepseek-llm", "Hé  一二,\u3000x 123\n", []string{"H", "é", "  ", "一二", ",", "\u3000x", " ", "123", "\n"}},
		{"deepseek-coder", "a  12 +b\r\n", []string{"a", "  ", "1", "2", " +", "b", "\r", "\n"}},
		{"gpt-2", "\u0085\u00a0x\u3000\u3000y", []string{"\u0085", "\u00a0", "x", "\u3000", "\u3000", "y"}},
		{"gpt-2", "a\xff\xe4\xb8b", []string{"a", "\xff\xe4\xb8", "b"}},
		{"llama-bpe", "\U0002ebf0\U0002ee5d\u2ffc", []string{"\U0002ebf0\U0002ee5d", "\u2ffc"}},
	} {
		assert.Equal(t, c.want, splitBy(c.pre, c.text), "%s %q", c.pre, c.text)
	}
}

// TestSplitKeepsText: whatever the text, the pre-tokens of it joined are the text.
func TestSplitKeepsText(t *testing.T) {
	for pre := range preTokenizers {
		for _, text := range randomTexts(60) {
			text += "\xff\xc0" + text[:len(text)/2]
			require.Equal(t, text, strings.Join(splitBy(pre, text), ""), "%s", pre)
		}
	}
}
