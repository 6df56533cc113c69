package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"quire/shaders"
)

// bareShaders writes a Go file that holds the kernels and libraries without comments, and an overlay that puts it in the place of
// the one that embeds their files. It runs in the repository's root.
func bareShaders(folder string) error {
	const replaced = "shaders/embed.go"
	texts, err := bareTexts("shaders")
	if err != nil {
		return err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return err
	}
	from, err := filepath.Abs(replaced)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	to := filepath.Join(folder, "shaders.go")
	if err := os.WriteFile(to, []byte(goFile(texts)), 0o644); err != nil {
		return err
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {from: to}})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "overlay.json"), overlay, 0o644)
}

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
			all = append(all, bareText{filepath.ToSlash(path), shaders.Bare(string(text))})
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
