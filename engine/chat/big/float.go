package big

import "math"

// What a quotient and a root are computed to: a float's bits and some more, of which the last says whether anything follows.
const enough = 66

// split gives a finite float from 0 on as mantissa times a power of 2.
func split(x float64) (mantissa uint64, exponent int) {
	const fraction = 52
	b := math.Float64bits(x)
	mantissa, exponent = b&(1<<fraction-1), int(b>>fraction)
	if exponent == 0 {
		return mantissa, -1074
	}
	return mantissa | 1<<fraction, exponent - 1075
}

// float gives m times a power of 2 as the nearest float, the even one of two; more says that something smaller than m's last bit
// follows.
func (m magnitude) float(exponent int, more bool) float64 {
	kept := min(53, m.bits()+exponent+1074)
	if kept < 0 || len(m) == 0 {
		return 0
	}
	dropped := m.bits() - kept
	if dropped <= 0 {
		return math.Ldexp(float64(m.low()), exponent)
	}
	head := m.down(dropped).low()
	half := m.down(dropped-1).low()&1 == 1
	if half && (more || m.anyBelow(dropped-1) || head&1 == 1) {
		head++
	}
	return math.Ldexp(float64(head), exponent+dropped)
}

// Float64 gives the nearest float, infinite where the integer is larger than all.
func (n *Int) Float64() float64 {
	x := n.size.float(0, false)
	if n.negative {
		return -x
	}
	return x
}

// Quo gives the nearest float of n / m. m is not 0.
func (n *Int) Quo(m *Int) float64 {
	x := quotient(n.size, m.size, 0)
	if n.negative != m.negative {
		return -x
	}
	return x
}

// quotient gives the nearest float of m / k times a power of 2.
func quotient(m, k magnitude, exponent int) float64 {
	shift := max(0, enough+k.bits()-m.bits())
	q, rest := m.up(shift).divide(k)
	return q.float(exponent-shift, len(rest) > 0)
}

// Root gives the nearest float of x, which is over 0 and finite, to half a power.
func Root(x float64, twice int) float64 {
	mantissa, exponent := split(x)
	times := int64(max(twice, -twice))
	m := words(mantissa).power(times)
	exponent *= int(times)
	if twice&1 == 0 { // a whole power is a root of its square: times is halved instead
		m, exponent = words(mantissa).power(times/2), exponent/2
		if twice < 0 {
			return quotient(magnitude{1}, m, -exponent)
		}
		return m.float(exponent, false)
	}
	more := false
	if twice < 0 { // 1/m, to so many bits that its root has enough
		shift := 2*enough + m.bits() + (m.bits()+exponent)&1
		var rest magnitude
		m, rest = magnitude{1}.up(shift).divide(m)
		more, exponent = len(rest) > 0, -exponent-shift
	}
	shift := 2*enough - m.bits()
	shift += (exponent - shift) & 1
	if shift > 0 {
		m = m.up(shift)
	} else {
		more = more || m.anyBelow(-shift)
		m = m.down(-shift)
	}
	root, exact := m.root()
	return root.float((exponent-shift)/2, more || !exact)
}

// root gives the square root, rounded down, by Newton's method from above.
func (m magnitude) root() (root magnitude, exact bool) {
	root = magnitude{1}.up((m.bits() + 1) / 2)
	for {
		q, _ := m.divide(root)
		next := root.add(q).down(1)
		if next.compare(root) >= 0 {
			return root, root.multiply(root).compare(m) == 0
		}
		root = next
	}
}
