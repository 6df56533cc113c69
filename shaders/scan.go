package shaders

import (
	"regexp"
	"strings"
)

// token is a word of WGSL: a name, a number, an operator, or what a comment "// turns: …" says of the loop behind it.
type token struct {
	text  string
	line  int
	turns bool
}

var wgslToken = regexp.MustCompile(`^(?:[A-Za-z_]\w*|0[xX][0-9a-fA-F]+[iu]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fhiu]?|<<=|>>=|->|&&|\|\||==|!=|<=|>=|<<|>>|\+\+|--|[-+*/%&|^]=|.)`)

// turnsMark begins a comment that says how many turns the loop on the next line makes at most.
const turnsMark = "// turns:"

// scan cuts a text into tokens.
func scan(text string) []token {
	var all []token
	line := 0
	for code := range strings.Lines(text) {
		line++
		if said, ok := strings.CutPrefix(strings.TrimSpace(code), turnsMark); ok {
			all = append(all, token{text: strings.TrimSpace(said), line: line, turns: true})
			continue
		}
		code = uncommented(code)
		for {
			code = strings.TrimLeft(code, " \t\r\n")
			if code == "" {
				break
			}
			word := wgslToken.FindString(code)
			all = append(all, token{text: word, line: line})
			code = code[len(word):]
		}
	}
	return all
}

func isName(s string) bool {
	return s != "" && (s[0] == '_' || s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z')
}

func isNumber(s string) bool {
	return s != "" && (s[0] >= '0' && s[0] <= '9' || s[0] == '.' && len(s) > 1)
}

// matching returns the place of the bracket that closes the one at tokens[at], or the end.
func matching(tokens []token, at int) int {
	depth := 0
	for i := at; i < len(tokens); i++ {
		if tokens[i].turns {
			continue
		}
		switch tokens[i].text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(tokens)
}
