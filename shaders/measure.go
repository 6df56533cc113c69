package shaders

import "strings"

// length names what is known of an array's length, beside the names of a text.
func length(array string) string { return "length of " + array }

// measure notes the length of the array that "var name: array<type, length>" declares, and that name is no constant.
func measure(tokens []token, known *scope) {
	name := 1
	if name < len(tokens) && tokens[name].text == "<" {
		for name < len(tokens) && tokens[name].text != ">" {
			name++
		}
		name++
	}
	if name+3 >= len(tokens) {
		return
	}
	known.set(tokens[name].text, value{})
	known.set(length(tokens[name].text), value{})
	if tokens[name+1].text != ":" || tokens[name+2].text != "array" {
		return
	}
	depth, comma := 0, 0
	for i := name + 3; i < len(tokens); i++ {
		switch s := tokens[i].text; {
		case s == "<":
			depth++
		case s == "," && depth == 1:
			comma = i
		case s == ">" || s == ">>" || s == ">=":
			if depth -= len(strings.TrimSuffix(s, "=")); depth > 0 {
				continue
			}
			if comma > 0 {
				known.set(length(tokens[name].text), fold(tokens[comma+1:i], known))
			}
			return
		}
	}
}
