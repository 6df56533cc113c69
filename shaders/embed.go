// Package shaders holds the WGSL kernels, one file each, and lib/ with the functions they share, and composes a kernel's
// final text: a header of constants, the libraries it includes, the kernel itself.
package shaders

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

//go:embed *.wgsl lib/*.wgsl
var files embed.FS

// Hash returns the SHA-256 of all kernels and libraries, in hex.
var Hash = sync.OnceValue(func() string {
	h := sha256.New()
	for _, pattern := range []string{"*.wgsl", "lib/*.wgsl"} {
		names, _ := fs.Glob(files, pattern) // the patterns are well formed
		for _, name := range names {
			text, _ := files.ReadFile(name)
			fmt.Fprintf(h, "%s %d\n%s", name, len(text), text)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
})

// Segment says that the composed text's lines from First (counted from 1) are those of File from its first line.
type Segment struct {
	File  string
	First int
}

// Compose puts a kernel together. file names the kernel without ".wgsl". A kernel includes a library with a line
//
//	// include: NAME
//
// at its top; use maps such a name to the library's file in lib/ (NAME itself where it has no entry), so that a variant
// is a choice of libraries. Libraries may include others; each comes once, before its first user. With unrolled, loops
// behind a line "// unroll" are written out.
func Compose(file, header string, use map[string]string, unrolled bool) (string, []Segment, error) {
	c := composer{use: use, seen: map[string]bool{}}
	c.add("header", header)
	if err := c.file(file+".wgsl", file); err != nil {
		return "", nil, err
	}
	text := c.text.String()
	if unrolled {
		var err error
		if text, err = unroll(text); err != nil {
			return "", nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	return text, c.segments, nil
}

type composer struct {
	use      map[string]string
	seen     map[string]bool
	text     strings.Builder
	segments []Segment
	lines    int
}

func (c *composer) file(path, asked string) error {
	text, err := fs.ReadFile(files, path)
	if err != nil {
		return fmt.Errorf("shaders: no file %s for %q", path, asked)
	}
	for line := range strings.Lines(string(text)) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "// include: ")
		if !ok {
			continue
		}
		lib := name
		if mapped, ok := c.use[name]; ok {
			lib = mapped
		}
		if c.seen[lib] {
			continue
		}
		c.seen[lib] = true
		if err := c.file("lib/"+lib+".wgsl", name); err != nil {
			return err
		}
	}
	c.add(path, string(text))
	return nil
}

func (c *composer) add(name, text string) {
	c.segments = append(c.segments, Segment{File: name, First: c.lines + 1})
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	c.text.WriteString(text)
	c.lines += strings.Count(text, "\n")
}
