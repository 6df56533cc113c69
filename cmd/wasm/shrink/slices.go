package main

import (
	"fmt"
	"os"
	"strings"
)

// slicesFile has what is done with slices in the standard library.
func slicesFile() string { return inSlices("slices.go") }

// simpler are functions of it with less code for each type of value, by how they begin.
var simpler = []struct{ head, body string }{
	{"func Insert[S ~[]E, E any](s S, i int, v ...E) S {", `
	return append(append(append(S(nil), s[:i]...), v...), s[i:]...)`},
	{"func DeleteFunc[S ~[]E, E any](s S, del func(E) bool) S {", `
	kept := s[:0]
	for _, v := range s {
		if !del(v) {
			kept = append(kept, v)
		}
	}
	clear(s[len(kept):])
	return kept`},
	{"func Concat[S ~[]E, E any](slices ...S) S {", `
	var all S
	for _, s := range slices {
		all = append(all, s...)
	}
	return all`},
}

// slicesGo is that file with those functions.
func slicesGo(path string) (string, error) {
	data, err := os.ReadFile(path)
	text := string(data)
	for _, f := range simpler {
		before, rest, ok := strings.Cut(text, "\n"+f.head+"\n")
		_, after, ends := strings.Cut(rest, "\n}\n")
		if err == nil && !(ok && ends) {
			err = fmt.Errorf("%s has no %s", path, f.head)
		}
		text = before + "\n" + f.head + f.body + "\n}\n" + after
	}
	return text, err
}
