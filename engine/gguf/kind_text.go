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

// tags begin HTML pages and parts of them.
var tags = strings.Fields("html head body title meta link script style noscript center main div span table form iframe a p br hr pre h1 h2 h3 h4 h5 h6")

// isHTML reports whether a text, in whatever encoding, begins as HTML does.
func isHTML(start []byte) bool {
	text, ok := strings.CutPrefix(strings.ToLower(string(start)), "<")
	if !ok {
		return false
	}
	if strings.HasPrefix(text, "!--") {
		return true
	}
	end := strings.IndexAny(text, " \t\n\f\r/>")
	if end < 0 {
		return false
	}
	name, rest := text[:end], text[end:]
	return slices.Contains(tags, name) || name == "!doctype" && strings.HasPrefix(strings.TrimSpace(rest), "html")
}

// textKind tells texts apart; nil for what is none.
func textKind(start []byte) *KindError {
	start = bytes.TrimSpace(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")))
	start = start[:min(len(start), kindBytes)]
	if isHTML(start) {
		return &KindError{"an HTML page", link}
	}
	text, ok := readable(start)
	if !ok {
		return nil
	}
	starts := func(prefix string) bool { return strings.HasPrefix(text, prefix) }
	switch {
	case starts("<?xml") && strings.Contains(strings.ToLower(text), "<html"):
		return &KindError{"an HTML page", link}
	case starts("<"):
		return &KindError{"an XML text", "it may be a server's error message; see that the address is right"}
	case starts("{"), starts("["):
		return &KindError{"a JSON text", "it may be a server's error message, or another file of the model's; see that the address or name is right"}
	}
	line, _, _ := strings.Cut(text, "\n")
	line = strings.TrimSpace(line)
	if r := []rune(line); len(r) > shownText {
		line = string(r[:shownText]) + "…"
	}
	return &KindError{fmt.Sprintf("a text that begins %q", line), "it may be a server's error message; see that the address or name is right"}
}

// readable gives the text that bytes are; a last character may be cut off.
func readable(start []byte) (string, bool) {
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
	return string(start), len(start) > 0
}
