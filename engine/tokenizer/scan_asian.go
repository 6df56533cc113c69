package tokenizer

import "unicode"

// The patterns that set apart scripts of Asia, and Chameleon's names of images.
var (
	// kimi is gpt4o with Chinese characters in words of their own, and no slashes after punctuation: [\p{Han}]+, then mixed with
	// &&[^\p{Han}] in its letters.
	kimi = matches(func(s *scan, i, end int) int {
		if isHan(s, i) {
			return run(s, i, end, isHan)
		}
		letters := run(s, i+1, end, func(s *scan, i int) bool { return isLetterOrMark(s, i) && !isHan(s, i) })
		if to := s.mixedWord(i, letters, end, true); to > i {
			return to
		}
		return s.mixedRest(i, end, 3, '\n')
	})

	// imageTokens is IMGIMG[A-I]{1,4}Z, indents [\t\n]|    |  .
	imageTokens = matches(func(s *scan, i, end int) int {
		to := i
		for to < end && to < i+6 && s.runes[to] == rune("IMGIMG"[to-i]) {
			to++
		}
		from := i + 6
		for to >= from && to < min(end, from+4) && 'A' <= s.runes[to] && s.runes[to] <= 'I' {
			to++
		}
		if to > from && to < end && s.runes[to] == 'Z' {
			return to + 1
		}
		return i
	})
	indents = matches(func(s *scan, i, end int) int {
		if s.runes[i] == '\t' || s.runes[i] == '\n' {
			return i + 1
		}
		spaces := 0
		for spaces < min(end-i, 4) && s.runes[i+spaces] == ' ' {
			spaces++
		}
		return i + spaces&^1 // of three the first two
	})
)

// isHan is \p{Han}.
func isHan(s *scan, i int) bool {
	r := s.runes[i]
	return r >= 0x2E80 && (unicode.Is(unicode.Han, r) || unicode.Is(later, r))
}

// isAsian tells AFMoE's scripts of Asia.
func isAsian(s *scan, i int) bool { return unicode.Is(asian, s.runes[i]) }

// asian is [一-\x{9FFF}㐀-䶿豈-\x{FAFF}\x{3040}-ヿ･-ﾟ⼀-\x{2FDF}เ-\x{EFF}ក-\x{17FF}က-႟ꩠ-ꩿꧠ-\x{A9FF}가-\x{D7AF}ᄀ-ᇿ]. Its 豈 is U+8C48,
// not the compatibility character U+F900, so all from U+4E00 to U+FAFF is in the set.
var asian = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x0E40, Hi: 0x0EFF, Stride: 1}, {Lo: 0x1000, Hi: 0x109F, Stride: 1}, {Lo: 0x1100, Hi: 0x11FF, Stride: 1}, {Lo: 0x1780, Hi: 0x17FF, Stride: 1},
	{Lo: 0x2F00, Hi: 0x2FDF, Stride: 1}, {Lo: 0x3040, Hi: 0x30FF, Stride: 1}, {Lo: 0x3400, Hi: 0x4DBF, Stride: 1}, {Lo: 0x4E00, Hi: 0xFAFF, Stride: 1},
	{Lo: 0xFF65, Hi: 0xFF9F, Stride: 1},
}}
