package chat

import (
	"math/rand/v2"
	"slices"
	"strings"
)

func itemsFilter(e *evaluator, line int, v any, _ []any) any {
	started := false
	var rest *iterator
	return &iterator{next: func() (any, bool) {
		if !started {
			started = true
			d, ok := v.(*dict)
			if _, none := v.(undefined); !ok && !none {
				fail(line, "items needs a dict, not %s", typeName(v))
			}
			rest = &iterator{next: func() (any, bool) { return nil, false }}
			if ok {
				rest = e.iterator(line, &view{d, "items"})
			}
		}
		return rest.next()
	}}
}

func first(e *evaluator, line int, v any, _ []any) any {
	if item, more := e.iterator(line, v).next(); more {
		return item
	}
	return undefined{"the first item of nothing"}
}

func last(e *evaluator, line int, v any, _ []any) any {
	backwards, ok := e.reversed(line, v)
	if !ok {
		fail(line, "%s has no end to begin with: make it a list", typeName(v))
	}
	if item, more := backwards.next(); more {
		return item
	}
	return undefined{"the last item of nothing"}
}

func random(e *evaluator, line int, v any, _ []any) any {
	n, ok := length(v)
	if !ok {
		fail(line, "%s has no length", typeName(v))
	}
	if n == 0 {
		return undefined{"a random item of nothing"}
	}
	item, ok := e.held(line, v, rand.Int64N(n))
	if !ok {
		fail(line, "%s has no item at a place", typeName(v))
	}
	return item
}

func reverse(e *evaluator, line int, v any, _ []any) any {
	if s, ok := textOf(v); ok {
		e.cost(line, len(s)>>4)
		runes := []rune(s)
		slices.Reverse(runes)
		return like(v, string(runes))
	}
	if backwards, ok := e.reversed(line, v); ok {
		return backwards
	}
	items := slices.Clone(e.items(line, v))
	slices.Reverse(items)
	return &list{items: items}
}

func joinFilter(e *evaluator, line int, v any, a []any) any {
	it := e.iterator(line, v)
	if name := or(a[1], nil); name != nil {
		it = e.attributes(line, it, name)
	}
	var items []any
	for item := range e.each(line, it) {
		items = append(items, item)
	}
	separator := or(a[0], "")
	if !e.autoescape {
		return e.joinAll(line, items, e.text(line, separator))
	}
	_, safe := separator.(markup)
	safe = safe || slices.ContainsFunc(items, func(item any) bool { _, ok := item.(markup); return ok })
	if !safe {
		return e.joinAll(line, items, e.text(line, separator))
	}
	for i, item := range items {
		items[i] = e.escapeValue(line, item)
	}
	return markup(e.joinAll(line, items, string(e.escapeValue(line, separator))))
}

// joinAll writes items as text with a separator between them.
func (e *evaluator) joinAll(line int, items []any, separator string) string {
	var out strings.Builder
	for i, item := range items {
		if i > 0 {
			out.WriteString(separator)
		}
		text := e.text(line, item)
		out.WriteString(text)
		e.cost(line, 1+(len(text)+len(separator))>>6)
		e.fits(line, out.Len())
	}
	return out.String()
}

// attributes gives what a dotted name leads to from each item.
func (e *evaluator) attributes(line int, it *iterator, name any) *iterator {
	return it.lazy(func(item any) (any, bool) { return e.path(line, item, name, nil), true })
}

// path gives what a dotted name, or an integer, leads to; absent stands for what is undefined on the way, unless it is nil.
func (e *evaluator) path(line int, v, name, absent any) any {
	parts := []any{name}
	if text, ok := textOf(name); ok {
		parts = nil
		for _, part := range strings.Split(text, ".") {
			n, ok := parseInteger(part, 10)
			if ok && strings.Trim(part, "0123456789") == "" {
				parts = append(parts, n)
			} else {
				parts = append(parts, part)
			}
		}
	} else if name == nil {
		return v
	}
	for _, part := range parts {
		e.step(line)
		v = e.item(line, v, part)
		if _, ok := v.(undefined); ok && absent != nil {
			v = absent
		}
	}
	return v
}

func mapFilter(e *evaluator, line int, v any, a values) any {
	if !truth(v) {
		return &iterator{next: func() (any, bool) { return nil, false }}
	}
	return e.deferred(line, v, func() func(any) (any, bool) {
		if _, ok := a.named.get("attribute"); ok && len(a.positional) == 0 {
			v := signature("attribute default?").bind(line, "map", a)
			return func(item any) (any, bool) { return e.path(line, item, v[0], or(v[1], nil)), true }
		}
		if len(a.positional) == 0 {
			fail(line, "map needs the name of a filter")
		}
		name := wantText(line, a.positional[0], "the name of a filter")
		return func(item any) (any, bool) {
			return e.filter(line, name, item, values{a.positional[1:], a.named}), true
		}
	})
}

// deferred is lazy with a function that is made when the first item is asked for, as a generator's is.
func (e *evaluator) deferred(line int, v any, make func() func(any) (any, bool)) *iterator {
	var it *iterator
	return &iterator{next: func() (any, bool) {
		if it == nil {
			it = e.iterator(line, v).lazy(make())
		}
		e.step(line)
		return it.next()
	}}
}

// choose makes select and reject, of items or by an attribute of theirs.
func choose(keep, byAttribute bool) filter {
	return filter{whole: func(e *evaluator, line int, v any, a values) any {
		if !truth(v) {
			return &iterator{next: func() (any, bool) { return nil, false }}
		}
		return e.deferred(line, v, func() func(any) (any, bool) {
			rest := a.positional
			var attribute any
			if byAttribute {
				if len(rest) == 0 {
					fail(line, "the name of an attribute is missing")
				}
				attribute, rest = rest[0], rest[1:]
			}
			test := func(v any) bool { return truth(v) }
			if len(rest) > 0 {
				name := wantText(line, rest[0], "the name of a test")
				given := values{rest[1:], a.named}
				test = func(v any) bool { return e.test(line, name, v, given) }
			}
			return func(item any) (any, bool) {
				e.step(line)
				tested := item
				if byAttribute {
					tested = e.path(line, item, attribute, nil)
				}
				return item, test(tested) == keep
			}
		})
	}}
}

func batch(e *evaluator, line int, v any, a []any) any {
	size, fill := 0, or(a[1], nil)
	if fill != nil {
		size = wantInteger(line, a[0], "linecount")
	}
	it, items := (*iterator)(nil), []any(nil)
	done := false
	return &iterator{next: func() (any, bool) {
		if it == nil {
			it = e.iterator(line, v)
		}
		for !done {
			e.step(line)
			item, more := it.next()
			if !more {
				break
			}
			if e.equal(line, int64(len(items)), a[0]) {
				full := &list{items: items}
				items = []any{item}
				return full, true
			}
			items = append(items, item)
		}
		if done || len(items) == 0 {
			done = true
			return nil, false
		}
		done = true
		if fill != nil && len(items) < size {
			e.fitsItems(line, size)
			items = append(items, slices.Repeat([]any{fill}, size-len(items))...)
		}
		return &list{items: items}, true
	}}
}

func slice(e *evaluator, line int, v any, a []any) any {
	count, fill := wantInteger(line, a[0], "slices"), or(a[1], nil)
	number, offset := 0, 0
	var items []any
	return &iterator{next: func() (any, bool) {
		if number == 0 {
			items = e.items(line, v)
			if count == 0 {
				fail(line, "a list cannot be cut into 0 slices")
			}
		}
		if number >= count {
			return nil, false
		}
		e.step(line)
		size, extra := len(items)/count, len(items)%count
		start := offset + number*size
		if number < extra {
			offset++
		}
		part := slices.Clone(items[start : offset+(number+1)*size])
		if fill != nil && number >= extra {
			part = append(part, fill)
		}
		number++
		return &list{items: part}, true
	}}
}
