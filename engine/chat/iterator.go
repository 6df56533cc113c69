package chat

import "iter"

// iterator gives items once, one after another, as a generator of Python does.
type iterator struct{ next func() (any, bool) }

// lazy gives what f makes of each item of another iterator; it leaves out those for which f says so.
func (it *iterator) lazy(f func(item any) (any, bool)) *iterator {
	return &iterator{next: func() (any, bool) {
		for item, more := it.next(); more; item, more = it.next() {
			if out, keep := f(item); keep {
				return out, true
			}
		}
		return nil, false
	}}
}

// iterator gives what goes over a value.
func (e *evaluator) iterator(line int, v any) *iterator {
	switch v := v.(type) {
	case *iterator:
		return v
	case *loop:
		return &iterator{next: v.pairs}
	}
	i := 0
	if s, ok := v.(*span); ok {
		n := int(s.length())
		return &iterator{next: func() (any, bool) {
			i++
			return s.at(int64(i - 1)), i <= n
		}}
	}
	items := e.items(line, v)
	return &iterator{next: func() (any, bool) {
		if i == len(items) {
			return nil, false
		}
		i++
		return items[i-1], true
	}}
}

// each goes over a value's items, and counts them.
func (e *evaluator) each(line int, v any) iter.Seq[any] {
	it := e.iterator(line, v)
	return func(yield func(any) bool) {
		for item, more := it.next(); more; item, more = it.next() {
			e.step(line)
			if !yield(item) {
				return
			}
		}
	}
}

// items gives all items of a value that can be gone over. The slice may be the value's own.
func (e *evaluator) items(line int, v any) []any {
	switch v := v.(type) {
	case undefined:
		return nil
	case *list:
		return v.items
	case *dict:
		return v.keys
	case *view:
		e.cost(line, len(v.of.keys))
		items := make([]any, len(v.of.keys))
		for i := range items {
			items[i] = v.item(i)
		}
		return items
	case *span, *iterator, *loop:
		var items []any
		for item := range e.each(line, v) {
			items = append(items, item)
			e.fitsItems(line, len(items))
		}
		return items
	}
	s, ok := textOf(v)
	if !ok {
		fail(line, "%s cannot be gone over", typeName(v))
	}
	e.cost(line, len(s)>>4)
	e.fitsItems(line, runeCount(s))
	var items []any
	for _, r := range s {
		items = append(items, string(r))
	}
	return items
}

// iterable tells whether iterator takes a value.
func iterable(v any) bool {
	switch v.(type) {
	case undefined, *list, *dict, *view, *span, *iterator, *loop, string, markup:
		return true
	}
	return false
}

// reversed goes over a value from its end, if it has one.
func (e *evaluator) reversed(line int, v any) (*iterator, bool) {
	switch v.(type) {
	case *iterator, *loop:
		return nil, false
	}
	if !iterable(v) {
		return nil, false
	}
	items := e.items(line, v)
	i := len(items)
	return &iterator{next: func() (any, bool) {
		i--
		if i < 0 {
			return nil, false
		}
		return items[i], true
	}}, true
}
