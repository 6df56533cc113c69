// Package big has integers of any size, as far as templates need them: math/big would be 230 kB more for a page to wait for. Its
// products and quotients take the time of the schoolbook's ways, so its users limit the size.
package big

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Int is an integer. It never changes.
type Int struct {
	negative bool
	size     magnitude
}

// New gives an integer.
func New(i int64) *Int {
	if i < 0 {
		return &Int{true, words(-uint64(i))}
	}
	return &Int{false, words(uint64(i))}
}

// FromFloat gives a finite float without its fraction.
func FromFloat(x float64) *Int {
	mantissa, exponent := split(math.Abs(x))
	m := words(mantissa)
	if exponent >= 0 {
		m = m.up(exponent)
	} else {
		m = m.down(-exponent)
	}
	return signed(x < 0, m)
}

func signed(negative bool, m magnitude) *Int { return &Int{negative && len(m) > 0, m} }

// Parse reads digits of a base from 2 to 36, in small or capital letters, with or without a sign.
func Parse(s string, base int) (*Int, bool) {
	digits := strings.TrimPrefix(s, "-")
	negative := digits != s
	if !negative {
		digits = strings.TrimPrefix(s, "+")
	}
	m, ok := parse(digits, base)
	return signed(negative, m), ok
}

// Text writes the digits of a base from 2 to 36, in small letters.
func (n *Int) Text(base int) string {
	if n.negative {
		return "-" + n.size.text(base)
	}
	return n.size.text(base)
}

func (n *Int) String() string { return n.Text(10) }

// Sign gives -1, 0 or 1.
func (n *Int) Sign() int {
	switch {
	case n.negative:
		return -1
	case len(n.size) == 0:
		return 0
	}
	return 1
}

// BitLen counts the bits of the absolute value.
func (n *Int) BitLen() int { return n.size.bits() }

// IsInt64 reports whether Int64 gives the integer.
func (n *Int) IsInt64() bool {
	return n.BitLen() < 64 || n.negative && n.BitLen() == 64 && n.size.low() == 1<<63
}

// Int64 gives the lowest bits.
func (n *Int) Int64() int64 {
	if n.negative {
		return -int64(n.size.low())
	}
	return int64(n.size.low())
}

// Odd reports whether the integer is odd.
func (n *Int) Odd() bool { return n.size.low()&1 == 1 }

// Cmp orders two integers.
func (n *Int) Cmp(m *Int) int {
	if order := cmp.Compare(n.Sign(), m.Sign()); order != 0 {
		return order
	}
	return n.Sign() * n.size.compare(m.size)
}

// Neg gives -n.
func (n *Int) Neg() *Int { return signed(!n.negative, n.size) }

// Abs gives |n|.
func (n *Int) Abs() *Int { return signed(false, n.size) }

// Add gives n + m.
func (n *Int) Add(m *Int) *Int {
	switch {
	case n.negative == m.negative:
		return signed(n.negative, n.size.add(m.size))
	case n.size.compare(m.size) >= 0:
		return signed(n.negative, n.size.subtract(m.size))
	}
	return signed(m.negative, m.size.subtract(n.size))
}

// Sub gives n - m.
func (n *Int) Sub(m *Int) *Int { return n.Add(m.Neg()) }

// Mul gives n m.
func (n *Int) Mul(m *Int) *Int { return signed(n.negative != m.negative, n.size.multiply(m.size)) }

// DivMod gives the quotient, rounded down, and the rest, of the divisor's sign. The divisor is not 0.
func (n *Int) DivMod(m *Int) (quotient, rest *Int) {
	q, r := n.size.divide(m.size)
	quotient, rest = signed(n.negative != m.negative, q), signed(n.negative, r)
	if len(r) > 0 && n.negative != m.negative {
		quotient, rest = quotient.Sub(New(1)), rest.Add(m)
	}
	return quotient, rest
}

// Exp gives n to a power from 0 on.
func (n *Int) Exp(power int64) *Int {
	return signed(n.negative && power&1 == 1, n.size.power(power))
}

// words gives an integer's magnitude.
func words(u uint64) magnitude { return magnitude{uint32(u), uint32(u >> 32)}.trim() }

// magnitude is an absolute value: words from the lowest on, of which the last is not 0.
type magnitude []uint32

func (m magnitude) trim() magnitude {
	for len(m) > 0 && m[len(m)-1] == 0 {
		m = m[:len(m)-1]
	}
	return m
}

func (m magnitude) low() (u uint64) {
	for i := range min(2, len(m)) {
		u |= uint64(m[i]) << (32 * i)
	}
	return u
}

func (m magnitude) compare(k magnitude) int {
	if len(m) != len(k) {
		return cmp.Compare(len(m), len(k))
	}
	for i := len(m) - 1; i >= 0; i-- {
		if m[i] != k[i] {
			return cmp.Compare(m[i], k[i])
		}
	}
	return 0
}

func (m magnitude) add(k magnitude) magnitude {
	if len(m) < len(k) {
		m, k = k, m
	}
	out := append(slices.Clone(m), 0)
	carry := uint64(0)
	for i := range out {
		carry += uint64(out[i])
		if i < len(k) {
			carry += uint64(k[i])
		}
		out[i] = uint32(carry)
		carry >>= 32
	}
	return out.trim()
}

// subtract takes off what is not larger.
func (m magnitude) subtract(k magnitude) magnitude {
	out := slices.Clone(m)
	borrow := uint64(0)
	for i := range out {
		take := borrow
		if i < len(k) {
			take += uint64(k[i])
		}
		left := uint64(out[i]) - take
		out[i] = uint32(left)
		borrow = left >> 63
	}
	return out.trim()
}
