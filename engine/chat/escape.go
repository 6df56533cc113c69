package chat

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// unescape reads Python's backslash escapes; unknown ones stay as they are.
func unescape(s string) string {
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
		switch c := s[i]; c {
		case '\n':
		case '\\', '\'', '"':
			out.WriteByte(c)
		case 'x', 'u', 'U':
			digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
			r, ok := hexRune(s[i+1:], digits)
			if !ok {
				out.WriteByte('\\')
				out.WriteByte(c)
				continue
			}
			i += digits
			if low, ok := lowSurrogate(s[i+1:]); ok && utf16.IsSurrogate(r) {
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			out.WriteRune(r)
		default:
			if at := strings.IndexByte("abfnrtv0", c); at >= 0 {
				out.WriteByte("\a\b\f\n\r\t\v\x00"[at])
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
