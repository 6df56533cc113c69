package chat

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape reads Python's backslash escapes; unknown ones stay as they are.
func (l *lexer) unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case c == '\n':
		case c == '\\' || c == '\'' || c == '"':
			out.WriteByte(c)
		case c == 'x' || c == 'u' || c == 'U':
			digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
			r, ok := hexRune(s[i+1:], digits)
			if !ok {
				fail(l.line, "the escape \\%c needs %d digits", c, digits)
			}
			i += digits
			if low, ok := lowSurrogate(s[i+1:]); ok && utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			out.WriteRune(r)
		case '0' <= c && c <= '7':
			end := i + 1
			for end < len(s) && end < i+3 && '0' <= s[end] && s[end] <= '7' {
				end++
			}
			n, _ := strconv.ParseUint(s[i:end], 8, 32)
			out.WriteRune(rune(n))
			i = end - 1
		case c == 'N':
			fail(l.line, "characters by their names (\\N{…}) are not known")
		case c >= utf8.RuneSelf:
			// Jinja spells these with a backslash before it looks at escapes.
			r, size := utf8.DecodeRuneInString(s[i:])
			out.WriteString(numbered(r))
			i += size - 1
		default:
			if at := strings.IndexByte("abfnrtv", c); at >= 0 {
				out.WriteByte("\a\b\f\n\r\t\v"[at])
				continue
			}
			out.WriteByte('\\')
			out.WriteByte(c)
		}
	}
	return out.String()
}

func hexRune(s string, digits int) (rune, bool) {
	if len(s) < digits {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:digits], 16, 32)
	return rune(n), err == nil && n <= 0x10FFFF
}

func lowSurrogate(s string) (rune, bool) {
	if !strings.HasPrefix(s, `\u`) {
		return 0, false
	}
	return hexRune(s[2:], 4)
}
