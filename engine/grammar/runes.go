package grammar

import (
	"sort"
	"unicode/utf8"
)

// span is the runes lo to hi.
type span struct{ lo, hi rune }

// runeSet is sorted, without overlaps.
type runeSet []span

const lastRune = 0x10FFFF

// newSet sorts spans and joins those that touch. Halves of surrogate pairs are no runes.
func newSet(spans ...span) runeSet {
	sorted := append(runeSet(nil), spans...)
	for i := 1; i < len(sorted); i++ {
		if sorted[i].lo < sorted[i-1].lo {
			sort.Slice(sorted, func(i, j int) bool { return sorted[i].lo < sorted[j].lo })
			break
		}
	}
	var out runeSet
	for _, s := range sorted {
		if s.lo > s.hi {
			continue
		}
		if n := len(out); n > 0 && s.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, s.hi)
		} else {
			out = append(out, s)
		}
	}
	return out
}

func (s runeSet) not() runeSet {
	var out runeSet
	next := rune(0)
	for _, r := range s {
		if r.lo > next {
			out = append(out, span{next, r.lo - 1})
		}
		next = r.hi + 1
	}
	if next <= lastRune {
		out = append(out, span{next, lastRune})
	}
	return out
}

func (s runeSet) has(r rune) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].hi >= r })
	return i < len(s) && s[i].lo <= r
}

// bytesOf gives the sequences of byte ranges that are the set's UTF-8.
func (s runeSet) bytesOf(each func(ranges [][2]byte)) {
	edges := [...]rune{0, 0x7F, 0x7FF, 0xD7FF, 0xDFFF, 0xFFFF, lastRune}
	for _, r := range s {
		for i := 1; i < len(edges); i++ {
			low := edges[i-1] + 1
			if i == 1 {
				low = 0
			}
			if i == 4 { // surrogates
				continue
			}
			if lo, hi := max(r.lo, low), min(r.hi, edges[i]); lo <= hi {
				split(lo, hi, each)
			}
		}
	}
}

// split takes runes of one encoded length apart, until each position's byte is free of those before it.
func split(lo, hi rune, each func(ranges [][2]byte)) {
	n := utf8.RuneLen(lo)
	for i := 1; i < n; i++ {
		m := rune(1)<<(6*i) - 1
		if lo&^m != hi&^m {
			if lo&m != 0 {
				split(lo, lo|m, each)
				split((lo|m)+1, hi, each)
				return
			}
			if hi&m != m {
				split(lo, hi&^m-1, each)
				split(hi&^m, hi, each)
				return
			}
		}
	}
	var a, b [4]byte
	utf8.EncodeRune(a[:], lo)
	utf8.EncodeRune(b[:], hi)
	ranges := make([][2]byte, n)
	for i := range ranges {
		ranges[i] = [2]byte{a[i], b[i]}
	}
	each(ranges)
}
