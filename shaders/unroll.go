package shaders

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// mark stands on a line before a loop that unroll writes out.
const mark = "//! unroll"

// unroll repeats the bodies of marked loops with their counters written as numbers. Drivers keep an array in registers, and
// matrix fragments above all, only where every index is a constant, and not all of them unroll large bodies themselves. A
// marked loop counts up by one from 0 to a constant that the text declares as a number, nothing leaves it early, and its last
// line ends with its brace. The text keeps its lines, so that errors still name the right one.
func unroll(text string) (string, error) {
	u := unroller{}
	lines := strings.Split(text, "\n")
	for _, line := range lines {
		u.declare(line)
	}
	lines, err := u.expand(lines)
	return strings.Join(lines, "\n"), err
}

// unroller is the numbers that constants stand for.
type unroller map[string]int

// declare notes a constant that a line declares as a number: "const NAME: u32 = 12u;".
func (u unroller) declare(line string) {
	if !strings.HasPrefix(line, "const ") {
		return
	}
	w := words(line)
	if len(w) < 7 || w[2] != ":" || w[3] != "u32" || w[4] != "=" || w[6] != ";" {
		return
	}
	if n, err := strconv.ParseUint(strings.TrimSuffix(w[5], "u"), 10, 31); err == nil {
		u[w[1]] = int(n)
	}
}

// expand returns as many lines as it is given.
func (u unroller) expand(lines []string) ([]string, error) {
	var out []string
	for i := 0; i < len(lines); i++ {
		out = append(out, lines[i])
		if strings.TrimSpace(lines[i]) != mark {
			continue
		}
		end := loopEnd(lines, i+1)
		if end < 0 {
			return nil, fmt.Errorf("shaders: no loop follows %q", mark)
		}
		loop, err := u.loop(lines[i+1 : end+1])
		if err != nil {
			return nil, err
		}
		out = append(out, loop...)
		i = end
	}
	return out, nil
}

// loopEnd returns the line that ends with the last brace of what begins on line at, or -1 where there is none, or more on it.
func loopEnd(lines []string, at int) int {
	depth := 0
	for i := at; i < len(lines); i++ {
		code := uncommented(lines[i])
		if strings.Contains(code, "/*") {
			return -1
		}
		for n, c := range code {
			switch c {
			case '{':
				depth++
			case '}':
				depth--
			default:
				continue
			}
			if depth > 0 {
				continue
			}
			if strings.TrimSpace(lines[i][n:]) == "}" {
				return i
			}
			return -1
		}
	}
	return -1
}

// loop writes out one loop: its first round on the loop's own lines, the others behind its end.
func (u unroller) loop(lines []string) ([]string, error) {
	first := strings.TrimSpace(lines[0])
	counter, rounds := u.head(words(uncommented(first)))
	switch {
	case counter == "":
		return nil, fmt.Errorf("shaders: %q cannot be unrolled", first)
	case rounds < 1:
		return nil, fmt.Errorf("shaders: the bound of %q is no number above 0", first)
	}
	indent := lines[0][:strings.Index(lines[0], "for")]
	_, inside, _ := strings.Cut(lines[0], "{")
	body := append([]string{indent + "{" + inside}, lines[1:]...)
	body, err := u.expand(body)
	if err != nil {
		return nil, err
	}
	all := joined(body)
	for _, w := range words(all) {
		if slices.Contains([]string{"break", "continue", "return"}, w) {
			return nil, fmt.Errorf("shaders: a %s leaves the unrolled loop %q", w, first)
		}
	}
	out := make([]string, len(body))
	for i, line := range body {
		out[i] = strings.Join(around(line, counter), "0u")
	}
	parts := around(all, counter)
	last := []string{out[len(out)-1]}
	for n := 1; n < rounds; n++ {
		last = append(last, strings.Join(parts, strconv.Itoa(n)+"u"))
	}
	out[len(out)-1] = strings.Join(last, " ")
	return out, nil
}

// head gives the counter and the rounds of "for (var i = 0u; i < N; i++) {"; no counter where a loop begins otherwise.
func (u unroller) head(w []string) (counter string, rounds int) {
	if len(w) < 15 || !isName(w[3]) {
		return "", 0
	}
	i, bound := w[3], w[9]
	if !slices.Equal(w[:15], []string{"for", "(", "var", i, "=", "0u", ";", i, "<", bound, ";", i, "++", ")", "{"}) {
		return "", 0
	}
	return i, u[bound]
}

// around cuts a text at the places where a name stands for itself, not for a member.
func around(text, name string) (parts []string) {
	inside := func(i int) bool { return i >= 0 && i < len(text) && (isLetter(text[i]) || isDigit(text[i])) }
	from, at := 0, 0
	for {
		next := strings.Index(text[at:], name)
		if next < 0 {
			return append(parts, text[from:])
		}
		next += at
		at = next + len(name)
		if !inside(next-1) && !inside(at) && (next == 0 || text[next-1] != '.') {
			parts, from = append(parts, text[from:next]), at
		}
	}
}

// joined is code as one line, without comments.
func joined(lines []string) string {
	var all []string
	for _, line := range lines {
		if code := strings.TrimSpace(uncommented(line)); code != "" {
			all = append(all, code)
		}
	}
	return strings.Join(all, " ")
}

func uncommented(line string) string {
	code, _, _ := strings.Cut(line, "//")
	return code
}
