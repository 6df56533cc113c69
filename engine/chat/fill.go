package chat

import "strings"

// padNumber groups the digits before the point, and fills up to the width.
func (s formatSpec) padNumber(prefix, digits, rest string, size int) string {
	fill := 0
	if s.align == '=' && s.fill == '0' {
		fill = s.width - len(prefix) - len(rest)
	}
	if s.group == "" {
		if fill > len(digits) {
			digits = strings.Repeat("0", fill-len(digits)) + digits
		}
		return s.pad(prefix, digits+rest, '>')
	}
	for fill > len(digits)+(len(digits)-1)/size {
		digits = "0" + digits
	}
	grouped := ""
	for len(digits) > size {
		grouped = s.group + digits[len(digits)-size:] + grouped
		digits = digits[:len(digits)-size]
	}
	return s.pad(prefix, digits+grouped+rest, '>')
}

func (s formatSpec) pad(prefix, text string, usual byte) string {
	align := s.align
	if align == 0 {
		align = usual
	}
	n := s.width - runeCount(prefix) - runeCount(text)
	if n <= 0 {
		return prefix + text
	}
	fill := func(n int) string { return strings.Repeat(string(s.fill), n) }
	switch align {
	case '<':
		return prefix + text + fill(n)
	case '^':
		return fill(n/2) + prefix + text + fill(n-n/2)
	case '=':
		return prefix + fill(n) + text
	}
	return fill(n) + prefix + text
}
