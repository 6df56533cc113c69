package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// checkOut fails early where the model could not be written in the end, or would replace the text.
func (t *trainCommand) checkOut(h *host) error {
	out, err := os.Stat(t.Out)
	if err == nil {
		if !out.Mode().IsRegular() {
			return fmt.Errorf("--out: %s is no regular file", t.Out)
		}
		if data, err := t.statData(h); err == nil && os.SameFile(out, data) {
			return fmt.Errorf("--out: %s is the text of --data, which the model would replace; name another file", t.Out)
		}
	}
	f, err := createBeside(t.Out)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
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

// createBeside makes a file of a name of its own in a path's directory, with the rights of any new file.
func createBeside(path string) (*os.File, error) {
	for {
		name := fmt.Sprintf(".%s.%08x", filepath.Base(path), rand.Uint32())
		f, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		switch {
		case err == nil:
			return f, nil
		case !errors.Is(err, fs.ErrExist):
			if e, ok := err.(*fs.PathError); ok {
				e.Path = path
			}
			return nil, fmt.Errorf("--out: %w", err)
		}
	}
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

// keep writes the model beside its place and then moves it there, so that a file of that name is never half written.
func (r *training) keep() (err error) {
	f, err := createBeside(r.Out)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = r.model.WriteGGUF(context.Background(), f, r.modelName())
	size, seek := f.Seek(0, io.SeekCurrent)
	if err == nil {
		err = seek
	}
	if replaced, missing := os.Stat(r.Out); err == nil && missing == nil {
		err = f.Chmod(replaced.Mode().Perm())
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), r.Out)
	}
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if r.JSON {
		return writeJSON(r.host.out, fileLine{Event: "file", Step: r.last.Step, File: r.Out, Bytes: size})
	}
	_, err = fmt.Fprintf(r.host.err, "wrote %s, %s; try: quire run -m %s \"Once upon a time\"\n", r.Out, formatSize(uint64(size)), quoteForShell(r.Out))
	return err
}
