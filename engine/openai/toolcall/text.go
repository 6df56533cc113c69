package toolcall

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// open reads the quote that begins a text.
func (v *value) open(text string, end, key bool) (int, verdict) {
	quote := at(text, v.quotes)
	if !end && begins(text, v.quotes) {
		return 0, needs // it may become a longer quote
	}
	if quote == "" {
		return 0, broken
	}
	v.quote, v.key, v.place = quote, key, inText
	if v.held = append(v.held, '"'); !key {
		v.tell()
	}
	return len(quote), going
}

// text reads a text on.
func (v *value) text(text string, end bool) (int, verdict) {
	to := &v.out
	if v.key {
		to = &v.held
	}
	n := 0
	for n < len(text) && text[n] != v.quote[0] && text[n] != '\\' && text[n] != '"' && text[n] >= ' ' && (n == 0 || !v.mayEnd(text[n])) {
		n++
	}
	if n > 0 {
		*to = append(*to, text[:n]...)
		return n, going
	}
	switch {
	case strings.HasPrefix(text, v.quote):
		after := strings.TrimLeft(text[len(v.quote):], space)
		if v.quote == "'" && after == "" && !end {
			return 0, needs
		}
		if v.quote == "'" && after != "" && !v.follows(after[0]) { // an apostrophe
			*to = append(*to, '\'')
			return 1, going
		}
		*to = append(*to, '"')
		if v.key {
			v.place = atColon
			return len(v.quote), going
		}
		return len(v.quote), v.after()
	case !end && strings.HasPrefix(v.quote, text):
		return 0, needs
	case text[0] == '\\' && v.quote[0] != '<': // such quotes end what has no escapes
		n, ok := v.escape(to, text, end)
		if !ok {
			return 0, needs
		}
		return n, going
	}
	*to = appendByte(*to, text[0])
	return 1, going
}

// follows says whether a letter may come after the text that ends here.
func (v *value) follows(c byte) bool {
	switch {
	case v.key:
		return c == ':' || v.python && (c == ',' || c == '}') // of a set, which JSON has not
	case len(v.stack) == 0:
		return true
	}
	return c == ',' || c == closers[v.top()][0]
}

// escape reads what a backslash begins. Where nothing is known to, the backslash stands for itself.
func (v *value) escape(to *[]byte, text string, end bool) (n int, ok bool) {
	if len(text) < 2 {
		if !end {
			return 0, false
		}
		*to = append(*to, `\\`...)
		return 1, true
	}
	c := text[1]
	switch {
	case strings.IndexByte(`"\/bfnrt`, c) >= 0:
		*to = append(*to, '\\', c)
		return 2, true
	case c == '\'':
		*to = append(*to, c)
		return 2, true
	case c == '\n' && v.python:
		return 2, true
	case c == 'u':
		return v.coded(to, text, 4, end)
	case c == 'x' && v.python:
		return v.coded(to, text, 2, end)
	case c == 'U' && v.python:
		return v.coded(to, text, 8, end)
	case strings.IndexByte("av", c) >= 0 && v.python:
		*to = appendByte(*to, map[byte]byte{'a': 7, 'v': 11}[c])
		return 2, true
	case '0' <= c && c <= '7' && v.python:
		n := 1
		for n < len(text) && n < 4 && '0' <= text[n] && text[n] <= '7' {
			n++
		}
		if n == len(text) && n < 4 && !end {
			return 0, false
		}
		code, _ := strconv.ParseUint(text[1:n], 8, 32)
		*to = appendRune(*to, rune(code))
		return n, true
	}
	*to = append(*to, `\\`...)
	return 1, true
}

// coded reads a code point in hexadecimal digits.
func (v *value) coded(to *[]byte, text string, digits int, end bool) (n int, ok bool) {
	for n = 2; n < 2+digits && n < len(text) && isHex(text[n]); n++ {
	}
	switch {
	case n == 2+digits && digits == 4:
		*to = append(*to, text[:n]...)
		return n, true
	case n == 2+digits:
		code, _ := strconv.ParseUint(text[2:n], 16, 32)
		*to = appendRune(*to, rune(code))
		return n, true
	case n == len(text) && !end:
		return 0, false
	}
	*to = append(*to, `\\`...)
	return 1, true
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// appendText adds a text in quotes, as JSON has it.
func appendText(to []byte, text string) []byte {
	to = append(to, '"')
	for i := range len(text) {
		to = appendByte(to, text[i])
	}
	return append(to, '"')
}

// appendRune adds a code point of a text.
func appendRune(to []byte, r rune) []byte {
	if r < utf8.RuneSelf {
		return appendByte(to, byte(r))
	}
	return utf8.AppendRune(to, r)
}

// appendByte adds a byte of a text.
func appendByte(to []byte, c byte) []byte {
	switch {
	case c == '"' || c == '\\':
		return append(to, '\\', c)
	case c == '\n':
		return append(to, `\n`...)
	case c == '\r':
		return append(to, `\r`...)
	case c == '\t':
		return append(to, `\t`...)
	case c < ' ':
		const digits = "0123456789abcdef"
		return append(to, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
	}
	return append(to, c)
}
