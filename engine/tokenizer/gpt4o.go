package tokenizer

import "unicode"

// gpt4o is the pattern of GPT-4o and gpt-oss, whose words begin anew at capitals. With U for [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}], L for
// [\p{Ll}\p{Lm}\p{Lo}\p{M}] and C for (?i:'s|'t|'re|'ve|'m|'ll|'d)? it is
//
//	[^\r\n\p{L}\p{N}]?U*L+C|[^\r\n\p{L}\p{N}]?U+L*C|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
func gpt4o(s *scan, start, end int, cuts []int) []int {
	for i := start; i < end; {
		i = s.gpt4o(i, end)
		cuts = append(cuts, i)
	}
	return cuts
}

// gpt4o gives the end of the pre-token that starts at i.
func (s *scan) gpt4o(i, end int) int {
	prefix := i+1 < end && !isNewline(s, i) && s.classes[i]&word == 0
	for _, word := range []func(i, end int) int{s.lowerWord, s.upperWord} {
		to := 0
		if prefix {
			to = word(i+1, end)
		}
		if to == 0 {
			to = word(i, end)
		}
		if to > 0 {
			if to < end {
				to += s.contraction(to, end, true)
			}
			return to
		}
	}
	if s.classes[i]&number != 0 {
		return run(s, i, min(end, i+3), isNumber)
	}
	if from := s.afterSpace(i, end); isOther(s, from) {
		return run(s, run(s, from, end, isOther), end, func(s *scan, i int) bool { return isNewline(s, i) || s.runes[i] == '/' })
	}
	spaces := run(s, i, end, isSpace)
	for j := spaces; j > i; j-- {
		if isNewline(s, j-1) {
			return j
		}
	}
	return s.whiteSpace(i, end)
}

// lowerWord gives the end of U*L+ at i, or 0. Where no L follows the Us, the last of them that is one too is taken back.
func (s *scan) lowerWord(i, end int) int {
	upper := run(s, i, end, isUpper)
	if to := run(s, upper, end, isLower); to > upper {
		return to
	}
	for ; upper > i; upper-- {
		if isLower(s, upper-1) {
			return upper
		}
	}
	return 0
}

// upperWord gives the end of U+L* at i, or 0.
func (s *scan) upperWord(i, end int) int {
	upper := run(s, i, end, isUpper)
	if upper == i {
		return 0
	}
	return run(s, upper, end, isLower)
}

// isUpper and isLower are the pattern's U and L: letters without a case, and marks, are both.
func isUpper(s *scan, i int) bool {
	return s.classes[i]&combining != 0 || s.classes[i]&letter != 0 && !unicode.Is(unicode.Ll, s.runes[i])
}
func isLower(s *scan, i int) bool {
	return s.classes[i]&combining != 0 || s.classes[i]&letter != 0 && !unicode.Is(unicode.Lu, s.runes[i]) && !unicode.Is(unicode.Lt, s.runes[i])
}
