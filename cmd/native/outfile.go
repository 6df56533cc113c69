package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// checkFile fails where a file could not be written, or is none.
func checkFile(path string) error {
	if there, err := os.Stat(path); err == nil && !there.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file", path)
	}
	f, err := createBeside(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
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
			return nil, err
		}
	}
}

// replaceFile writes a file beside its place and then moves it there, so that a file of that name is never half written. It
// returns its size.
func replaceFile(path string, write func(*os.File) error) (size int64, err error) {
	f, err := createBeside(path)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	err = write(f)
	size, seek := f.Seek(0, io.SeekCurrent)
	if err == nil {
		err = seek
	}
	if replaced, missing := os.Stat(path); err == nil && missing == nil {
		err = f.Chmod(replaced.Mode().Perm())
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	return size, err
}
