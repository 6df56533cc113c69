package shaders

import "strings"

// token is a word of WGSL: a name, a number, an operator, or what a line "//! turns: …" says of the loop behind it.
type token struct {
	text  string
	line  int
	turns bool
}

// turnsMark begins a line that says how many turns the loop on the next line makes at most.
const turnsMark = "//! turns:"

// scan cuts a text into tokens.
func scan(text string) []token {
	all := make([]token, 0, len(text)/4)
	line := 0
	for code := range strings.Lines(text) {
		line++
		if said, ok := strings.CutPrefix(strings.TrimSpace(code), turnsMark); ok {
			all = append(all, token{text: strings.TrimSpace(said), line: line, turns: true})
			continue
		}
		for code = unblank(uncommented(code)); code != ""; {
			n := wordLength(code)
			all = append(all, token{text: code[:n], line: line})
			code = unblank(code[n:])
		}
	}
	return all
}

// words cuts code without comments into words.
func words(code string) (all []string) {
	for code = unblank(code); code != ""; {
		n := wordLength(code)
		all = append(all, code[:n])
		code = unblank(code[n:])
	}
	return all
}

func unblank(code string) string {
	blank := 0
	for blank < len(code) && (code[blank] == ' ' || code[blank] == '\t' || code[blank] == '\r' || code[blank] == '\n') {
		blank++
	}
	return code[blank:]
}

// symbols are the operators of several characters, the longer first.
var symbols = []string{"<<=", ">>=", "->", "&&", "||", "==", "!=", "<=", ">=", "<<", ">>", "++", "--",
	"-=", "+=", "*=", "/=", "%=", "&=", "|=", "^="}

// wordLength is the length of the word that code begins with.
func wordLength(code string) int {
	n := 1
	switch {
	case isName(code):
		for n < len(code) && (isLetter(code[n]) || isDigit(code[n])) {
			n++
		}
	case isDigit(code[0]), code[0] == '.' && len(code) > 1 && isDigit(code[1]):
		// A sign belongs to the number behind the e of a decimal exponent.
		hex := strings.HasPrefix(code, "0x") || strings.HasPrefix(code, "0X")
		for n < len(code) && (isLetter(code[n]) || isDigit(code[n]) || code[n] == '.' ||
			(code[n] == '-' || code[n] == '+') && !hex && (code[n-1] == 'e' || code[n-1] == 'E')) {
			n++
		}
	case len(code) > 1 && strings.IndexByte("<>=&|+-", code[1]) >= 0: // all symbols' second
		for _, s := range symbols {
			if strings.HasPrefix(code, s) {
				return len(s)
			}
		}
	}
	return n
}

func isLetter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isName(s string) bool { return s != "" && isLetter(s[0]) }

func isNumber(s string) bool { return s != "" && (isDigit(s[0]) || s[0] == '.' && len(s) > 1) }

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
