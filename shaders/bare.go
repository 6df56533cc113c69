package shaders

import "strings"

// Bare gives a file without what only people read: comments, indentation, and what constants mean. Every line keeps its number.
// Composition takes nothing else from a file, so that a build may hold bare files: the tab's does.
func Bare(text string) string {
	var out strings.Builder
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
