package tokenizer

import (
	"strings"
	"unicode"
)

// The patterns of later vocabularies. Where llama.cpp writes one down otherwise than the model's tokenizer.json, this is the
// latter's.
var (
	// tekken is Mistral's, gpt4o OpenAI's, youtu the latter with numbers alone: words end where small letters do, so that "aB" is two.
	tekken = matches(func(s *scan, i, end int) int { return s.mixed(i, end, 1, false) })
	gpt4o  = matches(func(s *scan, i, end int) int { return s.mixed(i, end, 3, true) })
	youtu  = matches(func(s *scan, i, end int) int { return s.mixed(i, end, 1, true) })

	// threeNumbers is \p{N}{1,3}, lines [^\n]+|\n+.
	threeNumbers = matches(func(s *scan, i, end int) int { return run(s, i, min(end, i+3), isNumber) })
	lines        = matches(func(s *scan, i, end int) int {
		if s.runes[i] == '\n' {
			return run(s, i, end, isLineFeed)
		}
		return run(s, i, end, func(s *scan, i int) bool { return !isLineFeed(s, i) })
	})

	// bloom is  ?[^(\s|.,!?…。，、।۔،)]+
	bloom = matches(func(s *scan, i, end int) int {
		from := s.afterSpace(i, end)
		if to := run(s, from, end, isBloomWord); to > from {
			return to
		}
		return i
	})

	// seedCoder is qwen2 whose punctuation ends before a newline, ufakzeka qwen2 without contractions, jais2 llama3 whose white
	// space comes in powers of two.
	seedCoder = matches(func(s *scan, i, end int) int {
		if s.contraction(i, end, true) == 0 && s.classes[i]&word == 0 && (isNewline(s, i) || i+1 == end || s.classes[i+1]&letter == 0) {
			if from := s.afterSpace(i, end); isOther(s, from) {
				return run(s, from, end, isOther)
			}
		}
		return s.llama3(i, end, 1, letter)
	})
	ufakzeka = matches(func(s *scan, i, end int) int {
		if s.contraction(i, end, true) > 0 {
			return run(s, i+1, end, isLetter)
		}
		return s.llama3(i, end, 1, letter)
	})
	jais2 = matches(func(s *scan, i, end int) int {
		to := s.llama3(i, end, 3, letter)
		if !isSpace(s, i) || run(s, i, to, isSpace) < to || isNewline(s, to-1) {
			return to
		}
		spaces := run(s, i, end, isSpace)
		for n := 512; n >= 2; n /= 2 {
			if i+n < spaces || i+n == spaces && spaces == end {
				return i + n
			}
		}
		return i + 1
	})
)

// mixed gives the end of the pre-token that starts at i, with at most digits numbers in one:
//
//	[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|
//	[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|
//	\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
func (s *scan) mixed(i, end, digits int, contractions bool) int {
	if to := s.mixedWord(i, end, end, contractions); to > i {
		return to
	}
	return s.mixedRest(i, end, digits, '/')
}

// mixedWord gives the end of the word at i whose letters lie before letters, or i.
func (s *scan) mixedWord(i, letters, end int, contractions bool) int {
	starts := []int{i}
	if s.classes[i]&word == 0 && !isNewline(s, i) {
		starts = []int{i + 1, i}
	}
	for _, ends := range []func(int, int) int{s.smallEnd, s.capitalEnd} {
		for _, from := range starts {
			if to := ends(from, letters); to > from {
				if contractions && to < end {
					to += s.contraction(to, end, true)
				}
				return to
			}
		}
	}
	return i
}

// mixedRest gives the end of what is no word; newlines and slash may follow punctuation.
func (s *scan) mixedRest(i, end, digits int, slash rune) int {
	if isNumber(s, i) {
		return run(s, i, min(end, i+digits), isNumber)
	}
	if from := s.afterSpace(i, end); isOther(s, from) {
		return run(s, run(s, from, end, isOther), end, func(s *scan, i int) bool { return isNewline(s, i) || s.runes[i] == slash })
	}
	return s.spacesOrLines(i, end)
}

// smallEnd gives the end of [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+ at i, or i.
func (s *scan) smallEnd(i, end int) int {
	capitals := run(s, i, end, isCapital)
	if to := run(s, capitals, end, isSmall); to > capitals {
		return to
	}
	for j := capitals; j > i; j-- {
		if isSmall(s, j-1) {
			return j
		}
	}
	return i
}

// capitalEnd gives the end of [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]* at i, or i.
func (s *scan) capitalEnd(i, end int) int {
	to := run(s, i, end, isCapital)
	if to == i {
		return i
	}
	return run(s, to, end, isSmall)
}

// spacesOrLines is \s*[\r\n]+|\s+(?!\S)|\s+ at i.
func (s *scan) spacesOrLines(i, end int) int {
	for j := run(s, i, end, isSpace); j > i; j-- {
		if isNewline(s, j-1) {
			return j
		}
	}
	return s.whiteSpace(i, end)
}

// deepseek3 is the last pass of DeepSeek V3; what it does not name stays whole:
//
//	[!-/:-@\[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
var deepseek3 = matches(func(s *scan, i, end int) int { return s.deepSeek(i, end, true) })

// spark is deepseek3 with newlines alone.
var spark = matches(func(s *scan, i, end int) int { return s.deepSeek(i, end, false) })

func (s *scan) deepSeek(i, end int, lines bool) int {
	c := s.classes[i]
	if s.runes[i] < 0x80 && c&(punctuation|sign) != 0 {
		if to := run(s, i+1, end, isASCIILetter); to > i+1 {
			return to
		}
	}
	if c&(letter|punctuation|sign) == 0 && !isNewline(s, i) {
		if to := run(s, i+1, end, isLetterOrMark); to > i+1 {
			return to
		}
	}
	if to := run(s, i, end, isLetterOrMark); to > i {
		return to
	}
	from := s.afterSpace(i, end)
	if to := run(s, from, end, isPunctuationOrSymbol); to > from && lines {
		return run(s, to, end, isNewline)
	} else if to > from {
		return to
	}
	switch {
	case lines && isSpace(s, i):
		return s.spacesOrLines(i, end)
	case isNewline(s, i):
		return i + 1
	case isSpace(s, i):
		return s.whiteSpace(i, end)
	}
	return i
}

// exaoneMoE is qwen2 whose words hold single spaces between letters:
//
//	(?i:'s|…)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+
var exaoneMoE = matches(func(s *scan, i, end int) int {
	if n := s.contraction(i, end, true); n > 0 {
		return i + n
	}
	from := i
	if s.classes[i]&word == 0 && !isNewline(s, i) {
		from = i + 1
	}
	to := from
	for to < end && isLetter(s, to) {
		to = run(s, to+1, end, func(s *scan, i int) bool { return s.classes[i]&combining != 0 })
		if to+1 < end && s.runes[to] == ' ' && isLetter(s, to+1) {
			to++
		}
	}
	if to > from {
		return to
	}
	if isNumber(s, i) {
		return i + 1
	}
	if from := s.afterSpace(i, end); isOther(s, from) {
		to := run(s, from, end, isOther)
		if to < end && isNewline(s, to) { // a slash is one of the others
			to++
		}
		return to
	}
	return s.spacesOrLines(i, end)
})

// thousands cuts numbers into groups of three from the right: (?=(\d{3})+(?!\d)). thousandsOfWords does so only where a word ends
// behind the number: \d{1,3}(?=(?:\d{3})*\b). thousandsOfNumbers takes all that is a number for a digit.
var (
	thousands          = matches(func(s *scan, i, end int) int { return s.thousands(i, end, isDecimal) })
	thousandsOfNumbers = matches(func(s *scan, i, end int) int { return s.thousands(i, end, isNumber) })
	thousandsOfWords   = matches(func(s *scan, i, end int) int {
		if to := run(s, i, end, isDecimal); to < end && (s.classes[to]&(word|combining) != 0 || s.runes[to] == '_') {
			return i
		}
		return s.thousands(i, end, isDecimal)
	})
)

func (s *scan) thousands(i, end int, in predicate) int {
	n := run(s, i, end, in) - i
	if n == 0 {
		return i
	}
	return i + (n-1)%3 + 1
}

func isLineFeed(s *scan, i int) bool     { return s.runes[i] == '\n' }
func isCapital(s *scan, i int) bool      { return isLetterOrMark(s, i) && s.classes[i]&lower == 0 }
func isSmall(s *scan, i int) bool        { return isLetterOrMark(s, i) && s.classes[i]&upper == 0 }
func isLetterOrMark(s *scan, i int) bool { return s.classes[i]&(letter|combining) != 0 }
func isASCIILetter(s *scan, i int) bool  { return s.runes[i] < 0x80 && isLetter(s, i) }
func isDecimal(s *scan, i int) bool      { return unicode.IsDigit(s.runes[i]) }
func isPunctuationOrSymbol(s *scan, i int) bool {
	return s.classes[i]&(punctuation|sign) != 0
}

// isChineseOrKana is [一-龥぀-ゟ゠-ヿ].
func isChineseOrKana(s *scan, i int) bool {
	r := s.runes[i]
	return 0x4E00 <= r && r <= 0x9FA5 || 0x3040 <= r && r <= 0x30FF
}

// isHangul is [가-힣ㄱ-ㆎ], isBopomofo [ㄅ-ㄯ] and isWideMark [！…“”‘’—：；，、-〿︰-﹏].
func isHangul(s *scan, i int) bool {
	r := s.runes[i]
	return 0xAC00 <= r && r <= 0xD7A3 || 0x3131 <= r && r <= 0x318E
}

func isBopomofo(s *scan, i int) bool { return 0x3105 <= s.runes[i] && s.runes[i] <= 0x312F }

func isWideMark(s *scan, i int) bool {
	r := s.runes[i]
	return strings.ContainsRune("！…“”‘’—：；，", r) || 0x3001 <= r && r <= 0x303F || 0xFE30 <= r && r <= 0xFE4F
}

func isBloomWord(s *scan, i int) bool {
	return !isSpace(s, i) && !strings.ContainsRune("(|.,!?…。，、।۔،)", s.runes[i])
}
