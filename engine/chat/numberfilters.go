package chat

import (
	"fmt"
	"math"
	"strconv"

	"quire/engine/chat/big"
)

func absolute(e *evaluator, line int, v any, _ []any) any {
	if x, ok := v.(float64); ok {
		return math.Abs(x)
	}
	n, ok := large(v)
	if !ok {
		fail(line, "%s has no absolute value", describe(v))
	}
	return small(n.Abs())
}

// round rounds as Python does: to the even of two that are equally near. Integers stay integers.
func round(e *evaluator, line int, v any, a []any) any {
	method := wantText(line, or(a[1], "common"), "method")
	precision := or(a[0], int64(0))
	x, isFloat := v.(float64)
	n, isInt := large(v)
	if !isFloat && !isInt {
		fail(line, "round needs a number, not %s", describe(v))
	}
	switch method {
	case "common":
		places := wantInteger(line, precision, "precision")
		if isFloat {
			return roundFloat(x, places)
		}
		return small(e.roundInteger(line, n, places))
	case "ceil", "floor":
	default:
		fail(line, "the method of round must be common, ceil or floor")
	}
	scale := e.arithmetic(line, "**", int64(10), precision)
	scaled := e.arithmetic(line, "*", v, scale)
	if y, ok := scaled.(float64); ok {
		if math.IsInf(y, 0) || math.IsNaN(y) {
			fail(line, "%s cannot be rounded", floatText(y))
		}
		if method == "ceil" {
			scaled = whole(math.Ceil(y))
		} else {
			scaled = whole(math.Floor(y))
		}
	}
	return e.arithmetic(line, "/", scaled, scale)
}

func roundFloat(x float64, places int) float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) || x == 0 || places > 400 {
		return x
	}
	if places >= 0 {
		y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', places, 64), 64)
		return y
	}
	digits := places + 1 + int(math.Floor(math.Log10(math.Abs(x))))
	if digits >= 1 {
		y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'e', digits-1, 64), 64)
		return y
	}
	unit := math.Pow(10, float64(-places))
	if math.Abs(x) > unit/2 {
		return math.Copysign(unit, x)
	}
	return math.Copysign(0, x)
}

func (e *evaluator) roundInteger(line int, n *big.Int, places int) *big.Int {
	if places >= 0 {
		return n
	}
	if -places > n.BitLen() {
		return zero
	}
	unit, _ := large(e.arithmetic(line, "**", int64(10), int64(-places)))
	quotient, rest := n.DivMod(unit)
	if order := rest.Add(rest).Cmp(unit); order > 0 || order == 0 && quotient.Odd() {
		quotient = quotient.Add(big.New(1))
	}
	return quotient.Mul(unit)
}

func toInt(_ *evaluator, line int, v any, a []any) any {
	absent := or(a[0], int64(0))
	text, isText := textOf(v)
	if isText {
		if n, ok := parseInteger(text, wantInteger(line, or(a[1], int64(10)), "base")); ok {
			return n
		}
		x, ok := parseFloat(text)
		if !ok || math.IsInf(x, 0) || math.IsNaN(x) {
			return absent
		}
		return whole(math.Trunc(x))
	}
	if n, ok := large(v); ok {
		return small(n)
	}
	if _, ok := v.(undefined); ok {
		fail(line, "%s is no number", describe(v))
	}
	x, ok := v.(float64)
	switch {
	case math.IsInf(x, 0):
		fail(line, "infinity is no integer")
	case !ok || math.IsNaN(x):
		return absent
	}
	return whole(math.Trunc(x))
}

func toFloat(_ *evaluator, line int, v any, a []any) any {
	if text, ok := textOf(v); ok {
		if x, ok := parseFloat(text); ok {
			return x
		}
		return or(a[0], 0.0)
	}
	if x, ok := finite(line, v); ok {
		return x
	}
	if _, ok := v.(undefined); ok {
		fail(line, "%s is no number", describe(v))
	}
	return or(a[0], 0.0)
}

// fileSize writes a number of bytes in the unit that suits it.
func fileSize(_ *evaluator, line int, v any, a []any) any {
	x, ok := finite(line, v)
	if text, isText := textOf(v); isText {
		x, ok = parseFloat(text)
	}
	if !ok {
		fail(line, "filesizeformat needs a number, not %s", describe(v))
	}
	base, letter := 1000.0, "B"
	units := "kMGTPEZY"
	if truth(or(a[0], false)) {
		base, letter, units = 1024, "iB", "KMGTPEZY"
	}
	switch {
	case x == 1:
		return "1 Byte"
	case x < base:
		return fmt.Sprintf("%.0f Bytes", math.Trunc(x)+0) // never -0
	}
	unit := base
	for i, name := range units {
		if unit *= base; x < unit || i == len(units)-1 {
			return strconv.FormatFloat(base*x/unit, 'f', 1, 64) + " " + string(name) + letter
		}
	}
	return ""
}
