package chat

import (
	"math"
	"strings"
	"unicode/utf8"
)

func (n literal) eval(*evaluator, *scope) any { return n.value }

func (n nameNode) eval(_ *evaluator, s *scope) any {
	if v, ok := s.lookup(n.name); ok {
		return v
	}
	if f, ok := globals[n.name]; ok {
		return f
	}
	return undefined{n.name}
}

func (n listNode) eval(e *evaluator, s *scope) any {
	l := &list{tuple: n.tuple}
	for _, item := range n.items {
		l.items = append(l.items, e.eval(item, s))
	}
	return l
}

func (n dictNode) eval(e *evaluator, s *scope) any {
	d := newDict()
	for i, key := range n.keys {
		if k := e.eval(key, s); !d.set(k, e.eval(n.values[i], s)) {
			fail(n.line, "%s cannot be a key", typeName(k))
		}
	}
	return d
}

func (n choiceNode) eval(e *evaluator, s *scope) any {
	if truth(e.eval(n.condition, s)) {
		return e.eval(n.then, s)
	}
	if n.else_ == nil {
		return undefined{"the value of an if without else"}
	}
	return e.eval(n.else_, s)
}

func (n unaryNode) eval(e *evaluator, s *scope) any {
	v := e.eval(n.value, s)
	if n.operator == "not" {
		return !truth(v)
	}
	sign := int64(1)
	if n.operator == "-" {
		sign = -1
	}
	if i, ok := integer(v); ok {
		return sign * i
	}
	x, ok := v.(float64)
	if !ok {
		fail(n.line, "%s has no sign", typeName(v))
	}
	return float64(sign) * x
}

func (n binaryNode) eval(e *evaluator, s *scope) any {
	left := e.eval(n.left, s)
	switch n.operator {
	case "and":
		if !truth(left) {
			return left
		}
		return e.eval(n.right, s)
	case "or":
		if truth(left) {
			return left
		}
		return e.eval(n.right, s)
	}
	right := e.eval(n.right, s)
	if n.operator == "~" {
		return e.join(n.line, e.text(n.line, left), e.text(n.line, right))
	}
	return e.arithmetic(n.line, n.operator, left, right)
}

func (e *evaluator) join(line int, a, b string) string {
	e.fits(line, len(a)+len(b))
	e.cost(line, (len(a)+len(b))>>6)
	return a + b
}

func (e *evaluator) arithmetic(line int, op string, left, right any) any {
	for _, v := range [...]any{left, right} {
		if u, ok := v.(undefined); ok {
			fail(line, "%q is undefined", u.name)
		}
	}
	switch a := left.(type) {
	case string:
		if b, ok := right.(string); ok && op == "+" {
			return e.join(line, a, b)
		}
		if n, ok := integer(right); ok && op == "*" {
			return e.repeat(line, a, n)
		}
	case *list:
		if b, ok := right.(*list); ok && op == "+" && a.tuple == b.tuple {
			e.fitsItems(line, len(a.items)+len(b.items))
			e.cost(line, len(a.items)+len(b.items))
			return &list{items: append(append([]any(nil), a.items...), b.items...), tuple: a.tuple}
		}
	}
	if b, ok := right.(string); ok && op == "*" {
		if n, ok := integer(left); ok {
			return e.repeat(line, b, n)
		}
	}
	i, ok := integer(left)
	j, both := integer(right)
	if ok && both && op != "/" && (op != "**" || j >= 0) {
		return integers(line, op, i, j)
	}
	x, ok := number(left)
	y, both := number(right)
	if !ok || !both {
		fail(line, "%s %s %s is not possible", typeName(left), op, typeName(right))
	}
	return floats(line, op, x, y)
}

func (e *evaluator) repeat(line int, text string, n int64) string {
	if n <= 0 || text == "" {
		return ""
	}
	if n > maxText {
		n = maxText + 1
	}
	e.fits(line, len(text)*int(n))
	e.cost(line, len(text)*int(n)>>6)
	return strings.Repeat(text, int(n))
}

// integers computes as Python does: division rounds down, and the sign of a remainder is the divisor's.
func integers(line int, op string, i, j int64) any {
	if j == 0 && (op == "//" || op == "%") {
		fail(line, "division by zero")
	}
	switch op {
	case "+":
		return i + j
	case "-":
		return i - j
	case "*":
		return i * j
	case "//":
		q := i / j
		if i%j != 0 && (i < 0) != (j < 0) {
			q--
		}
		return q
	case "%":
		r := i % j
		if r != 0 && (r < 0) != (j < 0) {
			r += j
		}
		return r
	}
	power := int64(1)
	for ; j > 0; j >>= 1 {
		if j&1 == 1 {
			power *= i
		}
		i *= i
	}
	return power
}

func floats(line int, op string, x, y float64) any {
	if y == 0 && (op == "/" || op == "//" || op == "%") {
		fail(line, "division by zero")
	}
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/":
		return x / y
	case "//":
		return math.Floor(x / y)
	case "%":
		return x - y*math.Floor(x/y)
	}
	return math.Pow(x, y)
}

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
		return e.equal(a, b)
	case "!=":
		return !e.equal(a, b)
	case "<":
		return e.less(line, a, b)
	case ">":
		return e.less(line, b, a)
	case "<=":
		return e.less(line, a, b) || e.equal(a, b)
	case ">=":
		return e.less(line, b, a) || e.equal(a, b)
	case "in":
		return e.contains(line, b, a)
	}
	return !e.contains(line, b, a)
}

func (e *evaluator) contains(line int, container, v any) bool {
	switch c := container.(type) {
	case string:
		part, ok := v.(string)
		if !ok {
			fail(line, "%s cannot be in a str", typeName(v))
		}
		e.cost(line, len(c)>>4)
		return strings.Contains(c, part)
	case *dict:
		_, ok := c.get(v)
		return ok
	}
	for _, item := range e.items(line, container) {
		if e.equal(item, v) {
			return true
		}
	}
	return false
}

func (a arguments) values(e *evaluator, s *scope) values {
	v := values{named: map[string]any{}}
	for i, x := range a.positional {
		value := e.eval(x, s)
		if a.spread[i] {
			v.positional = append(v.positional, e.items(0, value)...)
		} else {
			v.positional = append(v.positional, value)
		}
	}
	for i, name := range a.names {
		v.named[name] = e.eval(a.named[i], s)
	}
	return v
}

func (n *callExpression) eval(e *evaluator, s *scope) any {
	f := e.eval(n.function, s)
	return e.call(n.line, f, n.arguments.values(e, s))
}

func (n filterNode) eval(e *evaluator, s *scope) any { return e.apply(n, e.eval(n.value, s), s) }

func (e *evaluator) apply(n filterNode, value any, s *scope) any {
	return filters[n.name](e, n.line, value, n.arguments.values(e, s))
}

func (n testNode) eval(e *evaluator, s *scope) any {
	v := e.eval(n.value, s)
	return tests[n.name](e, n.line, v, n.arguments.values(e, s)) != n.negate
}

func length(v any) (int64, bool) {
	switch v := v.(type) {
	case undefined:
		return 0, true
	case string:
		return int64(utf8.RuneCountInString(v)), true
	case *list:
		return int64(len(v.items)), true
	case *dict:
		return int64(len(v.keys)), true
	}
	return 0, false
}
