package grammar

import "strings"

// What GBNF has here beyond llama.cpp's: schemas, and texts that hold none of some marks.
//
//	%schema NAME {…}         names a JSON schema
//	%json(NAME, "f", …)      a value of it, of which no text holds f and what follows
//	%object(NAME)            a value of it that is an object
//	%quoted(NAME, "q")       the same, with q around texts, no escapes in them, and names without quotes
//	%arguments(NAME)         its properties as keyword arguments of Python
//	%marked(NAME, "a", "b", "c", "d", "e", "f", …)
//	                         its properties, each as a, its name, b, a text without quotes, c, or, if it is no text, as d, JSON, e
//	                         behind the name; no text holds f or what follows
//	%free("f", …)            any text without f and what follows; one character counts only where a line begins with it
//	%regex("…")              what matches a regular expression as a whole
//	%start NAME              the rule that a text must be, in place of root

// directive is a use of a schema, which is compiled when all rules are read.
type directive struct {
	kind  string
	name  string
	texts []string
	at    int
	into  *expr
}

// namedSchema is a schema that a grammar names.
type namedSchema struct {
	text   string
	reader *schemaReader
}

// schemaStatement reads %schema NAME JSON.
func (p *gbnf) schemaStatement() {
	p.space(false)
	name := p.name()
	p.space(true)
	if p.schemas[name] != nil {
		p.wrong("the schema %s is given twice", name)
	}
	start := p.at
	depth, inText := 0, false
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case inText && c == '\\':
			p.at++
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == '\n' && depth == 0 && p.at > start:
			p.schemas[name] = &namedSchema{text: p.text[start:p.at]}
			return
		}
	}
	p.at = min(p.at, len(p.text))
	p.schemas[name] = &namedSchema{text: p.text[start:p.at]}
}

// directive reads what begins with a percent sign.
func (p *gbnf) directive() *expr {
	d := directive{at: p.at, into: &expr{}}
	p.at++
	d.kind = p.name()
	want := map[string]int{"json": 0, "object": 0, "quoted": 1, "arguments": 0, "marked": 6, "free": 1, "regex": 1}
	least, ok := want[d.kind]
	if !ok {
		p.at = d.at
		p.wrong("%%%s is not known", d.kind)
	}
	if !p.take("(") {
		p.wrong("a ( is missing")
	}
	p.space(true)
	schema := d.kind != "free" && d.kind != "regex"
	if schema {
		if d.name = p.name(); p.schemas[d.name] == nil {
			p.wrong("the schema %s is not given before it is used", d.name)
		}
		p.space(true)
		p.take(",")
		p.space(true)
	}
	for p.peek() == '"' {
		d.texts = append(d.texts, p.literal().text)
		p.space(true)
		p.take(",")
		p.space(true)
	}
	if d.kind == "regex" && len(d.texts) == 1 && p.take(")") {
		p.regex(d)
		return d.into
	}
	if !p.take(")") || len(d.texts) < least || (d.kind == "object" || d.kind == "quoted" || d.kind == "arguments") && len(d.texts) > least {
		p.at = d.at
		p.wrong("%%%s is not written as it should be", d.kind)
	}
	p.directives = append(p.directives, d)
	return d.into
}

// resolve compiles all uses of schemas.
func (p *gbnf) resolve() {
	patterns := map[string]*nfa{}
	type shared struct {
		style style
		texts *schemaTexts
	}
	styles := map[string]shared{}
	for _, d := range p.directives {
		p.at = d.at
		if d.kind == "free" {
			*d.into = expr{op: opText, fragment: p.free(d.texts), max: unbounded}
			continue
		}
		key := d.kind
		var l *layout
		if len(d.texts) > 0 {
			key += "\x00" + strings.Join(d.texts, "\x00")
		}
		s, ok := styles[key]
		if !ok {
			s = shared{callStyle, newSchemaTexts()}
			switch d.kind {
			case "quoted":
				s.style = quoteStyle(d.texts[0], p.limits)
			case "arguments":
				s.style = pythonStyle
			case "json":
				if s.style = jsonStyle; len(d.texts) > 0 {
					s.style.apart = holdingAny(d.texts, p.limits)
				}
			case "marked":
				s.style.apart = holdingAny(d.texts[5:], p.limits)
			}
			styles[key] = s
		}
		switch d.kind {
		case "arguments":
			l = pythonLayout
		case "marked":
			l = &layout{comma: nothing, before: d.texts[0], text: [2]string(d.texts[1:3]), other: [2]string(d.texts[3:5]), plain: true, names: isMarkedName}
		}
		p.compile(d, l, s.style, s.texts, patterns)
	}
}

// compile compiles one use of a schema. Its failures name it.
func (p *gbnf) compile(d directive, l *layout, s style, texts *schemaTexts, patterns map[string]*nfa) {
	prefix := "schema " + d.name + ", "
	defer func() {
		if r := recover(); r != nil {
			if f, ok := r.(failure); ok && !strings.HasPrefix(f.where, prefix) {
				r = failure{strings.TrimSuffix(prefix+f.where, ", "), f.text}
			}
			panic(r)
		}
	}()
	from := p.schemas[d.name]
	if from.reader == nil {
		from.reader = newSchemaReader(from.text, p.limits, patterns)
	}
	r := from.reader
	root := r.at(r.root, "#")
	r.checkCycles()
	c := newSchemaCompiler(r, texts, &p.definitions, s)
	c.prefix = prefix
	g := goal{{s: root}}
	if d.kind != "json" {
		object := r.add("#")
		object.types = typeObject
		g = append(g, demand{s: object})
	}
	if l != nil {
		if l.plain {
			l.texts = root.texts()
		}
		*d.into = *reference(c.rule("#", c.arguments(l, g)))
	} else {
		*d.into = *c.value(g)
	}
	c.finish()
}

// regex takes a regular expression as a part of a grammar.
func (p *gbnf) regex(d directive) {
	defer func() {
		if r := recover(); r != nil {
			if f, ok := r.(failure); ok {
				p.at = d.at
				p.wrong("the regular expression, %s: %s", f.where, f.text)
			}
			panic(r)
		}
	}()
	*d.into = *regexExpr(d.texts[0], p.limits)
}

// free is any text without some marks. One of a single character counts only where it begins a line.
func (p *gbnf) free(marks []string) *nfa {
	var list []*expr
	anything := repeat(class(runeSet{{0, lastRune}}), 0, unbounded)
	blank := repeat(class(newSet(spanOf(' '), spanOf('\t'), spanOf('\r'), spanOf('\n'))), 0, unbounded)
	for _, m := range marks {
		if len(m) > 1 {
			list = append(list, sequence(anything, literal(m)))
		} else {
			list = append(list, sequence(optional(sequence(anything, literal("\n"))), blank, literal(m)))
		}
	}
	not := flat(sequence(choice(list...), anything), false, "", p.limits).deterministic()
	return flat(anything, false, "", p.limits).deterministic().and(not, true).nfa()
}
