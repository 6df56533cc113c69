package tokenizer

// pass cuts the runes [start, end) into pieces and appends where each piece ends.
type pass func(s *scan, start, end int, cuts []int) []int

// predicate tells whether the rune at i belongs to a pattern's set.
type predicate func(s *scan, i int) bool

// each cuts out every rune of a set alone: the pattern [set].
func each(in predicate) pass {
	return matches(func(s *scan, i, end int) int {
		if in(s, i) {
			return i + 1
		}
		return i
	})
}

// runs cuts out the longest runs of a set: [set]+.
func runs(in predicate) pass {
	return matches(func(s *scan, i, end int) int { return run(s, i, end, in) })
}

// spaced cuts out the longest runs of a set, each with one white space before it: \s?[set]+.
func spaced(in predicate) pass {
	return matches(func(s *scan, i, end int) int {
		from := i
		if s.classes[i]&space != 0 {
			from++
		}
		if to := run(s, from, end, in); to > from {
			return to
		}
		return i
	})
}

// threeDigits cuts out groups of three ASCII digits: [0-9][0-9][0-9].
var threeDigits = matches(func(s *scan, i, end int) int {
	if i+3 <= end && isDigit(s, i) && isDigit(s, i+1) && isDigit(s, i+2) {
		return i + 3
	}
	return i
})

// trailingSpace cuts white space off the end of a piece: \s+$.
func trailingSpace(s *scan, start, end int, cuts []int) []int {
	text := end
	for text > start && s.classes[text-1]&space != 0 {
		text--
	}
	if text > start {
		cuts = append(cuts, text)
	}
	if text < end {
		cuts = append(cuts, end)
	}
	return cuts
}

// matches makes a pass of a pattern: match gives the end of the match that starts at i, or i for none.
// What lies between matches stays whole.
func matches(match func(s *scan, i, end int) int) pass {
	return func(s *scan, start, end int, cuts []int) []int {
		for i := start; i < end; {
			to := match(s, i, end)
			if to == i {
				i++
				continue
			}
			if i > start {
				cuts = append(cuts, i)
			}
			cuts = append(cuts, to)
			start, i = to, to
		}
		if start < end {
			cuts = append(cuts, end)
		}
		return cuts
	}
}

func run(s *scan, i, end int, in predicate) int {
	for i < end && in(s, i) {
		i++
	}
	return i
}
