package chat

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

type filter = func(e *evaluator, line int, v any, a values) any

// filters are what follows "|".
var filters map[string]filter

func init() {
	filters = map[string]filter{
		"tojson":     toJSON,
		"upper":      textFilter("upper"),
		"lower":      textFilter("lower"),
		"title":      textFilter("title"),
		"capitalize": textFilter("capitalize"),
		"trim":       textFilter("strip"),
		"replace":    textFilter("replace"),
		"length":     lengthFilter,
		"count":      lengthFilter,
		"default":    defaultFilter,
		"d":          defaultFilter,
		"string":     func(e *evaluator, line int, v any, _ values) any { return e.text(line, v) },
		"safe":       func(_ *evaluator, _ int, v any, _ values) any { return v },
		"escape":     escapeFilter,
		"e":          escapeFilter,
		"list": func(e *evaluator, line int, v any, _ values) any {
			return &list{items: slices.Clone(e.items(line, v))}
		},
		"items": func(e *evaluator, line int, v any, _ values) any {
			if d, ok := v.(*dict); ok {
				return e.pairs(line, d)
			}
			if _, ok := v.(undefined); !ok {
				fail(line, "items needs a dict, not %s", typeName(v))
			}
			return &list{}
		},
		"dictsort": dictSort,
		"first":    func(e *evaluator, line int, v any, _ values) any { return end(e.items(line, v), 0) },
		"last": func(e *evaluator, line int, v any, _ values) any {
			items := e.items(line, v)
			return end(items, len(items)-1)
		},
		"join": func(e *evaluator, line int, v any, a values) any {
			items := e.items(line, v)
			if name := a.at(1, "attribute", nil); name != nil {
				items = e.attributes(line, items, name)
			}
			return e.joinAll(line, items, e.text(line, a.at(0, "d", "")))
		},
		"map":        mapFilter,
		"select":     choose(true, false),
		"reject":     choose(false, false),
		"selectattr": choose(true, true),
		"rejectattr": choose(false, true),
		"sort":       sortFilter,
		"unique":     unique,
		"reverse":    reverse,
		"sum": func(e *evaluator, line int, v any, a values) any {
			items := e.items(line, v)
			if name := a.at(0, "attribute", nil); name != nil {
				items = e.attributes(line, items, name)
			}
			sum := a.at(1, "start", int64(0))
			for _, item := range items {
				sum = e.arithmetic(line, "+", sum, item)
			}
			return sum
		},
		"min":    extreme("<"),
		"max":    extreme(">"),
		"abs":    absolute,
		"round":  round,
		"int":    toInt,
		"float":  toFloat,
		"indent": indent,
		"wordcount": func(e *evaluator, line int, v any, _ values) any {
			return int64(len(strings.Fields(e.text(line, v))))
		},
	}
}

func textFilter(method string) filter {
	return func(e *evaluator, line int, v any, a values) any {
		return stringMethods[method](e, line, e.text(line, v), a)
	}
}

func lengthFilter(_ *evaluator, line int, v any, _ values) any {
	n, ok := length(v)
	if !ok {
		fail(line, "%s has no length", typeName(v))
	}
	return n
}

func defaultFilter(_ *evaluator, _ int, v any, a values) any {
	if _, ok := v.(undefined); ok || truth(a.at(1, "boolean", false)) && !truth(v) {
		return a.at(0, "default_value", "")
	}
	return v
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&#39;", `"`, "&#34;")

func escapeFilter(e *evaluator, line int, v any, _ values) any {
	text := e.text(line, v)
	e.fits(line, 5*len(text))
	return escaper.Replace(text)
}

// end gives an item of a list that may be empty.
func end(items []any, i int) any {
	if len(items) == 0 {
		return undefined{"the item of an empty list"}
	}
	return items[i]
}

func (e *evaluator) attributes(line int, items []any, name any) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = e.path(line, item, name)
	}
	return out
}

// path gives the attribute that a dotted name, or the item that an integer, leads to.
func (e *evaluator) path(line int, v any, name any) any {
	text, ok := name.(string)
	if !ok {
		return indexNode{line, literal{v}, literal{name}}.eval(e, nil)
	}
	for _, part := range strings.Split(text, ".") {
		e.step(line)
		if d, ok := v.(*dict); ok {
			if held, ok := d.get(part); ok {
				v = held
				continue
			}
			v = undefined{part}
			continue
		}
		v = e.attribute(line, v, part)
	}
	return v
}

func mapFilter(e *evaluator, line int, v any, a values) any {
	items := e.items(line, v)
	if name, ok := a.named["attribute"]; ok {
		out := e.attributes(line, items, name)
		if absent, ok := a.named["default"]; ok {
			for i := range out {
				if _, missing := out[i].(undefined); missing {
					out[i] = absent
				}
			}
		}
		return &list{items: out}
	}
	name := textArgument(line, a, 0, "filter")
	f, ok := filters[name]
	if !ok {
		fail(line, "the filter %q is not supported", name)
	}
	out := &list{}
	for _, item := range items {
		e.step(line)
		out.items = append(out.items, f(e, line, item, values{a.positional[1:], a.named}))
	}
	return out
}

// choose makes select and reject, of items or by an attribute of theirs.
func choose(keep, byAttribute bool) filter {
	return func(e *evaluator, line int, v any, a values) any {
		rest := a.positional
		var attribute any
		if byAttribute {
			if len(rest) == 0 {
				fail(line, "the name of an attribute is missing")
			}
			attribute, rest = rest[0], rest[1:]
		}
		test := func(_ *evaluator, _ int, v any, _ values) bool { return truth(v) }
		if len(rest) > 0 {
			name, _ := rest[0].(string)
			if tests[name] == nil {
				fail(line, "the test %q is not supported", name)
			}
			test, rest = tests[name], rest[1:]
		}
		out := &list{}
		for _, item := range e.items(line, v) {
			e.step(line)
			tested := item
			if byAttribute {
				tested = e.path(line, item, attribute)
			}
			if test(e, line, tested, values{rest, a.named}) == keep {
				out.items = append(out.items, item)
			}
		}
		return out
	}
}

// folded gives the value by which to sort: text without regard to case, unless asked.
func folded(v any, caseSensitive bool) any {
	if s, ok := v.(string); ok && !caseSensitive {
		return strings.ToLower(s)
	}
	return v
}

func (e *evaluator) sorted(line int, items []any, backwards bool, key func(any) any) *list {
	e.cost(line, len(items))
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(x, y any) int {
		a, b := key(x), key(y)
		if backwards {
			a, b = b, a
		}
		switch {
		case e.less(line, a, b):
			return -1
		case e.less(line, b, a):
			return 1
		}
		return 0
	})
	return &list{items: items}
}

func sortFilter(e *evaluator, line int, v any, a values) any {
	attribute, exact := a.at(2, "attribute", nil), truth(a.at(1, "case_sensitive", false))
	return e.sorted(line, e.items(line, v), truth(a.at(0, "reverse", false)), func(item any) any {
		if attribute != nil {
			item = e.path(line, item, attribute)
		}
		return folded(item, exact)
	})
}

func dictSort(e *evaluator, line int, v any, a values) any {
	d, ok := v.(*dict)
	if !ok {
		fail(line, "dictsort needs a dict, not %s", typeName(v))
	}
	part := 0
	if a.at(1, "by", "key") == any("value") {
		part = 1
	}
	exact := truth(a.at(0, "case_sensitive", false))
	return e.sorted(line, e.pairs(line, d).items, truth(a.at(2, "reverse", false)), func(pair any) any {
		return folded(pair.(*list).items[part], exact)
	})
}

func unique(e *evaluator, line int, v any, a values) any {
	out := &list{}
	exact := truth(a.at(0, "case_sensitive", false))
	for _, item := range e.items(line, v) {
		seen := slices.ContainsFunc(out.items, func(kept any) bool { return e.equal(folded(kept, exact), folded(item, exact)) })
		if !seen {
			out.items = append(out.items, item)
		}
	}
	return out
}

func reverse(e *evaluator, line int, v any, _ values) any {
	if s, ok := v.(string); ok {
		e.cost(line, len(s)>>4)
		runes := []rune(s)
		slices.Reverse(runes)
		return string(runes)
	}
	items := slices.Clone(e.items(line, v))
	e.cost(line, len(items))
	slices.Reverse(items)
	return &list{items: items}
}

// extreme makes min and max.
func extreme(op string) filter {
	return func(e *evaluator, line int, v any, a values) any {
		items := e.items(line, v)
		best := end(items, 0)
		for i, item := range items {
			if i > 0 && e.compare(line, op, folded(item, false), folded(best, false)) {
				best = item
			}
		}
		return best
	}
}

func absolute(_ *evaluator, line int, v any, _ values) any {
	if i, ok := integer(v); ok {
		return max(i, -i)
	}
	x, ok := number(v)
	if !ok {
		fail(line, "%s has no absolute value", typeName(v))
	}
	return math.Abs(x)
}

func round(_ *evaluator, line int, v any, a values) any {
	x, ok := number(v)
	precision, both := integer(a.at(0, "precision", int64(0)))
	if !ok || !both {
		fail(line, "round needs a number, not %s", typeName(v))
	}
	scale := math.Pow(10, float64(precision))
	switch a.at(1, "method", "common") {
	case "ceil":
		return math.Ceil(x*scale) / scale
	case "floor":
		return math.Floor(x*scale) / scale
	}
	if precision < 0 {
		return math.RoundToEven(x*scale) / scale
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', int(min(precision, 30)), 64), 64)
	return rounded
}

func toInt(_ *evaluator, _ int, v any, a values) any {
	if s, ok := v.(string); ok {
		s = strings.TrimSpace(s)
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return i
		}
		if x, err := strconv.ParseFloat(s, 64); err == nil {
			v = x
		}
	}
	if x, ok := number(v); ok && math.Abs(x) < 1<<63 {
		return int64(x)
	}
	return a.at(0, "default", int64(0))
}

func toFloat(_ *evaluator, _ int, v any, a values) any {
	if x, ok := number(v); ok {
		return x
	}
	if s, ok := v.(string); ok {
		if x, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return x
		}
	}
	return a.at(0, "default", 0.0)
}

// indent puts spaces, or a given text, in front of every line but the first.
func indent(e *evaluator, line int, v any, a values) any {
	with := "    "
	switch width := a.at(0, "width", nil).(type) {
	case string:
		with = width
	case int64:
		with = e.repeat(line, " ", width)
	}
	first, blank := truth(a.at(1, "first", false)), truth(a.at(2, "blank", false))
	text := e.text(line, v)
	var out strings.Builder
	for i, l := range strings.Split(text, "\n") {
		if i > 0 {
			out.WriteByte('\n')
		}
		if (i > 0 || first) && (blank || l != "" || i == 0) {
			out.WriteString(with)
		}
		out.WriteString(l)
		e.cost(line, 1+(len(with)+len(l))>>6)
		e.fits(line, out.Len())
	}
	return out.String()
}
