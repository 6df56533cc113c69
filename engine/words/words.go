// Package words turns errors into text for people who do not know the program from inside.
package words

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unicode"
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
	case *json.SyntaxError, *json.UnmarshalTypeError:
		return JSON(err).Error()
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

// JSON gives an error of package encoding/json in words; other errors stay as they are.
func JSON(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("the JSON is %s where %s is expected", given(kind.Value), wanted(kind.Type))
	case errors.As(err, &kind):
		path := slices.DeleteFunc(strings.Split(kind.Field, "."), func(name string) bool {
			return name != "" && unicode.IsUpper(rune(name[0])) // a struct inside another, which the JSON does not show
		})
		return fmt.Errorf("field %q is %s, it must be %s", strings.Join(path, "."), given(kind.Value), wanted(kind.Type))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON ends too early")
	case errors.As(err, &syntax) && strings.HasPrefix(syntax.Error(), "unexpected end"):
		return errors.New("the JSON ends too early")
	case errors.As(err, &syntax):
		return fmt.Errorf("this is not valid JSON, from character %d on", syntax.Offset)
	}
	if name, found := strings.CutPrefix(err.Error(), "json: unknown field "); found {
		return fmt.Errorf("unknown field %s", name)
	}
	return err
}

// given names a JSON value as package encoding/json does: "number 1.5", "string", "array".
func given(value string) string {
	kind, number, _ := strings.Cut(value, " ")
	switch kind {
	case "string":
		return "text"
	case "bool":
		return "true or false"
	case "array":
		return "a list"
	case "object":
		return "an object"
	}
	if number != "" {
		return number
	}
	return "a " + kind
}

// wanted names what a Go type takes.
func wanted(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint32, reflect.Uint64:
		return "a whole number from 0 on"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		switch t.Elem().Kind() {
		case reflect.String:
			return "a list of texts"
		case reflect.Int, reflect.Int32, reflect.Int64:
			return "a list of whole numbers"
		}
		return "a list"
	}
	return "an object"
}
