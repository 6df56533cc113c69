package chat

import "strings"

// number takes a number as Python spells it: with underscores between digits, a base in front of integers, an exponent.
func (l *lexer) number(rest string) {
	n, k := 0, floatToken
	if l.at == 0 || l.source[l.at-1] != '.' { // in a.0.1 there are no fractions
		n = floatLength(rest)
	}
	if n == 0 {
		n, k = integerLength(rest), integerToken
	}
	l.emit(k, rest[:n])
	l.advance(n)
}

// digits gives how far digits go from a place, with single underscores between them.
func digits(s string, from int, set string) int {
	end := from
	for i := from; i < len(s); i++ {
		if strings.IndexByte(set, s[i]) >= 0 {
			end = i + 1
		} else if s[i] != '_' || i != end || i == from {
			break
		}
	}
	return end
}

const decimals = "0123456789"

// floatLength gives the length of the float that s starts with, or 0.
func floatLength(s string) int {
	n, isFloat := digits(s, 0, decimals), false
	if n < len(s) && s[n] == '.' {
		if end := digits(s, n+1, decimals); end > n+1 {
			n, isFloat = end, true
		}
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		exponent := n + 1
		if exponent < len(s) && (s[exponent] == '+' || s[exponent] == '-') {
			exponent++
		}
		if end := digits(s, exponent, decimals); end > exponent {
			return end
		}
	}
	if !isFloat {
		return 0
	}
	return n
}

func integerLength(s string) int {
	if s[0] != '0' {
		return digits(s, 0, decimals)
	}
	if len(s) > 2 {
		set := map[byte]string{'b': "01", 'o': "01234567", 'x': "0123456789abcdefABCDEF"}[s[1]|0x20]
		from := 2
		if s[2] == '_' {
			from = 3
		}
		if end := digits(s, from, set); end > from {
			return end
		}
	}
	return digits(s, 0, "0")
}
