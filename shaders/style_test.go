package shaders

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ifs are written one way: no brackets around the condition, the body in braces on lines of its own.
func TestIfs(t *testing.T) {
	eachLine(t, func(at, line string) { require.Empty(t, badIf(line), "%s: %s", at, line) })
}

// eachLine gives every line of every shader, and where it stands.
func eachLine(t *testing.T, see func(at, line string)) {
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if d.IsDir() {
			return nil
		}
		text, err := fs.ReadFile(files, path)
		require.NoError(t, err)
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			see(fmt.Sprintf("%s:%d", path, number), line)
		}
		return nil
	})
	require.NoError(t, err)
}

func TestBadIf(t *testing.T) {
	for line, says := range map[string]string{
		"if a {":                      "",
		"} else if (a & b) == 0u {":   "",
		"} else {":                    "",
		"if (a) && (b) {":             "",
		"if a || (b":                  "", // goes on
		"if (a) {":                    "brackets",
		"} else if (a && (b || c)) {": "brackets",
		"while (a) {":                 "brackets",
		"if a { return; }":            "body",
		"for (;;) { if a { b(); } }":  "body",
		"} else { b(); }":             "body",
	} {
		require.Equal(t, says, badIf(line), line)
	}
}

// && and || stand together only with brackets around one of them: Tint refuses them without, which naga takes
// (findings/naga-mixes-and-with-or.sh), and no software adapter of a browser compiles kernels that want f16.
func TestBothAreInBrackets(t *testing.T) {
	eachLine(t, func(at, line string) { require.False(t, mixed(uncommented(line)), "%s: %s", at, line) })
	for code, is := range map[string]bool{"if a && b || c {": true, "x = f((a || b && c) == d);": true, "if (a && b) || c {": false, "a || b(c && d[e])": false} {
		require.Equal(t, is, mixed(code), code)
	}
}

var inBrackets = regexp.MustCompile(`[(\[][^()\[\]]*[)\]]`)

// mixed tells whether && and || stand side by side.
func mixed(code string) bool {
	both := func(s string) bool { return strings.Contains(s, "&&") && strings.Contains(s, "||") }
	for inner := inBrackets.FindString(code); inner != ""; inner = inBrackets.FindString(code) {
		if both(inner) {
			return true
		}
		code = strings.Replace(code, inner, "", 1)
	}
	return both(code)
}

// Loops of kernels that a decode step waits for count by one to a constant. Into others Tint puts a counter of 64 bits, and drivers
// then no longer write them out: findings/chromium-counts-loops.sh. Where a loop's turns are known only as
// it runs, "//! turns" says so.
func TestLoopsCountByOne(t *testing.T) {
	for _, name := range []string{
		"lib/multiply_strips", "lib/multiply_batch", "lib/reduce_subgroup", "lib/reduce_both", "lib/tail_rows", "lib/tail_heads",
		"attention_decode", "lib/decode_spread",
	} {
		text, err := fs.ReadFile(files, name+".wgsl")
		require.NoError(t, err)
		before := ""
		for line := range strings.Lines(string(text)) {
			code := strings.TrimSpace(uncommented(line))
			if strings.HasPrefix(code, "for (") && !strings.HasPrefix(before, "//! turns") {
				header, _, _ := strings.Cut(code, ") {")
				require.True(t, strings.HasSuffix(header, "++"), "%s: %s", name, code)
			}
			before = strings.TrimSpace(line)
		}
	}
}

// badIf says what is wrong with an if on a line.
func badIf(line string) string {
	var tokens []token
	for _, w := range words(uncommented(line)) {
		tokens = append(tokens, token{text: w})
	}
	for i, word := range tokens {
		if !slices.Contains([]string{"if", "else", "while"}, word.text) {
			continue
		}
		if i+1 < len(tokens) && tokens[i+1].text == "(" {
			if end := matching(tokens, i+1); end+1 < len(tokens) && tokens[end+1].text == "{" {
				return "brackets"
			}
		}
		if word.text != "while" && slices.ContainsFunc(tokens[i:], func(t token) bool { return t.text == "{" }) && tokens[len(tokens)-1].text != "{" {
			return "body"
		}
	}
	return ""
}
