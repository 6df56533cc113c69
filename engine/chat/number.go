package chat

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"quire/engine/chat/big"
)

// small gives the int64 of an integer where that holds it.
func small(n *big.Int) any {
	if n.IsInt64() {
		return n.Int64()
	}
	return n
}

// whole gives the integer of a float without a fraction.
func whole(x float64) any {
	if math.Abs(x) < 1<<62 {
		return int64(x)
	}
	return small(big.FromFloat(x))
}

// integer gives a value's integer, if int64 holds it; booleans count as in Python.
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

// large gives a value's integer of any size.
func large(v any) (*big.Int, bool) {
	if n, ok := v.(*big.Int); ok {
		return n, true
	}
	i, ok := integer(v)
	return big.New(i), ok
}

// number gives a value's number, infinite where a float cannot hold it.
func number(v any) (x float64, ok bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case *big.Int:
		return v.Float64(), true
	}
	i, ok := integer(v)
	return float64(i), ok
}

// finite is number, for a place where an integer that no float holds is an error.
func finite(line int, v any) (float64, bool) {
	x, ok := number(v)
	if _, isBig := v.(*big.Int); isBig && math.IsInf(x, 0) {
		fail(line, "an integer is too large for a float")
	}
	return x, ok
}

// compareNumbers orders two numbers exactly; ordered is false for what is no number, or NaN.
func compareNumbers(a, b any) (order int, ordered bool) {
	x, xFloat := a.(float64)
	y, yFloat := b.(float64)
	switch {
	case xFloat && math.IsNaN(x) || yFloat && math.IsNaN(y):
		return 0, false
	case xFloat && yFloat:
		return cmp.Compare(x, y), true
	case xFloat:
		n, ok := large(b)
		return -compareFloat(n, x), ok
	case yFloat:
		n, ok := large(a)
		return compareFloat(n, y), ok
	}
	p, ok := large(a)
	q, both := large(b)
	return p.Cmp(q), ok && both
}

// compareFloat orders an integer and a float.
func compareFloat(n *big.Int, x float64) int {
	if math.IsInf(x, 0) {
		return cmp.Compare(0, x)
	}
	if order := n.Cmp(big.FromFloat(x)); order != 0 {
		return order
	}
	return cmp.Compare(math.Trunc(x), x)
}

// parseInteger reads what Python's int(text, base) reads.
func parseInteger(s string, base int) (any, bool) {
	s = strings.TrimFunc(s, isSpace)
	sign := ""
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign, s = s[:1], s[1:]
	}
	s = plainDigits(s)
	prefixed := false
	if len(s) > 2 && s[0] == '0' {
		if of := map[byte]int{'x': 16, 'o': 8, 'b': 2}[s[1]|0x20]; of != 0 && (base == of || base == 0) {
			s, base, prefixed = s[2:], of, true
		}
	}
	if base == 0 {
		base = 10
		if s != "" && s[0] == '0' && strings.Trim(s, "0_") != "" {
			return nil, false
		}
	}
	if prefixed {
		s = strings.TrimPrefix(s, "_")
	}
	if !underscored(s) {
		return nil, false
	}
	s = strings.ReplaceAll(s, "_", "")
	if s == "" || s[0] == '-' || s[0] == '+' || base < 2 || base > 36 {
		return nil, false
	}
	if len(s) > maxDigits {
		return nil, false
	}
	n, ok := big.Parse(sign+s, base)
	if !ok {
		return nil, false
	}
	return small(n), true
}

// underscored tells whether underscores stand only between other characters.
func underscored(s string) bool {
	return !strings.HasPrefix(s, "_") && !strings.HasSuffix(s, "_") && !strings.Contains(s, "__")
}

// plainDigits writes the digits of all scripts as ASCII's.
func plainDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if d, ok := digitValue(r); ok {
			return '0' + d
		}
		return r
	}, s)
}

// parseFloat reads what Python's float(text) reads.
func parseFloat(s string) (float64, bool) {
	s = plainDigits(strings.ToLower(strings.TrimFunc(s, isSpace)))
	bare := strings.TrimLeft(s, "+-")
	if len(s)-len(bare) > 1 {
		return 0, false
	}
	switch bare {
	case "inf", "infinity", "nan":
	default:
		for i := range len(bare) {
			c := bare[i]
			if c == '_' && (i == 0 || i == len(bare)-1 || !isDigit(bare[i-1]) || !isDigit(bare[i+1])) || !isDigit(c) && strings.IndexByte("._e+-", c) < 0 {
				return 0, false
			}
		}
		s = strings.ReplaceAll(s, "_", "")
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil || math.IsInf(x, 0)
}

// floatText is Python's repr of a float.
func floatText(x float64) string {
	switch {
	case math.IsNaN(x):
		return "nan"
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	}
	if a := math.Abs(x); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.FormatFloat(x, 'e', -1, 64)
	}
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if strings.IndexByte(s, '.') < 0 {
		s += ".0"
	}
	return s
}

// maxDigits is what Python reads and writes of an integer at most.
const maxDigits = 4300

func integerText(e *evaluator, line int, n *big.Int, base int) string {
	bits := n.BitLen()
	if base&(base-1) == 0 {
		e.cost(line, bits>>6)
		return n.Text(base)
	}
	const most = maxDigits*107/32 + 1 // more bits than so many digits can have
	if bits <= most {
		e.cost(line, work(bits, bits))
		if s := n.Text(base); len(strings.TrimPrefix(s, "-")) <= maxDigits {
			return s
		}
	}
	fail(line, "an integer has more than %d digits", maxDigits)
	return ""
}

// work is what a product or quotient of integers of so many bits costs.
func work(a, b int) int { return a * b >> 16 }
