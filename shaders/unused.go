package shaders

import (
	"slices"
	"strings"
)

// function is one of a file's functions, whole lines of it, and what it calls.
type function struct {
	name        string
	first, past int // lines from 0
	calls       []string
}

// functionsOf finds the functions of a bare text.
func functionsOf(text string) (all []function) {
	depth, number := 0, 0
	for line := range strings.Lines(text) {
		if _, _, ok := directive(line); !ok {
			if depth == 0 && strings.HasPrefix(line, "fn ") {
				all = append(all, function{name: line[3 : 3+wordLength(line[3:])], first: number})
			}
			inside := len(all) > 0 && all[len(all)-1].past == 0
			if depth += strings.Count(line, "{") - strings.Count(line, "}"); inside {
				f := &all[len(all)-1]
				f.call(line)
				if depth == 0 && strings.Contains(line, "}") {
					f.past = number + 1
				}
			}
		}
		number++
	}
	return all
}

// call notes what a line calls.
func (f *function) call(line string) {
	for at := 0; at < len(line); {
		from := at
		for at < len(line) && (isLetter(line[at]) || isDigit(line[at])) {
			at++
		}
		past := at
		for at < len(line) && line[at] == ' ' {
			at++
		}
		if past > from && at < len(line) && line[at] == '(' && !slices.Contains(f.calls, line[from:past]) {
			f.calls = append(f.calls, line[from:past])
		}
		at = max(at, from+1)
	}
}

// leaveUnused empties the lines of the functions that main does not come to: a browser takes as long to read them as others.
func (r *recipe) leaveUnused() {
	named := map[string]*function{}
	for _, s := range r.sources {
		for i := range s.functions {
			named[s.functions[i].name] = &s.functions[i]
		}
	}
	used := map[*function]bool{}
	for next := []string{"main"}; len(next) > 0; {
		f := named[next[len(next)-1]]
		next = next[:len(next)-1]
		if f != nil && !used[f] {
			used[f] = true
			next = append(next, f.calls...)
		}
	}
	for _, s := range r.sources {
		text, line := s.text, 0
		var out strings.Builder
		for i := range s.functions {
			f := &s.functions[i]
			if used[f] {
				continue
			}
			before := afterLines(text, f.first-line)
			out.WriteString(text[:before])
			text = text[before:]
			text = text[afterLines(text, f.past-f.first):]
			out.WriteString(strings.Repeat("\n", f.past-f.first))
			line = f.past
		}
		out.WriteString(text)
		r.texts = append(r.texts, out.String())
	}
}

// afterLines is where so many lines end.
func afterLines(text string, n int) int {
	at := 0
	for range n {
		at += strings.IndexByte(text[at:], '\n') + 1
	}
	return at
}
