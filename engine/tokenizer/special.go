package tokenizer

import (
	"sort"
	"strings"
)

// specials finds the tokens that are taken out of a text before it is split. Longer ones come first.
type specials struct {
	lengths []int // of the tokens, in bytes, from the longest
	byText  map[string]int32
	starts  [256]bool // bytes that a token starts with
}

func newSpecials(tokens []string, marks []mark, which func(mark) bool) *specials {
	s := &specials{byText: map[string]int32{}}
	seen := map[int]bool{}
	for id, token := range tokens {
		if token == "" || !which(marks[id]) {
			continue
		}
		s.byText[token] = int32(id)
		s.starts[token[0]] = true
		if !seen[len(token)] {
			seen[len(token)] = true
			s.lengths = append(s.lengths, len(token))
		}
	}
	sort.SliceStable(s.lengths, func(i, j int) bool { return s.lengths[i] > s.lengths[j] })
	return s
}

// fragment is a stretch of text, or a special token where id is not None.
type fragment struct {
	text string
	id   int32
}

// cut takes the special tokens out of text: all of the longest, then the next in what remains.
func (s *specials) cut(text string, marks []mark) []fragment {
	fragments := []fragment{{text, None}}
	if !s.startsIn(text) {
		return fragments
	}
	var next []fragment
	for _, length := range s.lengths {
		next = next[:0]
		for _, f := range fragments {
			if f.id != None {
				next = append(next, f)
			} else {
				next = s.cutLength(f.text, length, marks, next)
			}
		}
		fragments, next = next, fragments
	}
	return fragments
}

func (s *specials) startsIn(text string) bool {
	for i := range len(text) {
		if s.starts[text[i]] {
			return true
		}
	}
	return false
}

func (s *specials) cutLength(text string, length int, marks []mark, out []fragment) []fragment {
	start := 0
	for i := 0; i+length <= len(text); {
		id, ok := None, false
		if s.starts[text[i]] {
			id, ok = s.byText[text[i:i+length]]
		}
		if !ok {
			i++
			continue
		}
		before := text[start:i]
		if marks[id]&markStripLeft != 0 {
			before = strings.TrimRight(before, " \t\n\v\f\r")
		}
		if before != "" {
			out = append(out, fragment{before, None})
		}
		out = append(out, fragment{id: id})
		i += length
		if marks[id]&markStripRight != 0 {
			i += len(text[i:]) - len(strings.TrimLeft(text[i:], " \t\n\v\f\r"))
		}
		start = i
	}
	if start < len(text) {
		out = append(out, fragment{text[start:], None})
	}
	return out
}
