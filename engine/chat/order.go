package chat

import (
	"slices"
	"sort"
	"strings"
)

// folded gives the value by which to sort: text without regard to case, unless asked.
func folded(v any, exact bool) any {
	if s, ok := textOf(v); ok && !exact {
		return like(v, lower(s))
	}
	return v
}

// sort puts items in order of their keys; equal ones keep theirs.
func (e *evaluator) sort(line int, items []any, backwards bool, key func(any) any) {
	e.cost(line, len(items))
	keys := make([]any, len(items))
	order := make([]int, len(items))
	for i, item := range items {
		keys[i], order[i] = key(item), i
	}
	sort.SliceStable(order, func(i, j int) bool {
		a, b := keys[order[i]], keys[order[j]]
		if backwards {
			a, b = b, a
		}
		return e.less(line, a, b)
	})
	sorted := make([]any, len(items))
	for i, from := range order {
		sorted[i] = items[from]
	}
	copy(items, sorted)
}

func sortFilter(e *evaluator, line int, v any, a []any) any {
	exact := truth(or(a[1], false))
	names := []any{or(a[2], nil)}
	if text, ok := textOf(names[0]); ok {
		names = nil
		for _, name := range strings.Split(text, ",") {
			names = append(names, name)
		}
	}
	items := slices.Clone(e.items(line, v))
	e.sort(line, items, truth(or(a[0], false)), func(item any) any {
		key := &list{}
		for _, name := range names {
			key.items = append(key.items, folded(e.path(line, item, name, nil), exact))
		}
		return key
	})
	return &list{items: items}
}

func dictSort(e *evaluator, line int, v any, a []any) any {
	part := 0
	switch by, _ := textOf(or(a[1], "key")); by {
	case "key":
	case "value":
		part = 1
	default:
		fail(line, "dictsort sorts by key or by value")
	}
	d, ok := v.(*dict)
	if !ok {
		fail(line, "dictsort needs a dict, not %s", typeName(v))
	}
	exact := truth(or(a[0], false))
	items := e.items(line, &view{d, "items"})
	e.sort(line, items, truth(or(a[2], false)), func(pair any) any { return folded(pair.(*list).items[part], exact) })
	return &list{items: items}
}

func unique(e *evaluator, line int, v any, a []any) any {
	seen := newDict()
	exact, name := truth(or(a[0], false)), or(a[1], nil)
	return e.deferred(line, v, func() func(any) (any, bool) {
		return func(item any) (any, bool) {
			key := folded(e.path(line, item, name, nil), exact)
			_, twice := seen.get(key)
			e.put(line, seen, key, true)
			return item, !twice
		}
	})
}

// extreme makes min and max.
func extreme(op string) func(e *evaluator, line int, v any, a []any) any {
	return func(e *evaluator, line int, v any, a []any) any {
		exact, name := truth(or(a[0], false)), or(a[1], nil)
		var best any = undefined{"the extreme of nothing"}
		var bestKey any
		n := 0
		for item := range e.each(line, v) {
			key := folded(e.path(line, item, name, nil), exact)
			if n++; n == 1 || e.ordered(line, op, key, bestKey) {
				best, bestKey = item, key
			}
		}
		return best
	}
}

func groupBy(e *evaluator, line int, v any, a []any) any {
	absent, exact := or(a[1], nil), truth(or(a[2], false))
	key := func(item any) any { return folded(e.path(line, item, a[0], absent), exact) }
	items := slices.Clone(e.items(line, v))
	e.sort(line, items, false, key)
	out := &list{}
	var current *list
	var currentKey any
	for _, item := range items {
		k := key(item)
		if current == nil || !e.equal(line, k, currentKey) {
			current, currentKey = &list{}, k
			out.items = append(out.items, &list{items: []any{e.path(line, item, a[0], absent), current}, tuple: true, group: true})
		}
		current.items = append(current.items, item)
	}
	return out
}

func sum(e *evaluator, line int, v any, a []any) any {
	it := e.iterator(line, v)
	if name := or(a[0], nil); name != nil {
		it = e.attributes(line, it, name)
	}
	total := or(a[1], int64(0))
	if _, ok := textOf(total); ok {
		fail(line, "sum adds no text: use join")
	}
	for item := range e.each(line, it) {
		total = e.arithmetic(line, "+", total, item)
	}
	return total
}
