package grammar

import (
	"quire/engine/json"
)

// style is how values are written.
type style struct {
	null, no, yes string
	quote         string // around texts, which have no escapes then; "": JSON's
	apart         *nfa   // what texts must not be: those that hold a mark which ends more than them
	bare          bool   // names stand without quotes
	space         *expr  // what may stand between parts
}

var (
	jsonStyle   = style{null: "null", no: "false", yes: "true", space: whiteSpace}
	callStyle   = style{null: "null", no: "false", yes: "true", space: optional(literal(" "))} // of what no person reads
	pythonStyle = style{null: "None", no: "False", yes: "True", space: optional(literal(" "))}
)

// quoteStyle has a quote of its own around texts, and names without any.
func quoteStyle(quote string, limits *budget) style {
	s := callStyle
	s.quote, s.bare, s.apart = quote, true, holdingAny([]string{quote}, limits)
	return s
}

// holdingAny is the texts that hold one of some marks.
func holdingAny(marks []string, limits *budget) *nfa {
	list := make([]*expr, len(marks))
	for i, m := range marks {
		list[i] = literal(m)
	}
	return flat(choice(list...), true, "", limits)
}

// quoted puts the first quote before a text, and behind it the last, if the text has it not.
func (s *style) quoted(text *expr) *expr {
	if s.quote == "" {
		return sequence(literal(`"`), text)
	}
	return sequence(literal(s.quote), text, literal(s.quote))
}

// name writes the name of a property.
func (s *style) name(name string) string {
	if s.bare && isIdentifier(name) {
		return name
	}
	return quoted(name)
}

// isIdentifier tells whether a name may stand without quotes everywhere.
func isIdentifier(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && (c < 'a' || 'z' < c) && (c < 'A' || 'Z' < c) && (i == 0 || c < '0' || '9' < c) {
			return false
		}
	}
	return name != ""
}

// noText stands for a text that cannot be written.
const noText = "\xFF"

// write writes a value that is no list or object.
func (s *style) write(value any) string {
	switch v := value.(type) {
	case nil:
		return s.null
	case bool:
		if v {
			return s.yes
		}
		return s.no
	case json.Number:
		return string(v)
	}
	text := value.(string)
	switch {
	case s.apart != nil && s.apart.matches(text):
		return noText
	case s.quote == "":
		return quoted(text)
	}
	return s.quote + text + s.quote
}
