package chat

import (
	"math"
	"strings"

	"quire/engine/chat/big"
)

var zero = big.New(0)

func (n attributeNode) eval(e *evaluator, s *scope) any {
	return e.attribute(n.line, e.eval(n.value, s), n.name)
}

// attribute gives v.name: a method, or what a dict holds under the name.
func (e *evaluator) attribute(line int, v any, name string) any {
	held, ok := e.own(v, name)
	if u, missing := v.(undefined); missing && !ok {
		fail(line, "%q is undefined: it has no %q", u.name, name)
	}
	if ok {
		return held
	}
	if d, ok := v.(*dict); ok {
		if held, ok := d.get(name); ok {
			return held
		}
	}
	return undefined{name}
}

// own gives what a value itself has under a name, whatever it holds. What would change a list or dict, or lead into the
// interpreter, is there and undefined.
func (e *evaluator) own(v any, name string) (any, bool) {
	if strings.HasPrefix(name, "__") && strings.HasSuffix(name, "__") {
		return undefined{name}, true
	}
	switch v := v.(type) {
	case *namespace:
		return v.vars.get(name)
	case *loop:
		return v.attribute(name)
	case *macro:
		return v.attribute(name)
	case *cycler:
		return v.attribute(name)
	case *joiner:
		return v.attribute(name)
	case *span:
		return v.attribute(name)
	case *function:
		if v == globals["dict"] && name == "fromkeys" {
			return &function{name, fromKeys}, true
		}
		return nil, false
	case *dict:
		return dictAttribute(v, name)
	case *list:
		return listAttribute(v, name)
	case string, markup:
		return textAttribute(v, name)
	case float64, bool, int64, *big.Int:
		return numberAttribute(v, name)
	}
	return nil, false
}

func (n indexNode) eval(e *evaluator, s *scope) any {
	v := e.eval(n.value, s)
	return e.item(n.line, v, e.eval(n.index, s))
}

// item gives v[index]: what a list or dict holds, or else a method.
func (e *evaluator) item(line int, v, index any) any {
	if u, ok := v.(undefined); ok {
		fail(line, "%q is undefined: it has no items", u.name)
	}
	if held, ok := e.held(line, v, index); ok {
		return held
	}
	if name, ok := textOf(index); ok {
		if held, ok := e.own(v, name); ok {
			return held
		}
		return undefined{name}
	}
	return undefined{"an item that is not there"}
}

func (e *evaluator) held(line int, v, index any) (any, bool) {
	if d, ok := v.(*dict); ok {
		return d.get(index)
	}
	i, ok := integer(index)
	if !ok {
		return nil, false
	}
	n, _ := length(v)
	if i < 0 {
		i += n
	}
	if i < 0 || i >= n {
		return nil, false
	}
	switch v := v.(type) {
	case *list:
		return v.items[i], true
	case *span:
		return v.at(i), true
	}
	if s, ok := textOf(v); ok {
		e.cost(line, len(s)>>4)
		return like(v, string([]rune(s)[i])), true
	}
	return nil, false
}

func (n sliceNode) eval(e *evaluator, s *scope) any {
	v := e.eval(n.value, s)
	if u, ok := v.(undefined); ok {
		fail(n.line, "%q is undefined: it has no items", u.name)
	}
	var bounds [3]any
	for i, x := range [...]expression{n.start, n.stop, n.step} {
		if x != nil {
			bounds[i] = e.eval(x, s)
		}
		if _, ok := large(bounds[i]); !ok && bounds[i] != nil {
			fail(n.line, "a slice needs integers, not %s", describe(bounds[i]))
		}
	}
	switch v := v.(type) {
	case *list:
		places := e.places(n.line, bounds, len(v.items))
		out := &list{tuple: v.tuple}
		for _, i := range places {
			out.items = append(out.items, v.items[i])
		}
		return out
	case *span:
		return v.slice(n.line, bounds)
	}
	text, ok := textOf(v)
	if !ok {
		fail(n.line, "%s cannot be sliced", typeName(v))
	}
	runes := []rune(text)
	var out strings.Builder
	for _, i := range e.places(n.line, bounds, len(runes)) {
		out.WriteRune(runes[i])
	}
	return like(v, out.String())
}

// places gives the indices that a slice takes out of n items.
func (e *evaluator) places(line int, bounds [3]any, n int) []int {
	e.cost(line, n>>4)
	start, stop, step := sliceOf(line, bounds, int64(n))
	var out []int
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		out = append(out, int(i))
	}
	return out
}

// sliceOf gives where a slice of n items begins and ends, and its step, which is not larger than n.
func sliceOf(line int, bounds [3]any, n int64) (start, stop, step int64) {
	bound := func(v any, absent int64) int64 {
		i, ok := large(v)
		switch {
		case v == nil || !ok:
			return absent
		case !i.IsInt64() || i.Int64() == math.MinInt64:
			return int64(i.Sign()) * math.MaxInt64
		}
		return i.Int64()
	}
	step = bound(bounds[2], 1)
	if step == 0 {
		fail(line, "the step of a slice is 0")
	}
	step = min(max(step, -n-1), n+1)
	low, high := int64(0), n
	first, last := low, high
	if step < 0 {
		low, high = -1, n-1
		first, last = high, low
	}
	clamp := func(v any, absent int64) int64 {
		if v == nil {
			return absent
		}
		i := bound(v, absent)
		if i < 0 {
			i += n
		}
		return min(max(i, low), high)
	}
	return clamp(bounds[0], first), clamp(bounds[1], last), step
}
