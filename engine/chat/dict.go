package chat

import (
	"fmt"
	"math"
	"strings"

	"quire/engine/chat/big"
)

// dict keeps its keys in the order of their first setting.
type dict struct {
	keys   []any
	values map[any]any
}

// view is what keys, values and items of a dict give: part says which.
type view struct {
	of   *dict
	part string
}

func newDict() *dict { return &dict{values: map[any]any{}} }

// Keys that are no plain values.
type (
	bigKey       string
	tupleKey     string
	undefinedKey struct{}
)

// hashable gives the key under which a dict holds v: numbers that are equal are one key.
func hashable(v any) (any, bool) {
	switch v := v.(type) {
	case nil, string, int64, *function, *macro, *loop, *namespace, *iterator, *cycler, *joiner:
		return v, true
	case markup:
		return string(v), true
	case bool:
		i, _ := integer(v)
		return i, true
	case *big.Int:
		return bigKey(v.Text(16)), true
	case float64:
		if v == math.Trunc(v) && !math.IsInf(v, 0) {
			return hashable(whole(v))
		}
		return v, true
	case undefined:
		return undefinedKey{}, true
	case *span:
		return tupleKey(fmt.Sprint("range", v.start, v.stop, v.step)), true
	case *list:
		if !v.tuple {
			return nil, false
		}
		var key strings.Builder
		for _, item := range v.items {
			k, ok := hashable(item)
			if !ok {
				return nil, false
			}
			part := fmt.Sprintf("%T %v", k, k)
			fmt.Fprintf(&key, "%d %s,", len(part), part)
		}
		return tupleKey(key.String()), true
	}
	return nil, false
}

func (d *dict) get(key any) (any, bool) {
	k, ok := hashable(key)
	if !ok {
		return nil, false
	}
	v, ok := d.values[k]
	return v, ok
}

func (d *dict) set(key, value any) bool {
	k, ok := hashable(key)
	if !ok {
		return false
	}
	if _, held := d.values[k]; !held {
		d.keys = append(d.keys, key)
	}
	d.values[k] = value
	return true
}

func (d *dict) at(key any) any {
	v, _ := d.get(key)
	return v
}

func (d *dict) clone() *dict {
	out := newDict()
	for _, key := range d.keys {
		out.set(key, d.at(key))
	}
	return out
}

// item gives one item of a view.
func (v *view) item(i int) any {
	key := v.of.keys[i]
	switch v.part {
	case "keys":
		return key
	case "values":
		return v.of.at(key)
	}
	return pair(key, v.of.at(key))
}

func pair(a, b any) *list { return &list{items: []any{a, b}, tuple: true} }

// dictOf makes a dict as Python's dict() does: of a mapping or of pairs, and of named arguments.
func (e *evaluator) dictOf(line int, what string, a values) *dict {
	if len(a.positional) > 1 {
		fail(line, "%s takes one value at most", what)
	}
	d := newDict()
	for _, from := range a.positional {
		if held, ok := from.(*dict); ok {
			e.cost(line, len(held.keys))
			d = held.clone()
			continue
		}
		for item := range e.each(line, from) {
			p := e.items(line, item)
			if len(p) != 2 {
				fail(line, "%s needs pairs, not %d items", what, len(p))
			}
			e.put(line, d, p[0], p[1])
		}
	}
	for _, name := range a.names() {
		d.set(name, a.named.at(name))
	}
	return d
}

func (e *evaluator) put(line int, d *dict, key, value any) {
	e.step(line)
	if !d.set(key, value) {
		fail(line, "%s cannot be a key", typeName(key))
	}
}
