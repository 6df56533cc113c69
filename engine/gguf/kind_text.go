package gguf

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// shownText is how many characters of a text an error shows.
const shownText = 60

// textKind tells texts apart; nil for what is none.
func textKind(start []byte) *KindError {
	text, ok := readable(start)
	if !ok {
		return nil
	}
	lower := strings.ToLower(text)
	starts := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(lower, p) })
	}
	switch {
	case starts("<!doctype html", "<html", "<head", "<body", "<script", "<title", "<!--"):
		return &KindError{"an HTML page", link}
	case starts("<?xml") && strings.Contains(lower, "<html"):
		return &KindError{"an HTML page", link}
	case starts("<"):
		return &KindError{"an XML text", "it may be a server's error message; see that the address is right"}
	case starts("{", "["):
		return &KindError{"a JSON text", "it may be a server's error message, or another file of the model's; see that the address or name is right"}
	}
	line, _, _ := strings.Cut(text, "\n")
	if r := []rune(strings.TrimSpace(line)); len(r) > shownText {
		line = string(r[:shownText]) + "…"
	}
	return &KindError{fmt.Sprintf("a text that begins %q", strings.TrimSpace(line)), "it may be a server's error message; see that the address or name is right"}
}

// readable gives the text that bytes are, without a byte-order mark and the white space in front; a last character may
// be cut off.
func readable(start []byte) (string, bool) {
	start = bytes.TrimPrefix(start, []byte("\xef\xbb\xbf"))
	for i := 0; i < len(start); {
		r, size := utf8.DecodeRune(start[i:])
		if r == utf8.RuneError && size <= 1 {
			if !utf8.FullRune(start[i:]) {
				start = start[:i]
				break
			}
			return "", false
		}
		if r < ' ' && !strings.ContainsRune("\t\n\r\f", r) || r == 0x7f {
			return "", false
		}
		i += size
	}
	text := strings.TrimSpace(string(start))
	return text, text != ""
}
