package talk

import (
	"strconv"
	"strings"
)

// Whole writes a whole number, with a comma every three digits.
func Whole(n int) string {
	digits := strconv.Itoa(n)
	for at := len(digits) - 3; at > 0 && digits[at-1] != '-'; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return digits
}

// Count writes a whole number with its noun.
func Count(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "y"):
		return Whole(n) + " " + strings.TrimSuffix(noun, "y") + "ies"
	}
	return Whole(n) + " " + noun + "s"
}
