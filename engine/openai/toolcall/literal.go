package toolcall

import (
	"strconv"
	"strings"
)

// literalOf is a word or a number as JSON writes it, or "".
func literalOf(word string) string {
	switch word {
	case "true", "True":
		return "true"
	case "false", "False":
		return "false"
	case "null", "None":
		return "null"
	}
	return numberOf(word)
}

// numberOf is a number as JSON writes it: JSON wants digits on both sides of the point, and knows neither plus signs, underscores nor
// other bases.
func numberOf(word string) string {
	sign, digits := "", strings.TrimPrefix(word, "+")
	if strings.HasPrefix(word, "-") {
		sign, digits = "-", word[1:]
	}
	if digits == "" || digits[0] != '.' && !isDigit(digits[0]) { // another sign, or a word
		return ""
	}
	if len(digits) > 1 && digits[0] == '0' && (isLetter(digits[1])) && !strings.ContainsAny(digits[1:2], "eE") {
		n, err := strconv.ParseUint(digits, 0, 64)
		if err != nil || isDigit(digits[1]) {
			return ""
		}
		return sign + strconv.FormatUint(n, 10)
	}
	mantissa, exponent := digits, ""
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		mantissa, exponent = digits[:i], digits[i:]
		if power := strings.TrimLeft(exponent[1:], "+-"); len(exponent)-len(power) > 2 || !areDigits(power) {
			return ""
		}
	}
	before, after, point := strings.Cut(underscored(mantissa), ".")
	if before == "" && after == "" || before != "" && !areDigits(before) || after != "" && !areDigits(after) {
		return ""
	}
	if before == "" {
		before = "0"
	}
	if point {
		if after == "" {
			after = "0"
		}
		before += "." + after
	}
	return sign + before + exponent
}

// underscored takes out underscores that stand between digits.
func underscored(text string) string {
	if strings.HasPrefix(text, "_") || strings.HasSuffix(text, "_") || strings.Contains(text, "__") || strings.Contains(text, "_.") || strings.Contains(text, "._") {
		return text
	}
	return strings.ReplaceAll(text, "_", "")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func areDigits(text string) bool {
	for i := range len(text) {
		if !isDigit(text[i]) {
			return false
		}
	}
	return text != ""
}

// convert is a whole value as JSON, or "".
func convert(text string, d dialect) string {
	v := value{dialect: d}
	text = strings.TrimSpace(text) + " " // which ends a number
	n, verdict := v.read(text, true)
	if verdict != whole || strings.TrimSpace(text[n:]) != "" {
		return ""
	}
	return v.take()
}
