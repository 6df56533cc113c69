package big

import "math/bits"

func (m magnitude) bits() int {
	if len(m) == 0 {
		return 0
	}
	return 32*(len(m)-1) + bits.Len32(m[len(m)-1])
}

// up multiplies by a power of 2.
func (m magnitude) up(shift int) magnitude {
	if len(m) == 0 {
		return nil
	}
	out := make(magnitude, len(m)+shift/32+1)
	for i, word := range m {
		wide := uint64(word) << (shift % 32)
		out[i+shift/32] |= uint32(wide)
		out[i+shift/32+1] = uint32(wide >> 32)
	}
	return out.trim()
}

// down divides by a power of 2.
func (m magnitude) down(shift int) magnitude {
	if shift/32 >= len(m) {
		return nil
	}
	m = m[shift/32:]
	out := make(magnitude, len(m))
	for i, word := range m {
		wide := uint64(word)
		if i+1 < len(m) {
			wide |= uint64(m[i+1]) << 32
		}
		out[i] = uint32(wide >> (shift % 32))
	}
	return out.trim()
}

// anyBelow reports whether one of the lowest n bits is set.
func (m magnitude) anyBelow(n int) bool {
	for i, word := range m {
		if left := n - 32*i; left <= 0 {
			return false
		} else if left < 32 {
			word &= 1<<left - 1
		}
		if word != 0 {
			return true
		}
	}
	return false
}

func (m magnitude) multiply(k magnitude) magnitude {
	out := make(magnitude, len(m)+len(k))
	for i, a := range m {
		carry := uint64(0)
		for j, b := range k {
			carry += uint64(a)*uint64(b) + uint64(out[i+j])
			out[i+j] = uint32(carry)
			carry >>= 32
		}
		out[i+len(k)] = uint32(carry)
	}
	return out.trim()
}

func (m magnitude) power(power int64) magnitude {
	out := magnitude{1}
	for bit := bits.Len64(uint64(power)) - 1; bit >= 0; bit-- {
		out = out.multiply(out)
		if power>>bit&1 == 1 {
			out = out.multiply(m)
		}
	}
	return out
}

// multiplyAdd gives m by + plus.
func (m magnitude) multiplyAdd(by, plus uint32) magnitude {
	carry := uint64(plus)
	for i := range m {
		carry += uint64(m[i]) * uint64(by)
		m[i] = uint32(carry)
		carry >>= 32
	}
	if carry > 0 {
		m = append(m, uint32(carry))
	}
	return m
}

// divideSmall divides in place and returns the rest.
func (m magnitude) divideSmall(by uint32) (quotient magnitude, rest uint32) {
	left := uint64(0)
	for i := len(m) - 1; i >= 0; i-- {
		left = left<<32 | uint64(m[i])
		m[i] = uint32(left / uint64(by))
		left %= uint64(by)
	}
	return m.trim(), uint32(left)
}

// divide gives quotient and rest, by Knuth's algorithm D.
func (m magnitude) divide(k magnitude) (quotient, rest magnitude) {
	if m.compare(k) < 0 {
		return nil, m
	}
	if len(k) == 1 {
		q, r := append(magnitude(nil), m...).divideSmall(k[0])
		return q, words(uint64(r))
	}
	// The divisor's highest bit is set, so that a guess from two words is at most 2 too large.
	shift := bits.LeadingZeros32(k[len(k)-1])
	divisor := k.up(shift)
	left := make(magnitude, len(m)+1)
	copy(left, m.up(shift))
	n := len(divisor)
	top, next := uint64(divisor[n-1]), uint64(divisor[n-2])
	quotient = make(magnitude, len(m)-n+1)
	for j := len(quotient) - 1; j >= 0; j-- {
		high := uint64(left[j+n])<<32 | uint64(left[j+n-1])
		guess, over := high/top, high%top
		for guess>>32 != 0 || guess*next > over<<32|uint64(left[j+n-2]) {
			guess--
			if over += top; over>>32 != 0 {
				break
			}
		}
		borrow, carry := uint64(0), uint64(0)
		for i, word := range divisor {
			carry += guess * uint64(word)
			sub := uint64(left[i+j]) - carry&(1<<32-1) - borrow
			left[i+j] = uint32(sub)
			borrow = sub >> 63
			carry >>= 32
		}
		sub := uint64(left[j+n]) - carry - borrow
		left[j+n] = uint32(sub)
		if sub>>63 != 0 { // the guess was 1 too large
			guess--
			carry = 0
			for i, word := range divisor {
				carry += uint64(left[i+j]) + uint64(word)
				left[i+j] = uint32(carry)
				carry >>= 32
			}
			left[j+n] += uint32(carry)
		}
		quotient[j] = uint32(guess)
	}
	return quotient.trim(), left.trim().down(shift)
}
