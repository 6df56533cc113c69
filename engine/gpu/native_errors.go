//go:build !js

package gpu

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

var (
	errNotMapped    = errors.New("gpu: nothing was read into the readback")
	errNoTimestamps = errors.New("gpu: timing dispatches needs the feature timestamp-query, which this device was not given")
)

// nagaPlace finds "┌─ wgsl:12:5" or ":12:5" in front of the line that naga shows.
var nagaPlace = regexp.MustCompile(`┌─ [^\n]*?:(\d+):(\d+)`)

// parseShaderError makes a compile error of the text that naga wrote.
func parseShaderError(text string) *compileError {
	e := &compileError{message: strings.TrimSpace(text)}
	if at := nagaPlace.FindStringSubmatch(text); at != nil {
		e.line, _ = strconv.Atoi(at[1])
	}
	return e
}

// nativeError is what wgpu said of a call.
type nativeError struct {
	text        string
	outOfMemory bool
}

func (e *nativeError) Error() string { return "gpu: " + e.text }

func (e *nativeError) Unwrap() error {
	if e.outOfMemory {
		return ErrOutOfMemory
	}
	return nil
}

// saysOutOfMemory finds what wgpu reports as an invalid call: that the driver had no memory for it.
func saysOutOfMemory(text string) bool {
	return strings.Contains(text, "Not enough memory left") || strings.Contains(strings.ToLower(text), "out of memory")
}
