// Package words turns errors into text for people who do not know the program from inside.
package words

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Error gives an error's text without names of packages and of system calls.
func Error(err error) string {
	text := withoutRooms(err.Error())
	for _, inner := range causes(err) {
		if plain := reworded(inner); plain != "" {
			text = strings.ReplaceAll(text, inner.Error(), plain)
		}
		if e, ok := inner.(*fs.PathError); ok { // who wrapped it may have named the file too
			for _, name := range []string{e.Path, filepath.Base(e.Path)} {
				text = strings.ReplaceAll(text, name+": "+e.Path+": ", e.Path+": ")
			}
		}
	}
	return text
}

// reworded gives the words for an error of the standard library; empty where its own are good enough.
func reworded(err error) string {
	switch e := err.(type) {
	case *fs.PathError:
		if e.Path == os.Stdin.Name() {
			return reason(e.Err)
		}
		return e.Path + ": " + reason(e.Err)
	case *os.LinkError:
		return e.New + ": " + reason(e.Err)
	case *os.SyscallError:
		return reason(e.Err)
	case *strconv.NumError:
		return fmt.Sprintf("%q is not a number that fits", e.Num)
	}
	switch err {
	case io.EOF, io.ErrUnexpectedEOF:
		return "it ends too early"
	}
	return ""
}

// reason says why a file could not be used.
func reason(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "there is no such file or folder"
	case errors.Is(err, syscall.EISDIR):
		return "this is a folder, not a file"
	case errors.Is(err, syscall.ENOTDIR):
		return "a part of this path is a file, not a folder"
	case errors.Is(err, fs.ErrPermission):
		return "this is not permitted"
	case errors.Is(err, fs.ErrClosed):
		return "it is closed"
	}
	return err.Error()
}

// causes gives an error and all that it wraps.
func causes(err error) []error {
	all := []error{err}
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		if inner := e.Unwrap(); inner != nil {
			all = append(all, causes(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			all = append(all, causes(inner)...)
		}
	}
	return all
}
