package shaders

import "strings"

// Bare gives a file without what only people read: comments, indentation, and what constants mean. Every line keeps its number.
// Composition takes nothing else from a file, so that a build may hold bare files: the tab's does.
func Bare(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for line := range strings.Lines(text) {
		word, rest, ok := directive(line)
		switch {
		case ok && (word == "const" || word == "most"):
			name, kind, _ := strings.Cut(rest, ":")
			kind, _, _ = strings.Cut(strings.TrimSpace(kind), " ")
			line = directiveMark + " " + word + " " + name + ": " + kind + " ."
		case !ok:
			line = uncommented(line)
		}
		out.WriteString(strings.TrimSpace(line))
		out.WriteByte('\n')
	}
	return out.String()
}

// Tight gives a bare file without the blanks that part no words: the tab's files are, of which a page has all to fetch.
func Tight(bare string) string {
	var out strings.Builder
	out.Grow(len(bare))
	for line := range strings.Lines(bare) {
		if _, _, ok := directive(line); ok {
			out.WriteString(line)
			continue
		}
		for i := range len(line) {
			if line[i] == ' ' && i > 0 && parts(line[i-1], line[i+1]) {
				continue
			}
			out.WriteByte(line[i])
		}
	}
	return out.String()
}

// parts tells whether two characters are of two words without a blank between them.
func parts(left, right byte) bool {
	name := func(c byte) bool { return isLetter(c) || isDigit(c) || c == '.' }
	alone := func(c byte) bool { return strings.IndexByte("(){}[],;:", c) >= 0 }
	return alone(left) || alone(right) || name(left) != name(right)
}
