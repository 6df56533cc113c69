package chat

import (
	"strings"
	"unicode"
)

// wordWrap breaks lines that are wider than a width, as Python's textwrap does.
func wordWrap(e *evaluator, line int, v any, a []any) any {
	text := wantText(line, v, "what is wrapped")
	w := wrapper{width: wantInteger(line, or(a[0], int64(79)), "width"), breakWords: truth(or(a[1], true)), breakHyphens: truth(or(a[3], true))}
	between := "\n"
	if given := or(a[2], nil); given != nil {
		between = wantText(line, given, "wrapstring")
	}
	var out []any
	for _, paragraph := range lines(text, false) {
		e.cost(line, len(paragraph)>>2)
		if w.width <= 0 {
			fail(line, "a line's width must be above 0, it is %d", w.width)
		}
		var wrapped []any
		for _, l := range w.wrap(paragraph) {
			wrapped = append(wrapped, l)
		}
		out = append(out, e.joinAll(line, wrapped, between))
	}
	return e.joinAll(line, out, between)
}

type wrapper struct {
	width                    int
	breakWords, breakHyphens bool
}

const wrapSpaces = "\t\n\v\f\r "

func (w wrapper) wrap(text string) []string {
	chunks := w.chunks([]rune(text))
	var out []string
	for len(chunks) > 0 {
		if blank(chunks[0]) && len(out) > 0 {
			if chunks = chunks[1:]; len(chunks) == 0 {
				break
			}
		}
		var row []string
		used := 0
		for len(chunks) > 0 && used+runeCount(chunks[0]) <= w.width {
			used += runeCount(chunks[0])
			row, chunks = append(row, chunks[0]), chunks[1:]
		}
		if len(chunks) > 0 && runeCount(chunks[0]) > w.width {
			row, chunks = w.long(row, chunks, used)
		}
		if n := len(row); n > 0 && blank(row[n-1]) {
			row = row[:n-1]
		}
		if len(row) > 0 {
			out = append(out, strings.Join(row, ""))
		}
	}
	return out
}

func blank(chunk string) bool { return strings.TrimFunc(chunk, isSpace) == "" }

// long takes what fits of a chunk that is wider than a line.
func (w wrapper) long(row, chunks []string, used int) ([]string, []string) {
	space := w.width - used
	if !w.breakWords {
		if len(row) == 0 {
			return append(row, chunks[0]), chunks[1:]
		}
		return row, chunks
	}
	runes, end := []rune(chunks[0]), space
	if w.breakHyphens && len(runes) > space {
		at := space - 1
		for at > 0 && runes[at] != '-' {
			at--
		}
		if at > 0 && strings.Trim(string(runes[:at]), "-") != "" {
			end = at + 1
		}
	}
	rest := append([]string{string(runes[end:])}, chunks[1:]...)
	return append(row, string(runes[:end])), rest
}

// chunks cuts a text where it may be broken: around white space, after the hyphens of words, around dashes.
func (w wrapper) chunks(text []rune) []string {
	var out []string
	for i := 0; i < len(text); {
		end := i
		for end < len(text) && strings.ContainsRune(wrapSpaces, text[end]) {
			end++
		}
		if end == i {
			end = w.word(text, i)
		}
		out = append(out, string(text[i:end]))
		i = end
	}
	return out
}

// word gives the end of the word, or of the part of one, that begins at a place.
func (w wrapper) word(text []rune, start int) int {
	at := func(i int) rune {
		if i < 0 || i >= len(text) {
			return 0
		}
		return text[i]
	}
	letter := func(i int) bool { r := at(i); return isWord(r) && !unicode.Is(unicode.Nd, r) }
	punctuated := func(i int) bool { r := at(i); return r != 0 && (isWord(r) || strings.ContainsRune(`!"'&.,?`, r)) }
	dashes := func(i int) int { // the end of a dash of several hyphens before a word, or 0
		n := i
		for at(n) == '-' {
			n++
		}
		if n-i >= 2 && isWord(at(n)) {
			return n
		}
		return 0
	}
	if w.breakHyphens && punctuated(start-1) {
		if end := dashes(start); end > 0 {
			return end
		}
	}
	for i := start + 1; ; i++ {
		if i == len(text) || strings.ContainsRune(wrapSpaces, text[i]) {
			return i
		}
		if !w.breakHyphens {
			continue
		}
		if text[i] == '-' && (letter(i-1) && letter(i-2) || punctuated(i-1) && at(i-2) == '-' && letter(i-3)) &&
			letter(i+1) && (letter(i+2) || at(i+2) == '-' && letter(i+3)) {
			return i + 1
		}
		if punctuated(i-1) && dashes(i) > 0 {
			return i
		}
	}
}
