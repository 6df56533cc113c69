package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"quire/shaders"
)

type bareText struct{ path, text string }

// bareTexts reads kernels, then libraries.
func bareTexts(root string) (all []bareText, err error) {
	for _, pattern := range []string{"*.wgsl", "lib/*.wgsl"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			path, err := filepath.Rel(root, name)
			if err != nil {
				return nil, err
			}
			all = append(all, bareText{filepath.ToSlash(path), shaders.Tight(shaders.Bare(string(text)))})
		}
	}
	return all, nil
}

func goFile(texts []bareText) string {
	var out strings.Builder
	out.WriteString("package shaders\n\nvar texts = []struct{ path, text string }{\n")
	for _, t := range texts {
		fmt.Fprintf(&out, "\t{%q, %q},\n", t.path, t.text)
	}
	out.WriteString(`}

func read(path string) (string, bool) {
	for _, t := range texts {
		if t.path == path {
			return t.text, true
		}
	}
	return "", false
}

func paths() (all []string) {
	for _, t := range texts {
		all = append(all, t.path)
	}
	return all
}
`)
	return out.String()
}
