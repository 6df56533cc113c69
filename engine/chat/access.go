package chat

func (n attributeNode) eval(e *evaluator, s *scope) any {
	return e.attribute(n.line, e.eval(n.value, s), n.name)
}

// attribute gives v.name: a dict's value, a namespace's, or a method.
func (e *evaluator) attribute(line int, v any, name string) any {
	switch v := v.(type) {
	case undefined:
		fail(line, "%q is undefined: it has no %q", v.name, name)
	case *namespace:
		if held, ok := v.vars[name]; ok {
			return held
		}
	case *loop:
		return v.attribute(name)
	case *dict:
		if m, ok := dictMethods[name]; ok {
			return bind(m, v)
		}
		if held, ok := v.get(name); ok {
			return held
		}
	case string:
		if m, ok := stringMethods[name]; ok {
			return bind(m, v)
		}
	case *list:
		if m, ok := listMethods[name]; ok {
			return bind(m, v)
		}
	}
	return undefined{name}
}

func (n indexNode) eval(e *evaluator, s *scope) any {
	v, index := e.eval(n.value, s), e.eval(n.index, s)
	if i, ok := integer(index); ok {
		switch v := v.(type) {
		case *list:
			if i < 0 {
				i += int64(len(v.items))
			}
			if i < 0 || i >= int64(len(v.items)) {
				return undefined{"the item at an index"}
			}
			return v.items[i]
		case string:
			runes := []rune(v)
			e.cost(n.line, len(v)>>4)
			if i < 0 {
				i += int64(len(runes))
			}
			if i < 0 || i >= int64(len(runes)) {
				return undefined{"the character at an index"}
			}
			return string(runes[i])
		}
	}
	if d, ok := v.(*dict); ok {
		if held, ok := d.get(index); ok {
			return held
		}
	}
	if name, ok := index.(string); ok {
		return e.attribute(n.line, v, name)
	}
	if u, ok := v.(undefined); ok {
		fail(n.line, "%q is undefined: it has no items", u.name)
	}
	return undefined{e.text(n.line, index)}
}

func (n sliceNode) eval(e *evaluator, s *scope) any {
	v := e.eval(n.value, s)
	bound := func(x expression) (int64, bool) {
		if x == nil {
			return 0, false
		}
		value := e.eval(x, s)
		i, ok := integer(value)
		if !ok && value != nil {
			fail(n.line, "a slice needs integers, not %s", typeName(value))
		}
		return i, ok
	}
	step, ok := bound(n.step)
	if !ok {
		step = 1
	}
	if step == 0 {
		fail(n.line, "the step of a slice is 0")
	}
	var length int64
	var runes []rune
	l, isList := v.(*list)
	if isList {
		length = int64(len(l.items))
	} else if text, ok := v.(string); ok {
		runes = []rune(text)
		length = int64(len(runes))
	} else {
		fail(n.line, "%s cannot be sliced", typeName(v))
	}
	first, last, low, high := int64(0), length, int64(0), length
	if step < 0 {
		first, last, low, high = length-1, -1, -1, length-1
	}
	clamp := func(x expression, absent int64) int64 {
		i, ok := bound(x)
		if !ok {
			return absent
		}
		if i < 0 {
			i += length
		}
		return min(max(i, low), high)
	}
	start, stop := clamp(n.start, first), clamp(n.stop, last)
	e.cost(n.line, int(length)>>4)
	out := &list{tuple: isList && l.tuple}
	var text []rune
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		if isList {
			out.items = append(out.items, l.items[i])
		} else {
			text = append(text, runes[i])
		}
		if step > length || -step > length {
			break
		}
	}
	if isList {
		return out
	}
	return string(text)
}
