package grammar

import "strings"

// layout is how a syntax of calls writes arguments: the members of an object, without its braces.
type layout struct {
	comma  *expr
	before string    // before a name
	text   [2]string // between the name and a value that is a text, and behind it
	other  [2]string // the same of other values
	plain  bool      // texts stand by themselves, without quotes and escapes
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
	texts, others := c.plainValues(l, g)
	var list []*expr
	if len(texts) > 0 {
		list = append(list, sequence(literal(l.text[0]), choice(texts...), literal(l.text[1])))
	}
	if len(others) > 0 {
		list = append(list, sequence(literal(l.other[0]), choice(others...), literal(l.other[1])))
	}
	return sequence(head, choice(list...))
}

// plainValues gives a goal's values, texts apart.
func (c *schemaCompiler) plainValues(l *layout, g goal) (texts, others []*expr) {
	not := []*nfa{c.style.apart}
	if l.text == l.other && !c.textOnly(g) {
		not = append(not, c.looksLikeValue())
	}
	x := c.expansion(g.at())
	x.run(g, newShape(), map[int]bool{})
	for _, v := range x.values {
		if text, ok := v.(string); !ok {
			others = append(others, c.constant(v))
		} else if !c.style.apart.matches(text) {
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

// textOnly tells whether a schema says in so many words that its values are texts.
func (c *schemaCompiler) textOnly(g goal) bool {
	for _, d := range g {
		s := d.s
		for depth := 0; s.onlyRef() && depth < 8; depth++ {
			s = s.ref
		}
		if d.not || s.boolean {
			continue
		}
		only := s.types == typeString || s.types == 0 && s.hasEnum
		if s.types == 0 {
			for _, v := range s.enum {
				_, ok := v.(string)
				only = only && ok
			}
		}
		if only {
			return true
		}
	}
	return false
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
