package words

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fields gives a text about a request or options with a host's own names of fields in place of the engine's, but for what
// stands in quotes.
func Fields(text string, names map[string]string) string {
	var b strings.Builder
	before := ' '
	for text != "" {
		word := text[:len(text)-len(strings.TrimLeftFunc(text, inName))]
		if word == "" {
			r, size := utf8.DecodeRuneInString(text)
			b.WriteString(text[:size])
			before, text = r, text[size:]
			continue
		}
		field := strings.TrimRight(word, ".") // which ends a sentence
		if name, ok := names[field]; ok && (before == '(' || unicode.IsSpace(before)) {
			b.WriteString(name + word[len(field):])
		} else {
			b.WriteString(word)
		}
		before, _ = utf8.DecodeLastRuneInString(word)
		text = text[len(word):]
	}
	return b.String()
}

// Names gives names of fields by the engine's own. A map's literal would be 400 bytes of the tab's program for each.
func Names(list [][2]string) map[string]string {
	names := make(map[string]string, len(list))
	for _, n := range list {
		names[n[0]] = n[1]
	}
	return names
}

// inName reports whether a character may be part of a field's name, such as "Beams.Width".
func inName(r rune) bool { return r == '.' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
