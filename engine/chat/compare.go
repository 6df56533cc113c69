package chat

import (
	"strings"
	"unsafe"
)

func (n compareNode) eval(e *evaluator, s *scope) any {
	left := e.eval(n.first, s)
	for i, op := range n.operators {
		right := e.eval(n.rest[i], s)
		if !e.compare(n.line, op, left, right) {
			return false
		}
		left = right
	}
	return true
}

func (e *evaluator) compare(line int, op string, a, b any) bool {
	switch op {
	case "==":
		return e.equal(line, a, b)
	case "!=":
		return !e.equal(line, a, b)
	case "in":
		return e.contains(line, b, a)
	case "not in":
		return !e.contains(line, b, a)
	}
	return e.ordered(line, op, a, b)
}

func (e *evaluator) equal(line int, a, b any) bool {
	e.step(line)
	e.deeper(line)
	defer e.shallower()
	if _, ok := number(a); ok {
		order, ordered := compareNumbers(a, b)
		return ordered && order == 0
	}
	if s, ok := textOf(a); ok {
		t, ok := textOf(b)
		return ok && s == t
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case undefined:
		_, ok := b.(undefined)
		return ok
	case *list:
		other, ok := b.(*list)
		if !ok || len(a.items) != len(other.items) || a.tuple != other.tuple {
			return false
		}
		for i := range a.items {
			if !e.equal(line, a.items[i], other.items[i]) {
				return false
			}
		}
		return true
	case *dict:
		other, ok := b.(*dict)
		return ok && e.equalDicts(line, a, other)
	case *view:
		other, ok := b.(*view)
		return ok && a.part == other.part && (a == other || a.part != "values" && e.equalViews(line, a, other))
	case *span:
		other, ok := b.(*span)
		return ok && a.equal(other)
	}
	return a == b
}

func (e *evaluator) equalDicts(line int, a, b *dict) bool {
	if len(a.keys) != len(b.keys) {
		return false
	}
	for _, key := range a.keys {
		v, ok := b.get(key)
		if !ok || !e.equal(line, a.at(key), v) {
			return false
		}
	}
	return true
}

func (e *evaluator) equalViews(line int, a, b *view) bool {
	if a.part == "items" {
		return e.equalDicts(line, a.of, b.of)
	}
	for _, key := range a.of.keys {
		if _, ok := b.of.get(key); !ok {
			return false
		}
	}
	return len(a.of.keys) == len(b.of.keys)
}

// ordered compares numbers, texts and lists by their order.
func (e *evaluator) ordered(line int, op string, a, b any) bool {
	e.step(line)
	e.deeper(line)
	defer e.shallower()
	if _, ok := number(a); ok {
		if _, ok := number(b); ok {
			order, ordered := compareNumbers(a, b)
			return ordered && holds(op, order)
		}
	}
	if s, ok := textOf(a); ok {
		if t, ok := textOf(b); ok {
			return holds(op, strings.Compare(s, t))
		}
	}
	l, ok := a.(*list)
	other, both := b.(*list)
	if !ok || !both || l.tuple != other.tuple {
		fail(line, "cannot order %s and %s", typeName(a), typeName(b))
	}
	for i := range min(len(l.items), len(other.items)) {
		if !e.equal(line, l.items[i], other.items[i]) {
			return e.ordered(line, op, l.items[i], other.items[i])
		}
	}
	return holds(op, len(l.items)-len(other.items))
}

func holds(op string, order int) bool {
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

func (e *evaluator) less(line int, a, b any) bool { return e.ordered(line, "<", a, b) }

func (e *evaluator) contains(line int, container, v any) bool {
	if s, ok := textOf(container); ok {
		part, ok := textOf(v)
		if !ok {
			fail(line, "%s cannot be in a str", typeName(v))
		}
		e.cost(line, len(s)>>4)
		return strings.Contains(s, part)
	}
	d, ok := container.(*dict)
	if keys, isView := container.(*view); isView && keys.part == "keys" {
		d, ok = keys.of, true
	}
	if ok {
		if _, ok := hashable(v); !ok {
			fail(line, "%s cannot be a key", typeName(v))
		}
		_, held := d.get(v)
		return held
	}
	for item := range e.each(line, container) {
		if e.equal(line, item, v) {
			return true
		}
	}
	return false
}

// same tells whether two values are one: Python has one none, one true and one false, and keeps the integers from -5 to 256.
func same(a, b any) bool {
	switch a := a.(type) {
	case int64:
		b, ok := b.(int64)
		return ok && a == b && -5 <= a && a <= 256
	case string:
		b, ok := b.(string)
		return ok && a == b && (len(a) < 2 || unsafe.StringData(a) == unsafe.StringData(b))
	case float64, markup, undefined:
		return false
	}
	return a == b
}
