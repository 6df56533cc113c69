package tokenizer

import (
	"sync"
	"unicode"
)

// class is the set of Unicode properties of a code point that pre-tokenizers ask for.
type class uint8

const (
	letter      class = 1 << iota // \p{L}
	number                        // \p{N}
	punctuation                   // \p{P}
	space                         // \s: the property White_Space
	combining                     // \p{M}
	upper                         // \p{Lu}, \p{Lt}
	lower                         // \p{Ll}
	sign                          // \p{S}

	word = letter | number
)

// later holds the letters that Unicode 15.1 has and Go's tables, of Unicode 15.0, lack.
var later = &unicode.RangeTable{R32: []unicode.Range32{{Lo: 0x2EBF0, Hi: 0x2EE5D, Stride: 1}}}

// planeClasses holds the classes of the Basic Multilingual Plane, built once: a lookup in Go's range
// tables is too slow for a rune of every text.
var planeClasses = sync.OnceValue(func() *[0x10000]class {
	classes := new([0x10000]class)
	fill := func(table *unicode.RangeTable, c class) {
		for _, r := range table.R16 {
			for x := uint32(r.Lo); x <= uint32(r.Hi); x += uint32(r.Stride) {
				classes[x] |= c
			}
		}
	}
	fill(unicode.L, letter)
	fill(unicode.N, number)
	fill(unicode.P, punctuation)
	fill(unicode.White_Space, space)
	fill(unicode.M, combining)
	fill(unicode.Lu, upper)
	fill(unicode.Lt, upper)
	fill(unicode.Ll, lower)
	fill(unicode.S, sign)
	return classes
})

func supplementaryClass(r rune) class {
	switch {
	case unicode.Is(unicode.Lu, r):
		return letter | upper
	case unicode.Is(unicode.Ll, r):
		return letter | lower
	case unicode.Is(unicode.L, r) || unicode.Is(later, r):
		return letter
	case unicode.Is(unicode.N, r):
		return number
	case unicode.Is(unicode.P, r):
		return punctuation
	case unicode.Is(unicode.M, r):
		return combining
	case unicode.Is(unicode.S, r):
		return sign
	}
	return 0
}
