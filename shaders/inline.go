package shaders

import (
	"fmt"
	"strings"
)

// inlineMark stands on a line before a function of one line whose calls inline writes out.
const inlineMark = "//! inline"

// oneLine takes such a function apart, with the blanks that the text has or without: its name, its parameters, and what it returns or
// does. A regular expression would be 400 kB of the tab's program.
func oneLine(line string) (name, parameters, body string, ok bool) {
	line, ok = strings.CutPrefix(line, "fn ")
	name, rest, opens := strings.Cut(line, "(")
	parameters, rest, closes := strings.Cut(rest, ")")
	_, rest, begins := strings.Cut(rest, "{")
	rest, ends := strings.CutSuffix(strings.TrimSpace(rest), "}")
	body, does := strings.CutSuffix(strings.TrimSpace(rest), ";")
	if body != "" && body[:wordLength(body)] == "return" {
		body = strings.TrimSpace(body[len("return"):])
	}
	ok = ok && opens && closes && begins && ends && does && name != "" && wordLength(name) == len(name) && !strings.Contains(parameters, "(")
	return name, parameters, body, ok
}

// inline puts the bodies of marked functions in place of their calls, so that what is a constant in a call is one in the body, too:
// Chromium checks no bounds there. A call's arguments stand on its line, each once evaluated as often as the body names it. The text
// keeps its lines.
func inline(text string) (string, error) {
	lines := strings.Split(text, "\n")
	for i := range lines {
		if strings.TrimSpace(lines[i]) != inlineMark {
			continue
		}
		if i+1 == len(lines) {
			return "", fmt.Errorf("shaders: no function follows %q", inlineMark)
		}
		function, given, body, ok := oneLine(lines[i+1])
		if !ok {
			return "", fmt.Errorf("shaders: %q cannot be written out where it is called", lines[i+1])
		}
		lines[i], lines[i+1] = "", ""
		var parameters []string
		for p := range strings.SplitSeq(given, ",") {
			name, _, _ := strings.Cut(p, ":")
			parameters = append(parameters, strings.TrimSpace(name))
		}
		for j := range lines {
			if strings.Contains(lines[j], function+"(") {
				lines[j] = called(lines[j], function, parameters, body)
			}
		}
	}
	return strings.Join(lines, "\n"), nil
}

// called writes a function's body in place of its calls on a line.
func called(line, name string, parameters []string, body string) string {
	var out strings.Builder
	for line != "" {
		word := line[:wordLength(line)]
		if word != name || !strings.HasPrefix(line[len(word):], "(") {
			out.WriteString(word)
			line = line[len(word):]
			continue
		}
		given, rest := arguments(line[len(word)+1:])
		line = rest
		for text := body; text != ""; {
			w := text[:wordLength(text)]
			text = text[len(w):]
			for i, p := range parameters {
				if w == p && i < len(given) {
					w = given[i]
					break
				}
			}
			out.WriteString(w)
		}
	}
	return out.String()
}

// arguments splits what follows a call's opening parenthesis at its commas, and returns what is behind the closing one.
func arguments(text string) (given []string, rest string) {
	depth, from := 0, 0
	for i, c := range text {
		switch {
		case c == '(' || c == '[':
			depth++
		case c == ',' && depth == 0:
			given, from = append(given, strings.TrimSpace(text[from:i])), i+1
		case c == ')' && depth == 0:
			return append(given, strings.TrimSpace(text[from:i])), text[i+1:]
		case c == ')' || c == ']':
			depth--
		}
	}
	return given, ""
}
