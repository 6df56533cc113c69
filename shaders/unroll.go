package shaders

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// mark stands on a line before a loop that unroll writes out.
const mark = "// unroll"

// unroll repeats the bodies of marked loops with their counters written as numbers. Drivers keep an array in registers, and
// matrix fragments above all, only where every index is a constant, and not all of them unroll large bodies themselves. A
// marked loop counts up by one from 0 to a constant that the text declares as a number, nothing leaves it early, and its last
// line ends with its brace. The text keeps its lines, so that errors still name the right one.
func unroll(text string) (string, error) {
	u := unroller{}
	for _, m := range numberConst.FindAllStringSubmatch(text, -1) {
		u[m[1]], _ = strconv.Atoi(m[2]) // digits
	}
	lines, err := u.expand(strings.Split(text, "\n"))
	return strings.Join(lines, "\n"), err
}

// unroller is the numbers that constants stand for.
type unroller map[string]int

var (
	numberConst = regexp.MustCompile(`(?m)^const (\w+): u32 = (\d{1,9})u;`)
	loopHead    = regexp.MustCompile(`^(\s*)for \(var (\w+) = 0u; (\w+) < (\w+); (\w+)\+\+\) \{`)
	leaves      = regexp.MustCompile(`\b(break|continue|return)\b`)
)

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
	head := loopHead.FindStringSubmatch(lines[0])
	if head == nil || head[2] != head[3] || head[2] != head[5] {
		return nil, fmt.Errorf("shaders: %q cannot be unrolled", first)
	}
	rounds := u[head[4]]
	if rounds < 1 {
		return nil, fmt.Errorf("shaders: the bound of %q is no number above 0", first)
	}
	body := append([]string{head[1] + "{" + lines[0][len(head[0]):]}, lines[1:]...)
	body, err := u.expand(body)
	if err != nil {
		return nil, err
	}
	all := joined(body)
	if m := leaves.FindString(all); m != "" {
		return nil, fmt.Errorf("shaders: a %s leaves the unrolled loop %q", m, first)
	}
	counter := regexp.MustCompile(`(^|[^.\w])` + head[2] + `\b`)
	round := func(text string, n int) string { return counter.ReplaceAllString(text, fmt.Sprintf("${1}%du", n)) }
	out := make([]string, len(body))
	for i, line := range body {
		out[i] = round(line, 0)
	}
	for n := 1; n < rounds; n++ {
		out[len(out)-1] += " " + round(all, n)
	}
	return out, nil
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
