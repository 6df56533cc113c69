package shaders

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// value is what an expression of constants folds to; an unknown one depends on what is known only when the kernel runs.
type value struct {
	known   bool
	integer bool
	x       float64
}

func integer(x float64) value { return value{true, true, x} }

func truth(b bool) value {
	if b {
		return integer(1)
	}
	return integer(0)
}

// folder folds expressions as compilers do, with what constants and lets stand for.
type folder struct {
	tokens []token
	at     int
	known  *scope
}

// fold folds the expression of all of the tokens.
func fold(tokens []token, known *scope) value {
	f := folder{tokens: tokens, known: known}
	v := f.binary(0)
	if f.at < len(tokens) {
		return value{}
	}
	return v
}

// operators by how strongly they bind.
var operators = [][]string{{"||"}, {"&&"}, {"|"}, {"^"}, {"&"}, {"==", "!="}, {"<", ">", "<=", ">="}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"}}

func (f *folder) peek() string {
	if f.at < len(f.tokens) && !f.tokens[f.at].turns {
		return f.tokens[f.at].text
	}
	return ""
}

func (f *folder) binary(level int) value {
	if level == len(operators) {
		return f.unary()
	}
	v := f.binary(level + 1)
	for {
		op := f.peek()
		if op == "" || !slices.Contains(operators[level], op) {
			return v
		}
		f.at++
		v = operate(op, v, f.binary(level+1))
	}
}

func operate(op string, a, b value) value {
	switch {
	case op == "&&" && (a.known && a.x == 0 || b.known && b.x == 0):
		return truth(false)
	case op == "||" && (a.known && a.x != 0 || b.known && b.x != 0):
		return truth(true)
	case !a.known || !b.known:
		return value{}
	}
	whole := a.integer && b.integer
	switch op {
	case "||", "|":
		return integer(float64(int64(a.x) | int64(b.x)))
	case "&&", "&":
		return integer(float64(int64(a.x) & int64(b.x)))
	case "^":
		return integer(float64(int64(a.x) ^ int64(b.x)))
	case "==":
		return truth(a.x == b.x)
	case "!=":
		return truth(a.x != b.x)
	case "<":
		return truth(a.x < b.x)
	case ">":
		return truth(a.x > b.x)
	case "<=":
		return truth(a.x <= b.x)
	case ">=":
		return truth(a.x >= b.x)
	case "<<":
		return value{b.x < 32, whole, a.x * math.Exp2(b.x)}
	case ">>":
		return value{b.x < 32, whole, math.Floor(a.x / math.Exp2(b.x))}
	case "+":
		return value{true, whole, a.x + b.x}
	case "-":
		return value{true, whole, a.x - b.x}
	case "*":
		return value{true, whole, a.x * b.x}
	case "/":
		if whole {
			return value{b.x != 0, true, math.Trunc(a.x / b.x)}
		}
		return value{b.x != 0, false, a.x / b.x}
	case "%":
		return value{b.x != 0, whole, math.Mod(a.x, b.x)}
	}
	return value{}
}

func (f *folder) unary() value {
	switch f.peek() {
	case "!":
		f.at++
		v := f.unary()
		return value{v.known, true, truth(v.x == 0).x}
	case "-":
		f.at++
		v := f.unary()
		return value{v.known, v.integer, -v.x}
	case "~", "&", "*":
		f.at++
		f.unary()
		return value{}
	}
	v := f.primary()
	for {
		switch f.peek() {
		case ".":
			f.at += 2
		case "[":
			f.at = min(matching(f.tokens, f.at)+1, len(f.tokens))
		default:
			return v
		}
		v = value{}
	}
}

func (f *folder) primary() value {
	word := f.peek()
	f.at++
	switch {
	case word == "(":
		end := matching(f.tokens, f.at-1)
		v := fold(f.tokens[f.at:end], f.known)
		f.at = min(end+1, len(f.tokens))
		return v
	case word == "true" || word == "false":
		return truth(word == "true")
	case isNumber(word):
		return number(word)
	case !isName(word):
		return value{}
	}
	if f.peek() == "<" && f.typed() {
		f.at = f.typeEnd()
	}
	if f.peek() != "(" {
		return f.known.of(word)
	}
	end := matching(f.tokens, f.at)
	var arguments []value
	for _, part := range split(f.tokens[f.at+1:end], ",") {
		arguments = append(arguments, fold(part, f.known))
	}
	f.at = min(end+1, len(f.tokens))
	return call(word, arguments)
}

// typed says whether a "<" begins the types of a call such as vec4<f32>(…), not a comparison.
func (f *folder) typed() bool {
	end := f.typeEnd()
	return end > 0 && end < len(f.tokens) && f.tokens[end].text == "("
}

func (f *folder) typeEnd() int {
	depth := 0
	for i := f.at; i < len(f.tokens); i++ {
		switch s := f.tokens[i].text; {
		case s == "<":
			depth++
		case s == ">" || s == ">>":
			if depth -= len(s); depth <= 0 {
				return i + 1
			}
		case s != "," && !isName(s) && !isNumber(s):
			return -1
		}
	}
	return -1
}

func number(word string) value {
	digits := strings.TrimRight(word, "iufh")
	if strings.HasPrefix(word, "0x") || strings.HasPrefix(word, "0X") {
		n, err := strconv.ParseUint(strings.TrimRight(word[2:], "iu"), 16, 64)
		return value{err == nil, true, float64(n)}
	}
	x, err := strconv.ParseFloat(digits, 64)
	return value{err == nil, !strings.ContainsAny(digits, ".eE") && !strings.HasSuffix(word, "f") && !strings.HasSuffix(word, "h"), x}
}

// call folds the built-in functions that bounds are made of.
func call(name string, a []value) value {
	known := len(a) > 0
	for _, v := range a {
		known = known && v.known
	}
	switch {
	case !known:
		return value{}
	case name == "min" && len(a) == 2:
		return value{true, a[0].integer, min(a[0].x, a[1].x)}
	case name == "max" && len(a) == 2:
		return value{true, a[0].integer, max(a[0].x, a[1].x)}
	case name == "select" && len(a) == 3:
		if a[2].x != 0 {
			return a[1]
		}
		return a[0]
	case (name == "u32" || name == "i32") && len(a) == 1:
		return integer(math.Trunc(a[0].x))
	case name == "f32" && len(a) == 1:
		return value{true, false, a[0].x}
	}
	return value{}
}

// split cuts tokens at a separator outside brackets.
func split(tokens []token, separator string) [][]token {
	var parts [][]token
	first := 0
	for i := 0; i < len(tokens); i++ {
		if tokens[i].turns {
			continue
		}
		switch s := tokens[i].text; s {
		case "(", "[", "{":
			i = matching(tokens, i)
		case separator:
			parts = append(parts, tokens[first:i])
			first = i + 1
		}
	}
	if first < len(tokens) {
		parts = append(parts, tokens[first:])
	}
	return parts
}
