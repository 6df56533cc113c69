package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
)

// checkOut fails early where the model could not be written in the end, or would replace the text.
func (t *trainCommand) checkOut(h *host) error {
	if err := checkFile(t.Out); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if out, err := os.Stat(t.Out); err == nil {
		if data, err := t.statData(h); err == nil && os.SameFile(out, data) {
			return fmt.Errorf("--out: %s is the text of --data, which the model would replace; name another file", t.Out)
		}
	}
	return nil
}

// statData tells which file the text comes from.
func (t *trainCommand) statData(h *host) (fs.FileInfo, error) {
	if t.Data != "-" {
		return os.Stat(t.Data)
	}
	if f, ok := h.in.(*os.File); ok {
		return f.Stat()
	}
	return nil, fs.ErrNotExist
}

// quoteForShell writes a path as a shell takes it for one word.
func quoteForShell(path string) string {
	plain := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:+,@%=", c)
	}
	switch {
	case path != "" && strings.IndexFunc(path, func(c rune) bool { return !plain(c) }) < 0:
		return path
	case runtime.GOOS == "windows":
		return `"` + path + `"`
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

// keep writes the model.
func (r *training) keep() error {
	size, err := replaceFile(r.Out, func(f *os.File) error { return r.model.WriteGGUF(context.Background(), f, r.modelName()) })
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if r.JSON {
		return writeJSON(r.host.out, fileLine{Event: "file", Step: r.last.Step, File: r.Out, Bytes: size})
	}
	_, err = fmt.Fprintf(r.host.err, "wrote %s, %s; try: quire run -m %s \"Once upon a time\"\n", r.Out, formatSize(uint64(size)), quoteForShell(r.Out))
	return err
}
