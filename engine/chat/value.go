package chat

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"slices"
)

// Values are nil (none), undefined, bool, int64, float64, string, *list, *dict, *namespace, *loop
// and function.
type (
	undefined struct{ name string }
	list      struct {
		items []any
		tuple bool
	}
	// dict keeps its keys in the order of their first setting.
	dict struct {
		keys   []any
		values map[any]any
	}
	namespace struct{ vars map[string]any }
	function  func(e *evaluator, line int, a values) any
)

// values are the arguments of a call.
type values struct {
	positional []any
	named      map[string]any
}

// at gives the argument at a place or of a name, or the given value where there is none.
func (a values) at(i int, name string, absent any) any {
	if i < len(a.positional) {
		return a.positional[i]
	}
	if v, ok := a.named[name]; ok {
		return v
	}
	return absent
}

func newDict() *dict { return &dict{values: map[any]any{}} }

// hashable gives the key under which a dict holds v: numbers that are equal are one key.
func hashable(v any) (any, bool) {
	switch v := v.(type) {
	case nil, string, int64:
		return v, true
	case bool:
		if v {
			return int64(1), true
		}
		return int64(0), true
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), true
		}
		return v, true
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

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// toValue takes a Go value in, through JSON where it is none of the plain kinds.
func toValue(v any) any {
	switch v := v.(type) {
	case nil, bool, string, int64, float64, *list, *dict:
		return v
	case int:
		return int64(v)
	case []any:
		l := &list{}
		for _, item := range v {
			l.items = append(l.items, toValue(item))
		}
		return l
	case map[string]any:
		d := newDict()
		for _, key := range sortedKeys(v) {
			d.set(key, toValue(v[key]))
		}
		return d
	}
	data, err := json.Marshal(v)
	if err != nil {
		fail(0, "a value for the template is no JSON: %v", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := fromJSON(decoder)
	if err != nil && err != io.EOF {
		fail(0, "a value for the template is no JSON: %v", err)
	}
	return value
}

// fromJSON reads one value and keeps the order of keys.
func fromJSON(in *json.Decoder) (any, error) {
	t, err := in.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Number:
		if n, err := t.Int64(); err == nil {
			return n, nil
		}
		return t.Float64()
	case json.Delim:
		if t == '[' {
			l := &list{}
			for in.More() {
				item, err := fromJSON(in)
				if err != nil {
					return nil, err
				}
				l.items = append(l.items, item)
			}
			_, err := in.Token()
			return l, err
		}
		d := newDict()
		for in.More() {
			key, err := in.Token()
			if err != nil {
				return nil, err
			}
			value, err := fromJSON(in)
			if err != nil {
				return nil, err
			}
			d.set(key, value)
		}
		_, err := in.Token()
		return d, err
	}
	return t, nil
}

func truth(v any) bool {
	switch v := v.(type) {
	case nil, undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case *list:
		return len(v.items) > 0
	case *dict:
		return len(v.keys) > 0
	}
	return true
}

// number gives a value's number; booleans count as in Python.
func number(v any) (x float64, ok bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// integer gives a value's integer.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return v, true
	}
	return 0, false
}

func typeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case undefined:
		return "undefined"
	case bool:
		return "bool"
	case int64:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case *list:
		if v.tuple {
			return "tuple"
		}
		return "list"
	case *dict:
		return "dict"
	case *namespace:
		return "namespace"
	case *loop:
		return "loop"
	}
	return "function"
}

func (e *evaluator) equal(a, b any) bool {
	e.step(0)
	defer e.deeper(0)()
	if x, ok := number(a); ok {
		y, ok := number(b)
		if i, isInt := a.(int64); isInt {
			if j, isInt := b.(int64); isInt {
				return i == j
			}
		}
		return ok && x == y
	}
	switch a := a.(type) {
	case nil:
		return b == nil
	case undefined:
		_, ok := b.(undefined)
		return ok
	case string:
		s, ok := b.(string)
		return ok && a == s
	case *list:
		other, ok := b.(*list)
		if !ok || len(a.items) != len(other.items) || a.tuple != other.tuple {
			return false
		}
		for i := range a.items {
			if !e.equal(a.items[i], other.items[i]) {
				return false
			}
		}
		return true
	case *dict:
		other, ok := b.(*dict)
		if !ok || len(a.keys) != len(other.keys) {
			return false
		}
		for _, key := range a.keys {
			v, ok := other.get(key)
			if !ok || !e.equal(a.at(key), v) {
				return false
			}
		}
		return true
	case *namespace:
		other, ok := b.(*namespace)
		return ok && a == other
	}
	return false
}

// less orders numbers, strings and lists.
func (e *evaluator) less(line int, a, b any) bool {
	e.step(line)
	defer e.deeper(line)()
	x, ok := number(a)
	y, both := number(b)
	if ok && both {
		return x < y
	}
	if s, ok := a.(string); ok {
		if other, ok := b.(string); ok {
			return s < other
		}
	}
	l, ok := a.(*list)
	other, both := b.(*list)
	if !ok || !both {
		fail(line, "cannot order %s and %s", typeName(a), typeName(b))
	}
	for i := range min(len(l.items), len(other.items)) {
		if !e.equal(l.items[i], other.items[i]) {
			return e.less(line, l.items[i], other.items[i])
		}
	}
	return len(l.items) < len(other.items)
}
