package chat

import (
	"math"
	"strconv"
	"strings"

	"quire/engine/chat/big"
)

// formatSpec is how a value is written: Python's format specification.
type formatSpec struct {
	fill      rune
	align     byte // < > ^ =, or 0
	sign      byte // + - or space
	alternate bool
	zero      bool // no negative zero
	width     int
	group     string // what stands between groups of digits
	precision int    // -1: none
	kind      byte   // 0: none
}

func parseSpec(line int, text string) formatSpec {
	s := formatSpec{fill: ' ', precision: -1, sign: '-'}
	runes := []rune(text)
	at := 0
	peek := func() rune {
		if at < len(runes) {
			return runes[at]
		}
		return 0
	}
	take := func(set string) byte {
		if r := peek(); r != 0 && strings.ContainsRune(set, r) {
			at++
			return byte(r)
		}
		return 0
	}
	if len(runes) > 1 && strings.ContainsRune("<>^=", runes[1]) {
		s.fill, s.align = runes[0], byte(runes[1])
		at = 2
	} else {
		s.align = take("<>^=")
	}
	if sign := take("+- "); sign != 0 {
		s.sign = sign
	}
	s.zero = take("z") != 0
	s.alternate = take("#") != 0
	if filled := len(runes) > 1 && at > 1 && strings.ContainsRune("<>^=", runes[1]); take("0") != 0 && !filled {
		s.fill = '0'
		if s.align == 0 {
			s.align = '='
		}
	}
	digits := func() (n int, any bool) {
		for r := peek(); '0' <= r && r <= '9'; r = peek() {
			n, any = min(n*10+int(r-'0'), 1<<40), true
			at++
		}
		return n, any
	}
	s.width, _ = digits()
	if group := take(",_"); group != 0 {
		s.group = string(rune(group))
	}
	if take(".") != 0 {
		n, any := digits()
		if !any {
			fail(line, "the format %q lacks its precision", text)
		}
		s.precision = n
	}
	if r := peek(); r != 0 && r < 0x80 {
		s.kind = byte(r)
		at++
	}
	if at < len(runes) {
		fail(line, "the format %q is not known", text)
	}
	return s
}

// formatValue is Python's format(v, text).
func (e *evaluator) formatValue(line int, v any, text string) string {
	if text == "" {
		return e.text(line, v)
	}
	s := parseSpec(line, text)
	e.fits(line, s.width)
	unknown := func() { fail(line, "the format %q is not for %s", text, describe(v)) }
	if t, ok := textOf(v); ok {
		if s.kind != 0 && s.kind != 's' || s.align == '=' && s.fill != '0' || s.sign != '-' || s.group != "" || s.alternate || s.zero {
			unknown()
		}
		if s.precision >= 0 && s.precision < runeCount(t) {
			t = string([]rune(t)[:s.precision])
		}
		if s.align == '=' {
			s.align = '<'
		}
		return s.pad("", t, '<')
	}
	if x, ok := v.(float64); ok {
		return s.float(e, line, x, unknown)
	}
	n, ok := large(v)
	if !ok {
		unknown()
	}
	if strings.IndexByte("eEfFgG%", s.kind) >= 0 && s.kind != 0 {
		x, _ := finite(line, n)
		return s.float(e, line, x, unknown)
	}
	return s.integer(e, line, n, unknown)
}

func (s formatSpec) integer(e *evaluator, line int, n *big.Int, unknown func()) string {
	base := map[byte]int{0: 10, 'd': 10, 'n': 10, 'b': 2, 'o': 8, 'x': 16, 'X': 16, 'c': 0}
	radix, known := base[s.kind]
	if !known || s.precision >= 0 || s.zero || s.group == "," && radix != 10 || s.group != "" && strings.IndexByte("nc", s.kind) >= 0 && s.kind != 0 {
		unknown()
	}
	if s.kind == 'c' {
		if s.sign != '-' || s.alternate || !n.IsInt64() || n.Int64() < 0 || n.Int64() > 0x10FFFF {
			unknown()
		}
		return s.pad("", string(rune(n.Int64())), '>')
	}
	digits := integerText(e, line, n.Abs(), radix)
	prefix := s.signOf(n.Sign() < 0)
	if s.alternate && radix != 10 {
		prefix += "0" + string(rune(s.kind))
	}
	if s.kind == 'X' {
		digits = strings.ToUpper(digits)
	}
	size := 3
	if radix != 10 {
		size = 4
	}
	return s.padNumber(prefix, digits, "", size)
}

func (s formatSpec) signOf(negative bool) string {
	switch {
	case negative:
		return "-"
	case s.sign != '-':
		return string(rune(s.sign))
	}
	return ""
}

func (s formatSpec) float(e *evaluator, line int, x float64, unknown func()) string {
	e.fits(line, s.precision)
	kind, precision := s.kind, s.precision
	percent := ""
	switch kind {
	case '%':
		x, kind, percent = x*100, 'f', "%"
	case 'n':
		kind = 'g'
	case 0, 'e', 'E', 'f', 'F', 'g', 'G':
	default:
		unknown()
	}
	if kind == 'n' && s.group != "" {
		unknown()
	}
	var text string
	switch {
	case kind == 0 && precision < 0:
		text = floatText(math.Abs(x))
	case kind == 0:
		text = generalFloat(math.Abs(x), precision, s.alternate, true)
	default:
		if precision < 0 {
			precision = 6
		}
		text = floatOf(math.Abs(x), kind, precision, s.alternate)
	}
	negative := math.Signbit(x) && !math.IsNaN(x)
	if s.zero && strings.Trim(text, "0.e+-") == "" {
		negative = false
	}
	whole, rest := text, ""
	if at := strings.IndexAny(text, ".eE"); at >= 0 {
		whole, rest = text[:at], text[at:]
	}
	if !isDigit(whole[0]) {
		s.group = ""
	}
	return s.padNumber(s.signOf(negative), whole, rest+percent, 3)
}

// floatOf writes a float as C's printf does.
func floatOf(x float64, kind byte, precision int, alternate bool) string {
	var text string
	switch kind | 0x20 {
	case 'g':
		text = generalFloat(x, precision, alternate, false)
	default:
		text = strconv.FormatFloat(x, kind|0x20, precision, 64)
		if alternate && precision == 0 && !math.IsInf(x, 0) && !math.IsNaN(x) {
			mantissa, exponent, found := strings.Cut(text, "e")
			text = mantissa + "."
			if found {
				text += "e" + exponent
			}
		}
	}
	text = strings.ToLower(strings.TrimPrefix(text, "+"))
	if kind < 'a' {
		text = strings.ToUpper(text)
	}
	return text
}

// generalFloat is the form g: the shorter of plain and with an exponent, without zeros at its end. Where a fraction must show, the
// plain form ends at one digit less.
func generalFloat(x float64, precision int, alternate, fraction bool) string {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(x, 'g', -1, 64), "+"))
	}
	precision = max(precision, 1)
	scientific := strconv.FormatFloat(x, 'e', precision-1, 64)
	mantissa, power, _ := strings.Cut(scientific, "e")
	exponent, _ := strconv.Atoi(power)
	limit := precision
	if fraction {
		limit--
	}
	trim := func(s string) string {
		if alternate || !strings.Contains(s, ".") {
			return s
		}
		return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	}
	if exponent < -4 || exponent >= limit && (x != 0 || !fraction) {
		if mantissa = trim(mantissa); alternate && !strings.Contains(mantissa, ".") {
			mantissa += "."
		}
		return mantissa + "e" + power
	}
	text := trim(strconv.FormatFloat(x, 'f', max(precision-1-exponent, 0), 64))
	if alternate && !strings.Contains(text, ".") {
		text += "."
	}
	if fraction && !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
