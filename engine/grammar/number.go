package grammar

import (
	"strconv"
	"strings"
)

// number is a decimal number: digits without zeros at either end, times 10 to the exponent. Zero has no digits.
type number struct {
	negative bool
	digits   string
	exponent int
}

// readNumber reads a number of JSON.
func readNumber(text string) number {
	var n number
	if strings.HasPrefix(text, "-") {
		n.negative, text = true, text[1:]
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		e, _ := strconv.Atoi(strings.TrimPrefix(text[i+1:], "+")) // what is too large comes back as the largest there is
		e = max(min(e, 1<<24), -1<<24)
		n.exponent, text = e, text[:i]
	}
	whole, fraction, _ := strings.Cut(text, ".")
	n.exponent -= len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	n.digits = strings.TrimRight(digits, "0")
	n.exponent += len(digits) - len(n.digits)
	if n.digits == "" {
		return number{}
	}
	return n
}

func (n number) zero() bool  { return n.digits == "" }
func (n number) whole() bool { return n.exponent >= 0 }

// appendKey writes equal numbers alike.
func (n *number) appendKey(to []byte) []byte {
	if n.negative {
		to = append(to, '-')
	}
	to = append(append(to, n.digits...), 'e')
	return strconv.AppendInt(to, int64(n.exponent), 10)
}

// long tells whether a number is too long to be written out.
func (n number) long() bool { return len(n.digits)+abs(n.exponent) > 400 }

// parts gives the digits before and behind the point.
func (n number) parts() (whole, fraction string) {
	switch {
	case n.zero():
		return "0", ""
	case n.exponent >= 0:
		return n.digits + strings.Repeat("0", n.exponent), ""
	case len(n.digits)+n.exponent <= 0:
		return "0", strings.Repeat("0", -len(n.digits)-n.exponent) + n.digits
	}
	point := len(n.digits) + n.exponent
	return n.digits[:point], n.digits[point:]
}

// compare is negative, 0 or positive as n is below, equal to, or above m.
func (n number) compare(m number) int {
	if n.negative != m.negative {
		if n.negative {
			return -1
		}
		return 1
	}
	sign := 1
	if n.negative {
		sign = -1
	}
	a, b := len(n.digits)+n.exponent, len(m.digits)+m.exponent
	switch {
	case n.zero() || m.zero():
		return sign * (len(n.digits) - len(m.digits))
	case a != b:
		return sign * (a - b)
	}
	return sign * strings.Compare(n.digits, m.digits)
}

// Texts of numbers without an exponent.
var (
	digit     = shared(class(asciiDigit))
	nonZero   = shared(class(newSet(span{'1', '9'})))
	anyDigits = shared(repeat(digit, 0, unbounded))
	someDigit = shared(repeat(digit, 1, unbounded))
	wholePart = shared(choice(literal("0"), sequence(nonZero, anyDigits)))
	fraction  = shared(optional(sequence(literal("."), someDigit)))
)

// anyNumber is a number as JSON spells it. Its exponent has at most two digits.
var anyNumber = shared(sequence(optional(literal("-")), wholePart, fraction,
	optional(sequence(class(newSet(spanOf('E'), spanOf('e'))), optional(class(newSet(spanOf('+'), spanOf('-')))), repeat(digit, 1, 2)))))

func digitsBetween(lo, hi byte) *expr {
	if lo > hi {
		return never
	}
	return class(newSet(span{rune(lo), rune(hi)}))
}

// atLeast is the texts of numbers without a sign that are m or more, or above m.
func (m number) atLeast(above bool) *expr {
	whole, part := m.parts()
	list := []*expr{sequence(nonZero, repeat(digit, len(whole), len(whole)), anyDigits, fraction)}
	for i := range len(whole) {
		if i == 0 && len(whole) > 1 || whole != "0" || i > 0 {
			list = append(list, sequence(literal(whole[:i]), digitsBetween(whole[i]+1, '9'), repeat(digit, len(whole)-i-1, len(whole)-i-1), fraction))
		}
	}
	if whole == "0" {
		list[0] = sequence(nonZero, anyDigits, fraction)
	}
	var tails []*expr // behind whole
	for i := range len(part) {
		tails = append(tails, sequence(literal("."+part[:i]), digitsBetween(part[i]+1, '9'), anyDigits))
	}
	equal := literal("." + part)
	if part == "" {
		equal = literal(".")
	}
	switch {
	case above:
		tails = append(tails, sequence(equal, anyDigits, nonZero, anyDigits))
	case part == "":
		tails = append(tails, nothing, sequence(equal, someDigit))
	default:
		tails = append(tails, sequence(equal, anyDigits))
	}
	return choice(append(list, sequence(literal(whole), choice(tails...)))...)
}

// atMost is the texts of numbers without a sign that are m or less, or below m.
func (m number) atMost(below bool) *expr {
	whole, part := m.parts()
	var list []*expr
	if len(whole) > 1 {
		list = append(list, sequence(wholeOfLength(1, len(whole)-1), fraction))
	}
	for i := range len(whole) {
		low := byte('0')
		if i == 0 && len(whole) > 1 {
			low = '1'
		}
		if whole[i] > low {
			list = append(list, sequence(literal(whole[:i]), digitsBetween(low, whole[i]-1), repeat(digit, len(whole)-i-1, len(whole)-i-1), fraction))
		}
	}
	zeros := repeat(literal("0"), 0, unbounded)
	var tails []*expr
	if part != "" || !below {
		tails = append(tails, nothing)
	}
	for i := range len(part) {
		if part[i] > '0' {
			tails = append(tails, sequence(literal("."+part[:i]), digitsBetween('0', part[i]-1), anyDigits))
		}
		if i > 0 {
			tails = append(tails, literal("."+part[:i])) // shorter, and so less
		}
	}
	switch {
	case below:
	case part == "":
		tails = append(tails, sequence(literal(".0"), zeros))
	default:
		tails = append(tails, sequence(literal("."+part), zeros))
	}
	return choice(append(list, sequence(literal(whole), choice(tails...)))...)
}

func wholeOfLength(low, high int) *expr {
	return choice(literal("0"), sequence(nonZero, repeat(digit, low-1, high-1)))
}

// from is the texts of numbers that are m or more, or above m.
func (m number) from(above bool) *expr {
	if m.negative {
		positive := m
		positive.negative = false
		return choice(sequence(wholePart, fraction), sequence(literal("-"), positive.atMost(above)))
	}
	if m.zero() && !above {
		return choice(sequence(wholePart, fraction), sequence(literal("-"), m.atMost(false)))
	}
	return m.atLeast(above)
}

// to is the texts of numbers that are m or less, or below m.
func (m number) to(below bool) *expr {
	if m.negative || m.zero() && below {
		positive := m
		positive.negative = false
		return sequence(literal("-"), positive.atLeast(below))
	}
	return choice(sequence(optional(literal("-")), m.atMost(below)), sequence(literal("-"), wholePart, fraction))
}

// equal is the texts of a number.
func (m number) equal() *expr {
	whole, part := m.parts()
	zeros := repeat(literal("0"), 0, unbounded)
	e := sequence(literal(whole), literal("."+part), zeros)
	if part == "" {
		e = sequence(literal(whole), optional(sequence(literal(".0"), zeros)))
	}
	switch {
	case m.zero():
		return sequence(optional(literal("-")), e)
	case m.negative:
		return sequence(literal("-"), e)
	}
	return e
}

// multiples is the texts of a number's multiples, as an automaton of remainders: of digits up to the place of m's last
// digit, then zeros.
func (m number) multiples(where string, limits *budget) *dfa {
	places := max(-m.exponent, 0)
	divisor := 0
	for _, c := range m.digits + strings.Repeat("0", max(m.exponent, 0)) {
		if divisor = divisor*10 + int(c-'0'); divisor*(places+1) > limits.Deterministic {
			fail(where, "a multiple of it would need more than %d states", limits.Deterministic)
		}
	}
	var cut [257]bool
	for b := '-'; b <= '9'+1; b++ {
		cut[b] = true
	}
	d := &dfa{alphabet: newAlphabet(&cut), limits: limits, name: where}
	start, sign, dead := d.add(), d.add(), d.add()
	_ = dead
	at := func(place, remainder int) int32 { return int32(3 + place*divisor + remainder) }
	zeroStart := 3 + (places+1)*divisor // behind a first 0
	for range (places+1)*divisor + 2 {
		d.add()
	}
	zeros := int32(zeroStart + 1) // behind all places, and nothing but zeros may come
	point := make([]int32, divisor)
	for r := range point {
		point[r] = d.add()
	}
	d.set(start, '-', sign)
	for _, from := range []int32{start, sign} {
		d.set(from, '0', int32(zeroStart))
		for c := 1; c < 10; c++ {
			d.set(from, '0'+byte(c), at(0, c%divisor))
		}
	}
	scale := func(r, left int) int {
		for range left {
			r = r * 10 % divisor
		}
		return r
	}
	for place := 0; place <= places; place++ {
		for r := range divisor {
			q := at(place, r)
			d.final[q] = scale(r, places-place) == 0
			for c := range 10 {
				switch {
				case place == 0:
					d.set(q, '0'+byte(c), at(0, (r*10+c)%divisor))
				case place < places:
					d.set(q, '0'+byte(c), at(place+1, (r*10+c)%divisor))
				}
			}
			if place == 0 {
				d.set(q, '.', point[r])
			} else if place == places && r == 0 {
				d.set(q, '0', zeros)
			}
		}
	}
	for r := range divisor {
		for c := range 10 {
			switch {
			case places > 0:
				d.set(point[r], '0'+byte(c), at(1, (r*10+c)%divisor))
			case r == 0 && c == 0:
				d.set(point[r], '0', zeros)
			}
		}
	}
	d.final[zeroStart], d.final[zeros] = true, true
	d.set(int32(zeroStart), '.', point[0])
	d.set(zeros, '0', zeros)
	return d
}

func decimal(n int) string { return strconv.Itoa(n) }
