package gputest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	arrays    = regexp.MustCompile(`(?m)^var<workgroup> (\w+): (array<.*>);`)
	constants = regexp.MustCompile(`(?m)^const (\w+): u32 = (.*);`)
	suffix    = regexp.MustCompile(`\b(\d+)u\b`)
	sizes     = map[string]int{"f32": 4, "u32": 4, "f16": 2, "Half": 2}
)

// WorkgroupArrays returns how many bytes the arrays of a kernel's text have in workgroup memory, by name.
func WorkgroupArrays(t testing.TB, text string) map[string]int {
	t.Helper()
	w := workgroup{t, map[string]string{}}
	for _, m := range constants.FindAllStringSubmatch(text, -1) {
		w.constants[m[1]] = m[2]
	}
	bytes := map[string]int{}
	for _, m := range arrays.FindAllStringSubmatch(text, -1) {
		bytes[m[1]] = w.bytes(m[2])
	}
	return bytes
}

type workgroup struct {
	testing.TB
	constants map[string]string
}

func (w workgroup) bytes(kind string) int {
	w.Helper()
	if of, is := strings.CutPrefix(kind, "array<"); is {
		comma := strings.LastIndex(of, ",")
		return w.bytes(of[:comma]) * w.number(strings.TrimSuffix(of[comma+1:], ">"))
	}
	if sizes[kind] == 0 {
		w.Fatalf("the size of %s is not known", kind)
	}
	return sizes[kind]
}

func (w workgroup) number(expression string) int {
	w.Helper()
	x, err := parser.ParseExpr(suffix.ReplaceAllString(strings.TrimSpace(expression), "$1"))
	if err != nil {
		w.Fatalf("%s: %v", expression, err)
	}
	return w.fold(x)
}

func (w workgroup) fold(x ast.Expr) int {
	w.Helper()
	switch x := x.(type) {
	case *ast.BasicLit:
		n, _ := strconv.Atoi(x.Value)
		return n
	case *ast.Ident:
		return w.number(w.constants[x.Name])
	case *ast.ParenExpr:
		return w.fold(x.X)
	case *ast.BinaryExpr:
		a, b := w.fold(x.X), w.fold(x.Y)
		switch x.Op {
		case token.ADD:
			return a + b
		case token.MUL:
			return a * b
		case token.QUO:
			return a / b
		}
	}
	w.Fatalf("an expression of another kind: %T", x)
	return 0
}
