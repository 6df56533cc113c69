//go:build !js

package main

import (
	"errors"
	"io"
	"strconv"
)

// relay passes on what a report of the page carries, and tells whether it ends the program, and how. The first character
// says what it is.
func relay(report string, stdout, stderr io.Writer) (code int, ended bool, err error) {
	if report == "" {
		return 0, false, nil
	}
	switch kind, text := report[0], report[1:]; kind {
	case '1':
		stdout.Write(bytesOf(text))
		return 0, false, nil
	case '2':
		stderr.Write(bytesOf(text))
		return 0, false, nil
	case 'x':
		code, err = strconv.Atoi(text)
		return code, true, err
	default:
		return 0, true, errors.New(text)
	}
}

// bytesOf returns the bytes that text carries one in a character.
func bytesOf(text string) []byte {
	out := make([]byte, 0, len(text))
	for _, r := range text {
		out = append(out, byte(r))
	}
	return out
}
