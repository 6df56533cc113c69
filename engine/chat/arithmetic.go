package chat

import (
	"math"
	"slices"
	"strings"

	"quire/engine/chat/big"
)

// arithmetic computes as Python does.
func (e *evaluator) arithmetic(line int, op string, left, right any) any {
	if _, ok := textOf(left); ok && op == "%" {
		return e.percent(line, left, right)
	}
	for _, v := range [...]any{left, right} {
		if u, ok := v.(undefined); ok {
			fail(line, "%q is undefined", u.name)
		}
	}
	if s, ok := textOf(left); ok {
		switch op {
		case "+":
			if t, ok := textOf(right); ok {
				return e.concat(line, left, right, s, t)
			}
		case "*":
			if n, ok := large(right); ok {
				return like(left, e.repeatText(line, s, n))
			}
		}
	}
	if a, ok := left.(*list); ok {
		if b, ok := right.(*list); ok && op == "+" && a.tuple == b.tuple {
			e.fitsItems(line, len(a.items)+len(b.items))
			e.cost(line, len(a.items)+len(b.items))
			return &list{items: slices.Concat(a.items, b.items), tuple: a.tuple}
		}
		if n, ok := large(right); ok && op == "*" {
			return e.repeatList(line, a, n)
		}
	}
	if n, ok := large(left); ok && op == "*" {
		if s, ok := textOf(right); ok {
			return like(right, e.repeatText(line, s, n))
		}
		if b, ok := right.(*list); ok {
			return e.repeatList(line, b, n)
		}
	}
	if i, ok := large(left); ok {
		if j, ok := large(right); ok {
			return e.integers(line, op, left, right, i, j)
		}
	}
	_, ok := number(left)
	_, both := number(right)
	if !ok || !both {
		fail(line, "%s %s %s is not possible", typeName(left), op, typeName(right))
	}
	x, _ := finite(line, left)
	y, _ := finite(line, right)
	return floats(line, op, x, y)
}

// concat joins two texts; next to safe text the other is escaped.
func (e *evaluator) concat(line int, left, right any, s, t string) any {
	_, safe := left.(markup)
	_, both := right.(markup)
	switch {
	case safe && !both:
		t = e.escape(line, t)
	case both && !safe:
		s = e.escape(line, s)
	}
	joined := e.join(line, s, t)
	if safe || both {
		return markup(joined)
	}
	return joined
}

func (e *evaluator) join(line int, a, b string) string {
	e.fits(line, len(a)+len(b))
	e.cost(line, (len(a)+len(b))>>6)
	return a + b
}

// times limits a factor to one more than may be.
func times(n *big.Int, most int) int {
	switch {
	case n.Sign() <= 0:
		return 0
	case n.IsInt64() && n.Int64() <= int64(most):
		return int(n.Int64())
	}
	return most + 1
}

func (e *evaluator) repeat(line int, text string, n *big.Int) string {
	count := times(n, e.limits.text)
	if text == "" || count == 0 {
		return ""
	}
	e.fits(line, len(text)*count)
	e.cost(line, len(text)*count>>6)
	return strings.Repeat(text, count)
}

func (e *evaluator) repeatText(line int, text string, n *big.Int) string {
	fitsIndex(line, n)
	return e.repeat(line, text, n)
}

// fitsIndex holds a factor to what Python takes for a length.
func fitsIndex(line int, n *big.Int) {
	if !n.IsInt64() {
		fail(line, "nothing is repeated %s times", n)
	}
}

func (e *evaluator) repeatList(line int, l *list, n *big.Int) *list {
	fitsIndex(line, n)
	count := times(n, e.limits.items)
	if len(l.items) == 0 || count == 0 {
		return &list{tuple: l.tuple}
	}
	e.fitsItems(line, len(l.items)*count)
	e.cost(line, len(l.items)*count)
	return &list{items: slices.Repeat(l.items, count), tuple: l.tuple}
}

// integers: division rounds down, and the sign of a remainder is the divisor's.
func (e *evaluator) integers(line int, op string, left, right any, i, j *big.Int) any {
	if j.Sign() == 0 && (op == "/" || op == "//" || op == "%") {
		fail(line, "division by zero")
	}
	if max(i.BitLen(), j.BitLen()) > 64 {
		e.cost(line, (i.BitLen()+j.BitLen())>>6+work(i.BitLen(), j.BitLen()))
	}
	var out *big.Int
	switch op {
	case "+":
		out = i.Add(j)
	case "-":
		out = i.Sub(j)
	case "*":
		out = i.Mul(j)
	case "/":
		if i.Sign() == 0 && j.Sign() < 0 {
			return math.Copysign(0, -1)
		}
		x := i.Quo(j)
		if math.IsInf(x, 0) {
			fail(line, "the result is too large for a float")
		}
		return x
	case "//", "%":
		quotient, rest := i.DivMod(j)
		out = quotient
		if op == "%" {
			out = rest
		}
	case "**":
		if j.Sign() < 0 {
			x, _ := finite(line, left)
			y, _ := finite(line, right)
			return floats(line, op, x, y)
		}
		if i.BitLen() > 1 && (!j.IsInt64() || j.Int64() > int64(e.limits.bits) || i.BitLen()*int(j.Int64()) > e.limits.bits) {
			fail(line, "an integer has more than %d bits", e.limits.bits)
		}
		power := j.Int64()
		if i.BitLen() <= 1 && j.BitLen() > 2 { // 0, 1 and -1: only whether the exponent is odd counts
			power = 2 + power&1
		}
		e.cost(line, i.BitLen()+work(i.BitLen()*int(power), i.BitLen()*int(power)))
		out = i.Exp(power)
	}
	if out.BitLen() > e.limits.bits {
		fail(line, "an integer has more than %d bits", e.limits.bits)
	}
	return small(out)
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
	case "//", "%":
		quotient, rest := divide(x, y)
		if op == "%" {
			return rest
		}
		return quotient
	}
	if x == 0 && y < 0 {
		fail(line, "division by zero")
	}
	power := pow(x, y)
	switch {
	case math.IsNaN(power) && !math.IsNaN(x) && !math.IsNaN(y):
		fail(line, "a power of a negative number is no real number")
	case math.IsInf(power, 0) && !math.IsInf(x, 0) && !math.IsInf(y, 0):
		fail(line, "the result is too large for a float")
	}
	return power
}

// pow is math.Pow, but exactly rounded for whole and half exponents, as other mathematics libraries are.
func pow(x, y float64) float64 {
	const most = 600
	if twice := 2 * y; x > 0 && !math.IsInf(x, 0) && twice == math.Trunc(twice) && math.Abs(y) < most {
		return big.Root(x, int(twice))
	}
	return math.Pow(x, y)
}

// divide gives the quotient, rounded down, and the rest, of the divisor's sign.
func divide(x, y float64) (quotient, rest float64) {
	rest = math.Mod(x, y)
	div := (x - rest) / y
	if rest != 0 {
		if (y < 0) != (rest < 0) {
			rest += y
			div--
		}
	} else {
		rest = math.Copysign(0, y)
	}
	if div == 0 {
		return math.Copysign(0, x/y), rest
	}
	quotient = math.Floor(div)
	if div-quotient > 0.5 {
		quotient++
	}
	return quotient, rest
}
