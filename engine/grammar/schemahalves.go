package grammar

import (
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
			inner, silent := name, annotated
			switch {
			case listed:
				inner = keyword
			case hasNames(keyword):
				inner = ""
			case annotation(name) && !holdsSchemas(name):
				silent = true
			}
			h.refuse(v.Values[i], inner, silent)
		}
	}
}

// text takes the next text. Half of a pair would be read as another character, which values then cannot equal.
func (h *halves) text(annotated bool) {
	i := h.at + strings.IndexByte(h.source[h.at:], '"') + 1
	for ; h.source[i] != '"'; i++ {
		if h.source[i] != '\\' {
			continue
		}
		switch half(h.source[i:]) {
		case 0:
			i++
			continue
		case 1:
			if half(h.source[i+6:]) == 2 {
				i += 11
				continue
			}
		}
		if !annotated {
			fail("character "+decimal(utf8.RuneCountInString(h.source[:i])+1), "%s is half of a pair of surrogates, which no text can hold", h.source[i:i+6])
		}
		i += 5
	}
	h.at = i + 1
}

// half tells of JSON whether it begins with an escape that is a half of a pair of surrogates, and which: 1, 2, or 0 for none.
func half(text string) int {
	switch {
	case len(text) < 6 || text[1] != 'u' || text[2]|0x20 != 'd' || text[3] < '8' || text[0] != '\\':
		return 0
	case text[3]|0x20 <= 'b':
		return 1
	}
	return 2
}
