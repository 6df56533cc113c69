//go:build !js

package gpu

import (
	"regexp"
	"strconv"
	"strings"
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
