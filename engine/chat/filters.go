package chat

import "slices"

// filter is what follows "|". One that takes all arguments as they come has whole instead of run.
type filter struct {
	signature
	run   func(e *evaluator, line int, v any, a []any) any
	whole func(e *evaluator, line int, v any, a values) any
}

// filters are Jinja's, and tojson as Hugging Face defines it.
var filters map[string]filter

func init() {
	filters = map[string]filter{}
	for _, entry := range filterTable {
		filters[entry.name] = entry.is
	}
}

// filterTable is data but for what calls make: a map's literal would be code, of which the tab has more to load.
var filterTable = []struct {
	name string
	is   filter
}{
	{"abs", filter{"/", absolute, nil}},
	{"attr", filter{"name", attrFilter, nil}},
	{"batch", filter{"linecount fill_with?", batch, nil}},
	{"capitalize", methodFilter("capitalize", "")},
	{"center", methodFilter("center", "width?")},
	{"count", filter{"/", lengthFilter, nil}},
	{"length", filter{"/", lengthFilter, nil}},
	{"d", filter{"default_value? boolean?", defaultFilter, nil}},
	{"default", filter{"default_value? boolean?", defaultFilter, nil}},
	{"dictsort", filter{"case_sensitive? by? reverse?", dictSort, nil}},
	{"e", filter{"/", escapeFilter, nil}},
	{"escape", filter{"/", escapeFilter, nil}},
	{"filesizeformat", filter{"binary?", fileSize, nil}},
	{"first", filter{"", first, nil}},
	{"float", filter{"default?", toFloat, nil}},
	{"forceescape", filter{"", func(e *evaluator, line int, v any, _ []any) any {
		return markup(e.escape(line, e.text(line, v)))
	}, nil}},
	{"format", filter{whole: formatFilter}},
	{"groupby", filter{"attribute default? case_sensitive?", groupBy, nil}},
	{"indent", filter{"width? first? blank?", indent, nil}},
	{"int", filter{"default? base?", toInt, nil}},
	{"items", filter{"", itemsFilter, nil}},
	{"join", filter{"d? attribute?", joinFilter, nil}},
	{"last", filter{"", last, nil}},
	{"list", filter{"", func(e *evaluator, line int, v any, _ []any) any { return &list{items: slices.Clone(e.items(line, v))} }, nil}},
	{"lower", methodFilter("lower", "")},
	{"map", filter{whole: mapFilter}},
	{"max", filter{"case_sensitive? attribute?", extreme(">"), nil}},
	{"min", filter{"case_sensitive? attribute?", extreme("<"), nil}},
	{"pprint", filter{"", pretty, nil}},
	{"random", filter{"", random, nil}},
	{"reject", choose(false, false)},
	{"rejectattr", choose(false, true)},
	{"replace", filter{"old new count?", replaceFilter, nil}},
	{"reverse", filter{"", reverse, nil}},
	{"round", filter{"precision? method?", round, nil}},
	{"safe", filter{"", func(e *evaluator, line int, v any, _ []any) any { return markup(e.text(line, v)) }, nil}},
	{"select", choose(true, false)},
	{"selectattr", choose(true, true)},
	{"slice", filter{"slices fill_with?", slice, nil}},
	{"sort", filter{"reverse? case_sensitive? attribute?", sortFilter, nil}},
	{"string", filter{"", func(e *evaluator, line int, v any, _ []any) any { return e.soft(line, v) }, nil}},
	{"striptags", filter{"", stripTags, nil}},
	{"sum", filter{"attribute? start?", sum, nil}},
	{"title", filter{"", titleFilter, nil}},
	{"tojson", filter{jsonParameters, toJSON, nil}},
	{"trim", methodFilter("strip", "chars?")},
	{"truncate", filter{"length? killwords? end? leeway?", truncate, nil}},
	{"unique", filter{"case_sensitive? attribute?", unique, nil}},
	{"upper", methodFilter("upper", "")},
	{"urlencode", filter{"", urlEncode, nil}},
	{"urlize", filter{"trim_url_limit? nofollow? target? rel? extra_schemes?", urlize, nil}},
	{"wordcount", filter{"", wordCount, nil}},
	{"wordwrap", filter{"width? break_long_words? wrapstring? break_on_hyphens?", wordWrap, nil}},
	{"xmlattr", filter{"autospace?", xmlAttributes, nil}},
}

// filter applies a filter by its name, which may be unknown: a template may hold what is never reached.
func (e *evaluator) filter(line int, name string, v any, a values) any {
	f, ok := filters[name]
	if !ok {
		fail(line, "the filter %q is not known", name)
	}
	if f.whole != nil {
		return f.whole(e, line, v, a)
	}
	return f.run(e, line, v, f.bind(line, "the filter "+name, a))
}

// soft makes text of a value; safe text stays so.
func (e *evaluator) soft(line int, v any) any {
	if safe, ok := v.(markup); ok {
		return safe
	}
	return e.text(line, v)
}

// methodFilter is a method of str as a filter.
func methodFilter(name string, takes signature) filter {
	return filter{takes, func(e *evaluator, line int, v any, a []any) any {
		m, _ := textAttribute(e.soft(line, v), name)
		given := values{}
		for _, argument := range a {
			if name == "center" {
				argument = or(argument, int64(80))
			}
			given.positional = append(given.positional, or(argument, nil))
		}
		return m.(*function).call(e, line, given)
	}, nil}
}

func escapeFilter(e *evaluator, line int, v any, _ []any) any { return e.escapeValue(line, v) }

func lengthFilter(_ *evaluator, line int, v any, _ []any) any {
	n, ok := length(v)
	if !ok {
		fail(line, "%s has no length", typeName(v))
	}
	return n
}

func defaultFilter(_ *evaluator, _ int, v any, a []any) any {
	if _, ok := v.(undefined); ok || truth(or(a[1], false)) && !truth(v) {
		return or(a[0], "")
	}
	return v
}

func attrFilter(e *evaluator, line int, v any, a []any) any {
	name := wantText(line, a[0], "name")
	if u, ok := v.(undefined); ok {
		fail(line, "%q is undefined: it has no %q", u.name, name)
	}
	if held, ok := e.own(v, name); ok {
		return held
	}
	return undefined{name}
}

func replaceFilter(e *evaluator, line int, v any, a []any) any {
	count := or(a[2], nil)
	if count == nil {
		count = int64(-1)
	}
	if !e.autoescape {
		return replaceText(e, line, e.text(line, v), []any{e.text(line, a[0]), e.text(line, a[1]), count})
	}
	_, safe := v.(markup)
	_, safeOld := a[0].(markup)
	_, safeNew := a[1].(markup)
	s := e.soft(line, v)
	if safeOld || safeNew && !safe {
		s = e.escapeValue(line, v)
	}
	m, _ := textAttribute(s, "replace")
	return m.(*function).call(e, line, values{positional: []any{e.soft(line, a[0]), e.soft(line, a[1]), count}})
}

func formatFilter(e *evaluator, line int, v any, a values) any {
	if len(a.names()) > 0 {
		if len(a.positional) > 0 {
			fail(line, "format takes values by place or by name, not both")
		}
		return e.percent(line, e.soft(line, v), a.named)
	}
	return e.percent(line, e.soft(line, v), &list{items: a.positional, tuple: true})
}
