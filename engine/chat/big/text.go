package big

import (
	"math/bits"
	"slices"
)

const digits = "0123456789abcdefghijklmnopqrstuvwxyz"

// chunk gives how many digits of a base fit into a word, and the base to that power.
func chunk(base int) (n int, power uint32) {
	wide := uint64(base)
	for n = 1; wide*uint64(base) < 1<<32; n++ {
		wide *= uint64(base)
	}
	return n, uint32(wide)
}

func parse(s string, base int) (magnitude, bool) {
	if s == "" {
		return nil, false
	}
	var m magnitude
	for i := range len(s) {
		c := s[i]
		digit := int(c - '0')
		if c >= 'A' {
			digit = int(c|0x20-'a') + 10
		}
		if c < '0' || c > '9' && c < 'A' || digit >= base || c > 'z' {
			return nil, false
		}
		m = m.multiplyAdd(uint32(base), uint32(digit))
	}
	return m.trim(), true
}

func (m magnitude) text(base int) string {
	if len(m) == 0 {
		return "0"
	}
	var out []byte // from the last digit on
	if width := bits.TrailingZeros(uint(base)); 1<<width == base {
		for at := 0; at < m.bits(); at += width {
			wide := uint64(m[at/32])
			if at/32+1 < len(m) {
				wide |= uint64(m[at/32+1]) << 32
			}
			out = append(out, digits[wide>>(at%32)&uint64(base-1)])
		}
	} else {
		n, power := chunk(base)
		left := slices.Clone(m)
		for len(left) > 0 {
			var rest uint32
			left, rest = left.divideSmall(power)
			for range n {
				out = append(out, digits[rest%uint32(base)])
				rest /= uint32(base)
			}
		}
		for out[len(out)-1] == '0' {
			out = out[:len(out)-1]
		}
	}
	slices.Reverse(out)
	return string(out)
}
