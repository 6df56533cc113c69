package chat

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// method is what belongs to values of one kind.
type method[T any] struct {
	signature
	run func(e *evaluator, line int, v T, a []any) any
}

// bound makes a method callable on a value.
func bound[T any](name string, m method[T], v func(e *evaluator, line int) T) *function {
	return &function{name, func(e *evaluator, line int, a values) any { return m.run(e, line, v(e, line), m.bind(line, name, a)) }}
}

var listMethods = []namedMethod[*list]{
	{"index", method[*list]{"/value start? stop?", func(e *evaluator, line int, l *list, a []any) any {
		start, stop := window(line, a[1], a[2], len(l.items))
		for i := start; i < stop; i++ {
			if e.equal(line, l.items[i], a[0]) {
				return int64(i)
			}
		}
		fail(line, "the value is not in the list")
		return nil
	}}},
	{"count", method[*list]{"/value", func(e *evaluator, line int, l *list, a []any) any {
		n := int64(0)
		for _, item := range l.items {
			if e.equal(line, item, a[0]) {
				n++
			}
		}
		return n
	}}},
	{"copy", method[*list]{"", func(e *evaluator, line int, l *list, _ []any) any {
		e.cost(line, len(l.items))
		return &list{items: slices.Clone(l.items)}
	}}},
}

// namedMethod is an entry of a list of methods: a map's literal would be 400 bytes of the tab's program for each.
type namedMethod[T any] struct {
	name string
	is   method[T]
}

func methodOf[T any](list []namedMethod[T], name string) (m method[T], ok bool) {
	for i := range list {
		if list[i].name == name {
			return list[i].is, true
		}
	}
	return m, false
}

// changingList and changingDict are the methods that would change a list or a dict: they are there, and undefined.
var (
	changingList = []string{"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"}
	changingDict = []string{"clear", "pop", "popitem", "setdefault", "update"}
)

func listAttribute(l *list, name string) (any, bool) {
	switch {
	case l.group && name == "grouper":
		return l.items[0], true
	case l.group && name == "list":
		return l.items[1], true
	case !l.tuple && slices.Contains(changingList, name):
		return undefined{name}, true
	}
	m, ok := methodOf(listMethods, name)
	if !ok || l.tuple && name == "copy" {
		return nil, false
	}
	return bound(name, m, func(*evaluator, int) *list { return l }), true
}

var dictMethods = []namedMethod[*dict]{
	{"items", method[*dict]{"", func(_ *evaluator, _ int, d *dict, _ []any) any { return &view{d, "items"} }}},
	{"keys", method[*dict]{"", func(_ *evaluator, _ int, d *dict, _ []any) any { return &view{d, "keys"} }}},
	{"values", method[*dict]{"", func(_ *evaluator, _ int, d *dict, _ []any) any { return &view{d, "values"} }}},
	{"get", method[*dict]{"/key default?", func(_ *evaluator, line int, d *dict, a []any) any {
		if _, ok := hashable(a[0]); !ok {
			fail(line, "%s cannot be a key", typeName(a[0]))
		}
		if v, ok := d.get(a[0]); ok {
			return v
		}
		return or(a[1], nil)
	}}},
	{"copy", method[*dict]{"", func(e *evaluator, line int, d *dict, _ []any) any {
		e.cost(line, len(d.keys))
		return d.clone()
	}}},
	{"fromkeys", method[*dict]{"/iterable value?", func(e *evaluator, line int, _ *dict, a []any) any {
		return fromKeys(e, line, values{positional: []any{a[0], or(a[1], nil)}})
	}}},
}

func dictAttribute(d *dict, name string) (any, bool) {
	if slices.Contains(changingDict, name) {
		return undefined{name}, true
	}
	m, ok := methodOf(dictMethods, name)
	if !ok {
		return nil, false
	}
	return bound(name, m, func(*evaluator, int) *dict { return d }), true
}

// window gives the part of n items that the arguments start and stop leave.
func window(line int, start, stop any, n int) (from, to int) {
	clamp := func(v any, absent int) int {
		if v == nil || v == any(missing{}) {
			return absent
		}
		i := wantInteger(line, v, "a place")
		if i < 0 {
			i = max(i+n, 0)
		}
		return i
	}
	return clamp(start, 0), min(clamp(stop, n), n)
}

func numberAttribute(v any, name string) (any, bool) {
	none := func(run func() any) (any, bool) {
		return &function{name, func(_ *evaluator, line int, a values) any {
			signature("").bind(line, name, a)
			return run()
		}}, true
	}
	x, isFloat := v.(float64)
	if isFloat {
		switch name {
		case "real":
			return x, true
		case "imag":
			return 0.0, true
		case "conjugate":
			return none(func() any { return x })
		case "is_integer":
			return none(func() any { return x == math.Trunc(x) && !math.IsInf(x, 0) })
		case "hex":
			return none(func() any { return strconv.FormatFloat(x, 'x', -1, 64) })
		}
		return nil, false
	}
	n, _ := large(v)
	switch name {
	case "real", "numerator":
		return small(n), true
	case "imag":
		return int64(0), true
	case "denominator":
		return int64(1), true
	case "conjugate":
		return none(func() any { return small(n) })
	case "bit_length":
		return none(func() any { return int64(n.BitLen()) })
	case "bit_count":
		return none(func() any {
			return int64(strings.Count(n.Text(2), "1"))
		})
	}
	return nil, false
}
