package tokenizer

// gpt2 is the pattern of GPT-2:
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func gpt2(s *scan, start, end int, cuts []int) []int {
	for i := start; i < end; {
		i = s.gpt2(i, end)
		cuts = append(cuts, i)
	}
	return cuts
}

// llama3 is the pattern of Llama 3:
//
//	(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
func llama3(s *scan, start, end int, cuts []int) []int {
	for i := start; i < end; {
		i = s.llama3(i, end, 3, letter)
		cuts = append(cuts, i)
	}
	return cuts
}

// qwen2 is llama3 with every number alone.
func qwen2(s *scan, start, end int, cuts []int) []int {
	for i := start; i < end; {
		i = s.llama3(i, end, 1, letter)
		cuts = append(cuts, i)
	}
	return cuts
}

// qwen35 is qwen2 whose letters are [\p{L}\p{M}].
func qwen35(s *scan, start, end int, cuts []int) []int {
	for i := start; i < end; {
		i = s.llama3(i, end, 1, letter|combining)
		cuts = append(cuts, i)
	}
	return cuts
}

// gpt2 gives the end of the pre-token that starts at i.
func (s *scan) gpt2(i, end int) int {
	if n := s.contraction(i, end, false); n > 0 {
		return i + n
	}
	from := s.afterSpace(i, end)
	switch c := s.classes[from]; {
	case c&letter != 0:
		return run(s, from, end, isLetter)
	case c&number != 0:
		return run(s, from, end, isNumber)
	case c&space == 0:
		return run(s, from, end, isOther)
	}
	return s.whiteSpace(i, end)
}

// llama3 gives the end of the pre-token that starts at i, with at most digits numbers in one and words of some classes.
func (s *scan) llama3(i, end, digits int, letters class) int {
	isLetter := func(s *scan, i int) bool { return s.classes[i]&letters != 0 }
	isOther := func(s *scan, i int) bool { return s.classes[i]&(letters|number|space) == 0 }
	if n := s.contraction(i, end, true); n > 0 {
		return i + n
	}
	c := s.classes[i]
	if c&letters != 0 {
		return run(s, i, end, isLetter)
	}
	if c&number != 0 {
		return run(s, i, min(end, i+digits), isNumber)
	}
	if !isNewline(s, i) && i+1 < end && s.classes[i+1]&letters != 0 {
		return run(s, i+1, end, isLetter)
	}
	if from := s.afterSpace(i, end); isOther(s, from) {
		return run(s, run(s, from, end, isOther), end, isNewline)
	}
	spaces := run(s, i, end, isSpace)
	for j := spaces; j > i; j-- {
		if isNewline(s, j-1) {
			return j
		}
	}
	return s.whiteSpace(i, end)
}

// whiteSpace ends a run of white space before its last rune, which belongs to what follows, unless
// nothing follows or there is only one: \s+(?!\S)|\s+.
func (s *scan) whiteSpace(i, end int) int {
	to := run(s, i, end, isSpace)
	if to < end && to-i > 1 {
		return to - 1
	}
	return to
}

// afterSpace skips one ASCII space that something follows.
func (s *scan) afterSpace(i, end int) int {
	if s.runes[i] == ' ' && i+1 < end {
		return i + 1
	}
	return i
}

// contraction gives the length of the English contraction at i, or 0.
func (s *scan) contraction(i, end int, anyCase bool) int {
	if s.runes[i] != '\'' || i+1 >= end {
		return 0
	}
	at := func(j int) rune {
		if j >= end {
			return 0
		}
		if r := s.runes[j]; anyCase && 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return s.runes[j]
	}
	switch second := at(i + 2); at(i + 1) {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if second == 'e' {
			return 3
		}
	case 'l':
		if second == 'l' {
			return 3
		}
	}
	return 0
}

func isSpace(s *scan, i int) bool { return s.classes[i]&space != 0 }
func isOther(s *scan, i int) bool { return s.classes[i]&(word|space) == 0 }
