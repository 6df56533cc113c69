package grammar

import (
	"slices"
	"strings"
)

// layout is how a syntax of calls writes arguments: the members of an object, without its braces.
type layout struct {
	comma  *expr
	before string          // before a name
	text   [2]string       // between the name and a value that is a text, and behind it
	other  [2]string       // the same of other values
	plain  bool            // texts stand by themselves, without quotes and escapes
	texts  map[string]bool // of those, the properties that can be nothing else
	names  func(name string) bool
}

// pythonLayout is keyword arguments of a call in Python.
var pythonLayout = &layout{comma: shared(sequence(literal(","), optional(literal(" ")))), text: [2]string{"="}, other: [2]string{"="}, names: isIdentifier}

// member gives a property with its value.
func (c *schemaCompiler) member(l *layout, name string, g goal) *expr {
	if l == nil {
		return sequence(literal(c.style.name(name)+":"), reference(c.ws), c.value(g))
	}
	if !l.names(name) {
		fail(c.prefix+g.at(), "a property of the name %q cannot be written in the model's syntax of calls", name)
	}
	head := literal(l.before + name)
	if !l.plain {
		return sequence(head, literal(l.other[0]), c.value(g), literal(l.other[1]))
	}
	texts, others := c.plainValues(l, name, g)
	var list []*expr
	if len(texts) > 0 {
		list = append(list, sequence(literal(l.text[0]), choice(texts...), literal(l.text[1])))
	}
	if len(others) > 0 {
		list = append(list, sequence(literal(l.other[0]), choice(others...), literal(l.other[1])))
	}
	return sequence(head, choice(list...))
}

// plainValues gives a property's values, texts apart.
func (c *schemaCompiler) plainValues(l *layout, name string, g goal) (texts, others []*expr) {
	not := []*nfa{c.style.apart}
	if l.text == l.other && !l.texts[name] {
		not = append(not, c.looksLikeValue())
	}
	x := c.expansion(g.at())
	x.run(g, newShape(), map[int]bool{})
	for _, v := range x.values {
		if text, ok := v.(string); !ok {
			others = append(others, c.constant(v))
		} else if !slices.ContainsFunc(not, func(n *nfa) bool { return n.matches(text) }) {
			texts = append(texts, literal(text))
		}
	}
	for _, s := range x.shapes {
		if s.types&typeString != 0 && s.minLength <= s.maxLength {
			if n := c.rawText(s.texts, not...); n != nil {
				texts = append(texts, &expr{op: opText, fragment: n, min: s.minLength, max: s.maxLength})
			}
		}
		rest := s.with()
		rest.types &^= typeString
		others = append(others, c.shape(rest, x.at)...)
	}
	return texts, others
}

// texts are the properties of which the schema says at once that they are texts, so that who reads a call knows it.
func (s *schema) texts() map[string]bool {
	out := map[string]bool{}
	for _, p := range s.behind().properties {
		if p.schema.behind().onlyText(8) {
			out[p.name] = true
		}
	}
	return out
}

// behind is what a schema refers to that says nothing else.
func (s *schema) behind() *schema {
	for depth := 0; s.onlyRef() && depth < 8; depth++ {
		s = s.ref
	}
	return s
}

// onlyText looks so many choices deep.
func (s *schema) onlyText(depth int) bool {
	switch {
	case s.types != 0:
		return s.types == typeString
	case s.ref != nil || len(s.allOf) > 0 || !s.plainObject() || !s.plainList():
		return false
	case s.hasEnum:
		return len(s.anyOf)+len(s.oneOf) == 0 && !slices.ContainsFunc(s.enum, func(v any) bool { _, text := v.(string); return !text })
	case depth == 0 || len(s.anyOf) > 0 && len(s.oneOf) > 0:
		return false
	}
	choices := slices.Concat(s.anyOf, s.oneOf)
	return len(choices) > 0 && !slices.ContainsFunc(choices, func(choice *schema) bool { return !choice.behind().onlyText(depth - 1) })
}

// looksLikeValue is the texts that a reader may take for values of another kind.
func (c *schemaCompiler) looksLikeValue() *nfa {
	n := c.formats["value"]
	if n == nil {
		e, _ := parseRegex("(?s)[ \t\r\n0-9.+\\-\\[{(\"'].*|(?i:true|false|null|none)[ \t\r\n]*", unicodeDialect, "", c.limits)
		n = flat(e, false, "", c.limits)
		c.formats["value"] = n
	}
	return n
}

// arguments gives the members of a schema's objects in a layout.
func (c *schemaCompiler) arguments(l *layout, g goal) *expr {
	x := c.expansion(g.at())
	x.run(g, newShape(), map[int]bool{})
	var list []*expr
	for _, s := range x.shapes {
		if s.types&typeObject != 0 && s.minNames <= s.maxNames {
			list = append(list, c.object(s, l, x.at))
		}
	}
	return choice(list...)
}

// isMarkedName tells whether a name may stand between marks.
func isMarkedName(name string) bool {
	return name != "" && len(name) <= 256 && !strings.ContainsAny(name, "<>\"\r\n\t") && strings.TrimSpace(name) == name
}
