package tokenizer

import (
	"strings"
	"unicode"
)

func isLetter(s *scan, i int) bool      { return s.classes[i]&letter != 0 }
func isNumber(s *scan, i int) bool      { return s.classes[i]&number != 0 }
func isPunctuation(s *scan, i int) bool { return s.classes[i]&punctuation != 0 }
func isDigit(s *scan, i int) bool       { return '0' <= s.runes[i] && s.runes[i] <= '9' }
func isNewline(s *scan, i int) bool     { return s.runes[i] == '\n' || s.runes[i] == '\r' }

// isDefaultPunctuation is [\p{P}$+<=>^~|].
func isDefaultPunctuation(s *scan, i int) bool {
	return isPunctuation(s, i) || s.runes[i] < 0x80 && strings.IndexByte("$+<=>^~|", byte(s.runes[i])) >= 0
}

// isFalconPunctuation is [\p{P}$+<=>^~|`].
func isFalconPunctuation(s *scan, i int) bool { return isDefaultPunctuation(s, i) || s.runes[i] == '`' }

// isWidePunctuation is deepseek-llm's set [!-/:-~！-／：-～‘-‟　-。]. Its range :-~ has the ASCII letters
// in it, which so are cut off from others; U+3000 counts as white space instead.
func isWidePunctuation(s *scan, i int) bool {
	r := s.runes[i]
	switch {
	case r < 0x80:
		return '!' <= r && r <= '/' || ':' <= r && r <= '~'
	case r >= 0xFF00:
		return 0xFF01 <= r && r <= 0xFF0F || 0xFF1A <= r && r <= 0xFF5E
	}
	return 0x2018 <= r && r <= 0x201F || r == 0x3001 || r == 0x3002
}

// isHanOrHangul is [一-龥ࠀ-一가-퟿] of deepseek's patterns, which spans all scripts from U+0800 on.
// White space is in none of its runs.
func isHanOrHangul(s *scan, i int) bool {
	r := s.runes[i]
	return (0x0800 <= r && r <= 0x9FA5 || 0xAC00 <= r && r <= 0xD7FF) && s.classes[i]&space == 0
}

// isCased is deepseek-llm's list of letters that have a case.
func isCased(s *scan, i int) bool {
	if r := s.runes[i]; r < 0x80 {
		return isLetter(s, i)
	}
	return unicode.Is(cased, s.runes[i])
}
