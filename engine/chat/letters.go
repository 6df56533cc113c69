package chat

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func runeCount(s string) int { return utf8.RuneCountInString(s) }

// isSpace is Python's notion of white space, which has four separators more than Unicode's.
func isSpace(r rune) bool { return unicode.IsSpace(r) || 0x1C <= r && r <= 0x1F }

func isLineEnd(r rune) bool {
	return '\n' <= r && r <= '\r' || 0x1C <= r && r <= 0x1E || r == 0x85 || r == 0x2028 || r == 0x2029
}

func isLower(r rune) bool { return unicode.In(r, unicode.Ll, unicode.Other_Lowercase) }
func isUpper(r rune) bool { return unicode.In(r, unicode.Lu, unicode.Other_Uppercase) }
func isCased(r rune) bool { return isLower(r) || isUpper(r) || unicode.Is(unicode.Lt, r) }

// isDigitRune tells digits, also superscripts and those in circles.
func isDigitRune(r rune) bool { return unicode.Is(unicode.Nd, r) || unicode.Is(otherDigits, r) }

// isNumeric tells what has a numeric value, such as fractions and the Chinese numerals.
func isNumeric(r rune) bool {
	return unicode.Is(unicode.N, r) || strings.ContainsRune(numerals, r)
}

func isAlnum(r rune) bool { return unicode.IsLetter(r) || isNumeric(r) }
func isWord(r rune) bool  { return r == '_' || isAlnum(r) }

var otherDigits = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0xB2, 0xB3, 1}, {0xB9, 0xB9, 1}, {0x1369, 0x1371, 1}, {0x19DA, 0x19DA, 1}, {0x2070, 0x2070, 1}, {0x2074, 0x2079, 1},
		{0x2080, 0x2089, 1}, {0x2460, 0x2468, 1}, {0x2474, 0x247C, 1}, {0x2488, 0x2490, 1}, {0x24EA, 0x24EA, 1},
		{0x24F5, 0x24FD, 1}, {0x24FF, 0x24FF, 1}, {0x2776, 0x277E, 1}, {0x2780, 0x2788, 1}, {0x278A, 0x2792, 1},
	},
	R32: []unicode.Range32{{0x10A40, 0x10A43, 1}, {0x10E60, 0x10E68, 1}, {0x11052, 0x1105A, 1}, {0x1F100, 0x1F10A, 1}},
}

// numerals are the letters that have a numeric value (Unicode's Unihan_NumericValues.txt).
const numerals = "㐅㒃㠪㭍一七万三九二五亖亿什仟仨伍佰億兆兩八六十千卄卅卌叁参參叄四壱壹幺廾廿弌弍弎弐拾捌柒漆玖百肆萬貮貳贰阡陆陌陸零" +
	"\uF96B\uF973\uF978\uF9B2\uF9D1\uF9D3\uF9FD\U00020001\U00020064\U000200E2\U00020121\U0002092A\U00020983\U0002098C" +
	"\U0002099C\U00020AEA\U00020AFD\U00020B19\U00022390\U00022998\U00023B1B\U0002626D\U0002F890"

func upper(s string) string {
	var out strings.Builder
	for _, r := range s {
		if many, ok := manyUpper[r]; ok {
			out.WriteString(many[0])
		} else {
			out.WriteRune(unicode.ToUpper(r))
		}
	}
	return out.String()
}

func lower(s string) string {
	var out strings.Builder
	runes := []rune(s)
	for i := range runes {
		out.WriteString(lowerAt(runes, i))
	}
	return out.String()
}

// lowerAt gives the lower case of one letter: a sigma that ends a word has another.
func lowerAt(runes []rune, i int) string {
	switch r := runes[i]; r {
	case 'İ':
		return "i\u0307"
	case 'Σ':
		before, after := i-1, i+1
		for before >= 0 && ignorable(runes[before]) {
			before--
		}
		for after < len(runes) && ignorable(runes[after]) {
			after++
		}
		if before >= 0 && isCased(runes[before]) && (after == len(runes) || !isCased(runes[after])) {
			return "ς"
		}
		return "σ"
	default:
		return string(unicode.ToLower(r))
	}
}

// ignorable is Unicode's Case_Ignorable.
func ignorable(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) ||
		strings.ContainsRune("'.:·\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A", r)
}

func titleOf(r rune) string {
	if many, ok := manyUpper[r]; ok && many[1] != "" {
		return many[1]
	}
	return string(unicode.ToTitle(r))
}

func capitalize(s string) string {
	var out strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		if i == 0 {
			out.WriteString(titleOf(r))
		} else {
			out.WriteString(lowerAt(runes, i))
		}
	}
	return out.String()
}

// title gives every row of letters a capital, as Python's method does; the filter has another rule.
func title(s string) string {
	var out strings.Builder
	runes, inside := []rune(s), false
	for i, r := range runes {
		if inside {
			out.WriteString(lowerAt(runes, i))
		} else {
			out.WriteString(titleOf(r))
		}
		inside = isCased(r)
	}
	return out.String()
}

func swapCase(s string) string {
	var out strings.Builder
	runes := []rune(s)
	for i, r := range runes {
		switch {
		case isUpper(r):
			out.WriteString(lowerAt(runes, i))
		case isLower(r):
			out.WriteString(upper(string(r)))
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

// caseFold is Unicode's full case folding.
func caseFold(s string) string {
	var out strings.Builder
	for _, r := range s {
		switch {
		case r == 'ı', 0x13A0 <= r && r <= 0x13F5:
			out.WriteRune(r)
		case 0x13F8 <= r && r <= 0x13FD:
			out.WriteRune(r - 8)
		case 0xAB70 <= r && r <= 0xABBF:
			out.WriteRune(r - 0xAB70 + 0x13A0)
		case r == 'ẞ':
			out.WriteString("ss")
		default:
			for _, u := range upper(string(r)) {
				out.WriteString(lowerAt([]rune{u}, 0))
			}
		}
	}
	return out.String()
}

// isTitle tells whether every row of letters begins with a capital and goes on without.
func isTitle(s string) bool {
	inside, any := false, false
	for _, r := range s {
		switch {
		case isUpper(r) || unicode.Is(unicode.Lt, r):
			if inside {
				return false
			}
			inside, any = true, true
		case isLower(r):
			if !inside {
				return false
			}
			any = true
		default:
			inside = false
		}
	}
	return any
}

// allOf tells whether all letters with case are of one: some is, and none is not.
func allOf(s string, is, not func(rune) bool) bool {
	any := false
	for _, r := range s {
		if not(r) || unicode.Is(unicode.Lt, r) {
			return false
		}
		any = any || is(r)
	}
	return any
}

// digitValue gives the value of a decimal digit of any script: they stand in rows of ten.
func digitValue(r rune) (rune, bool) {
	if !unicode.Is(unicode.Nd, r) {
		return 0, false
	}
	if r < 0x80 {
		return r - '0', true
	}
	if 0x1D7CE <= r && r <= 0x1D7FF { // mathematical digits: five rows without a gap
		return (r - 0x1D7CE) % 10, true
	}
	first := r
	for unicode.Is(unicode.Nd, first-1) {
		first--
	}
	return (r - first) % 10, true
}
