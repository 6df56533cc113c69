package grammar

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"quire/engine/json"
)

// halves goes through the texts of a source as they come.
type halves struct {
	source string
	at     int // behind the last text
}

// refuse refuses halves of pairs of surrogates, other than in annotations. keyword is the one that the value belongs to.
func (h *halves) refuse(value any, keyword string, annotated bool) {
	switch v := value.(type) {
	case string:
		h.text(annotated)
	case []any:
		for _, item := range v {
			h.refuse(item, keyword, annotated)
		}
	case *json.Object:
		listed := keyword == "enum" || keyword == "const"
		for i, name := range v.Names {
			h.text(annotated)
			switch {
			case listed:
				h.refuse(v.Values[i], keyword, annotated)
			case hasNames(keyword):
				h.refuse(v.Values[i], "", annotated)
			default:
				h.refuse(v.Values[i], name, annotated || annotation(name) && !holdsSchemas(name))
			}
		}
	}
}

// text takes the next text.
func (h *halves) text(annotated bool) {
	first := h.at + strings.IndexByte(h.source[h.at:], '"') + 1
	for h.at = first; h.source[h.at] != '"'; h.at++ {
		if h.source[h.at] == '\\' {
			h.at++
		}
	}
	if i := halfPair(h.source[first:h.at]); i >= 0 && !annotated {
		i += first
		fail(fmt.Sprintf("character %d", utf8.RuneCountInString(h.source[:i])+1), "%s is half of a pair of surrogates, which no text can hold", h.source[i:i+6])
	}
	h.at++
}

// halfPair finds, in JSON, an escape that is half of a pair of surrogates without its other half; -1: there is none. It would be read as
// another character, which values then cannot equal.
func halfPair(text string) int {
	half := func(at int) byte { // h: the first half, l: the last
		if at+6 > len(text) || text[at:at+2] != `\u` || text[at+2]|0x20 != 'd' || text[at+3] < '8' {
			return 0
		}
		if c := text[at+3] | 0x20; c <= 'b' {
			return 'h'
		}
		return 'l'
	}
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] != '\\':
		case half(i) == 0:
			i++
		case half(i) == 'l' || half(i+6) != 'l':
			return i
		default:
			i += 11
		}
	}
	return -1
}
