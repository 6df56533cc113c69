package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
)

// Package html has its 2,231 entities in two maps, which take 70 kB of the program. As one text they take 25. Names and values end
// with characters that neither holds.
const endOfName, endOfValue = "\x01", "\x02"

// entitiesFile is the file of package html that holds them.
func entitiesFile() string { return filepath.Join(build.Default.GOROOT, "src", "html", "entity.go") }

// entities reads them from that file, as one text.
func entities(file string) (string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	ast.Inspect(parsed, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		name, values := literal(pair.Key), literal(pair.Value)
		if list, ok := pair.Value.(*ast.CompositeLit); ok {
			for _, value := range list.Elts {
				values += literal(value)
			}
		}
		if name == "" || values == "" {
			err = fmt.Errorf("%s: an entity cannot be read", file)
		}
		out.WriteString(name + endOfName + values + endOfValue)
		return false
	})
	return out.String(), err
}

// literal is the text of a string or a character; "" of anything else.
func literal(e ast.Expr) string {
	basic, ok := e.(*ast.BasicLit)
	if !ok {
		return ""
	}
	if basic.Kind == token.CHAR {
		r, _, _, _ := strconv.UnquoteChar(strings.Trim(basic.Value, "'"), '\'')
		return string(r)
	}
	text, _ := strconv.Unquote(basic.Value)
	return text
}

// entitiesGo is what the program has in the file's place.
func entitiesGo(text string) string {
	return fmt.Sprintf(`package html

import (
	"strings"
	"sync"
	"unicode/utf8"
)

const longestEntityWithoutSemicolon = 6

const entities = %q

var entityMaps = sync.OnceValues(func() (map[string]rune, map[string][2]rune) {
	entity, entity2 := map[string]rune{}, map[string][2]rune{}
	for rest := entities; rest != ""; {
		name, more, _ := strings.Cut(rest, %q)
		value, more, _ := strings.Cut(more, %q)
		rest = more
		first, size := utf8.DecodeRuneInString(value)
		if second, more := utf8.DecodeRuneInString(value[size:]); more > 0 {
			entity2[name] = [2]rune{first, second}
		} else {
			entity[name] = first
		}
	}
	return entity, entity2
})
`, text, endOfName, endOfValue)
}
