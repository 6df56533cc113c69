package chat

import (
	"math"
	"strings"
)

// percent fills the conversions of a text as Python's operator does. What goes into safe text is escaped.
func (e *evaluator) percent(line int, format, value any) any {
	s, _ := textOf(format)
	_, safe := format.(markup)
	p := &percentFormat{e: e, line: line, safe: safe, value: value, arguments: []any{value}}
	if l, ok := value.(*list); ok && l.tuple {
		p.arguments = l.items
	}
	return like(format, p.fill(s))
}

type percentFormat struct {
	e         *evaluator
	line      int
	safe      bool
	value     any // all arguments as one, which a name takes its from
	arguments []any
	used      int
	named     bool
}

func (p *percentFormat) next() any {
	if p.used >= len(p.arguments) {
		fail(p.line, "the format has more conversions than values")
	}
	p.used++
	return p.arguments[p.used-1]
}

func (p *percentFormat) fill(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		at := strings.IndexByte(s[i:], '%')
		if at < 0 {
			out.WriteString(s[i:])
			break
		}
		out.WriteString(s[i : i+at])
		text, n := p.conversion(s[i+at:])
		out.WriteString(text)
		p.e.step(p.line)
		p.e.fits(p.line, out.Len())
		i += at + n
	}
	if p.used < len(p.arguments) && !p.named && !subscripted(p.value) {
		fail(p.line, "the format has fewer conversions than values")
	}
	return out.String()
}

// subscripted tells what Python takes for a mapping here, of which not all need be used.
func subscripted(v any) bool {
	switch v := v.(type) {
	case *dict, *span, undefined:
		return true
	case *list:
		return !v.tuple
	}
	return false
}

// conversion fills the conversion that s starts with, and gives its length.
func (p *percentFormat) conversion(s string) (text string, n int) {
	i := 1
	peek := func() byte {
		if i >= len(s) {
			fail(p.line, "the format ends inside a conversion")
		}
		return s[i]
	}
	var v any
	given := false
	if peek() == '(' {
		end, depth := i, 0
		for ; end < len(s); end++ {
			if s[end] == '(' {
				depth++
			} else if s[end] == ')' {
				if depth--; depth == 0 {
					break
				}
			}
		}
		d, ok := p.value.(*dict)
		if end == len(s) || !ok {
			fail(p.line, "a format with names needs a dict")
		}
		if v, ok = d.get(s[i+1 : end]); !ok {
			fail(p.line, "the format has no value for %s", s[i+1:end])
		}
		given, p.named = true, true
		i = end + 1
	}
	spec := formatSpec{fill: ' ', sign: '-', precision: -1}
	left, zeros := false, false
flags:
	for ; ; i++ {
		switch peek() {
		case '-':
			left = true
		case '+':
			spec.sign = '+'
		case ' ':
			if spec.sign != '+' {
				spec.sign = ' '
			}
		case '#':
			spec.alternate = true
		case '0':
			zeros = true
		default:
			break flags
		}
	}
	number := func() int {
		if peek() == '*' {
			i++
			if p.safe {
				fail(p.line, "a format of safe text takes no width from its values")
			}
			return wantInteger(p.line, p.next(), "a width")
		}
		n := 0
		for ; isDigit(peek()); i++ {
			n = min(n*10+int(s[i]-'0'), 1<<40)
		}
		return n
	}
	if spec.width = number(); spec.width < 0 {
		left, spec.width = true, -spec.width
	}
	if peek() == '.' {
		i++
		spec.precision = max(number(), 0)
	}
	p.e.fits(p.line, max(spec.width, spec.precision))
	for strings.IndexByte("hlL", peek()) >= 0 {
		i++
	}
	spec.kind = peek()
	i++
	if spec.kind == '%' {
		if i > 2 {
			fail(p.line, "the conversion %s is not known", s[:i])
		}
		return "%", i
	}
	if !given {
		v = p.next()
	}
	spec.align = '>'
	if left {
		spec.align = '<'
	}
	return p.convert(spec, v, zeros && !left), i
}

func (p *percentFormat) convert(spec formatSpec, v any, zeros bool) string {
	switch spec.kind {
	case 's', 'r', 'a':
		text := ""
		switch {
		case spec.kind == 's':
			text = p.e.text(p.line, v)
		case spec.kind == 'r':
			text = p.e.reprOf(p.line, v)
		default:
			text = ascii(p.e.reprOf(p.line, v))
		}
		if _, isSafe := v.(markup); p.safe && (spec.kind != 's' || !isSafe) {
			text = p.e.escape(p.line, text)
		}
		if spec.precision >= 0 && spec.precision < runeCount(text) {
			text = string([]rune(text)[:spec.precision])
		}
		return spec.pad("", text, '>')
	case 'c', 'x', 'X', 'o':
		if p.safe {
			fail(p.line, "%%%c is not for safe text", spec.kind)
		}
	}
	if spec.kind == 'c' {
		text, isText := textOf(v)
		if n, ok := integer(v); ok && n >= 0 && n <= 0x10FFFF {
			text, isText = string(rune(n)), true
		}
		if !isText || runeCount(text) != 1 {
			fail(p.line, "%%c needs one character")
		}
		return spec.pad("", text, '>')
	}
	if zeros {
		spec.fill, spec.align = '0', '='
	}
	if strings.IndexByte("eEfFgG", spec.kind) >= 0 {
		x, ok := finite(p.line, v)
		if !ok {
			fail(p.line, "%%%c needs a number, not %s", spec.kind, describe(v))
		}
		if math.IsInf(x, 0) || math.IsNaN(x) {
			spec.fill = ' '
			if spec.align == '=' {
				spec.align = '>'
			}
		}
		return spec.float(p.e, p.line, x, func() {})
	}
	return p.integer(spec, v)
}

func (p *percentFormat) integer(spec formatSpec, v any) string {
	n, ok := large(v)
	if x, isFloat := v.(float64); isFloat && strings.IndexByte("diu", spec.kind) >= 0 && !math.IsInf(x, 0) && !math.IsNaN(x) {
		n, ok = large(whole(math.Trunc(x)))
	}
	if !ok {
		fail(p.line, "%%%c needs an integer, not %s", spec.kind, describe(v))
	}
	base := map[byte]int{'d': 10, 'i': 10, 'u': 10, 'o': 8, 'x': 16, 'X': 16}[spec.kind]
	if base == 0 {
		fail(p.line, "the conversion %%%c is not known", spec.kind)
	}
	digits := integerText(p.e, p.line, n.Abs(), base)
	if len(digits) < spec.precision {
		digits = strings.Repeat("0", spec.precision-len(digits)) + digits
	}
	prefix := spec.signOf(n.Sign() < 0)
	if spec.alternate && base != 10 {
		prefix += "0" + string(rune(spec.kind))
	}
	if spec.kind == 'X' {
		digits = strings.ToUpper(digits)
	}
	return spec.padNumber(prefix, digits, "", 3)
}
