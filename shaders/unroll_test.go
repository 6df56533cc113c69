package shaders

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUnroll(t *testing.T) {
	text, err := unroll(`const N: u32 = 2u;
const M: u32 = 3u;
fn f() {
    //! unroll
    for (var i = 0u; i < N; i++) {
        let k = x.i + i; // not the member i
        //! unroll
        for (var j = 0u; j < M; j++) { a[i * M + j] = k; }
    }
    for (var i = 0u; i < N; i++) { b[i] = 0u; }
}`)
	require.NoError(t, err)
	assert.Equal(t, `const N: u32 = 2u;
const M: u32 = 3u;
fn f() {
    //! unroll
    {
        let k = x.i + 0u; // not the member 0u
        //! unroll
        { a[0u * M + 0u] = k; } { a[0u * M + 1u] = k; } { a[0u * M + 2u] = k; }
    } { let k = x.i + 1u; { a[1u * M + 0u] = k; } { a[1u * M + 1u] = k; } { a[1u * M + 2u] = k; } }
    for (var i = 0u; i < N; i++) { b[i] = 0u; }
}`, text)
}

// A counter is a word of its own.
func TestAround(t *testing.T) {
	for text, want := range map[string]string{
		"i": "0u", "i+i": "0u+0u", "f(i)": "f(0u)", "xi ix i2 2i _i i_ 0xi": "xi ix i2 2i _i i_ 0xi", "x.i + i.x": "x.i + 0u.x", "ii i": "ii 0u", "": "",
	} {
		assert.Equal(t, want, strings.Join(around(text, "i"), "0u"), text)
	}
}

func TestUnrollRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"no loop":          {"//! unroll\nlet x = 1u;", "no loop follows"},
		"no end":           {"//! unroll\nfor (var i = 0u; i < N; i++) {", "no loop follows"},
		"a comment behind": {"const N: u32 = 2u;\n//! unroll\nfor (var i = 0u; i < N; i++) {\nx();\n} // end", "no loop follows"},
		"code behind":      {"const N: u32 = 2u;\n//! unroll\nfor (var i = 0u; i < N; i++) { x(); } y();", "no loop follows"},
		"block comment":    {"const N: u32 = 2u;\n//! unroll\nfor (var i = 0u; i < N; i++) { /* } */ x(); }", "no loop follows"},
		"another step":     {"//! unroll\nfor (var i = 0u; i < N; i += 2u) { }", "cannot be unrolled"},
		"another name":     {"//! unroll\nfor (var i = 0u; j < N; i++) { }", "cannot be unrolled"},
		"unknown bound":    {"//! unroll\nfor (var i = 0u; i < M; i++) { }", "no number"},
		"a way out":        {"const N: u32 = 2u;\n//! unroll\nfor (var i = 0u; i < N; i++) { if (x) { break; } }", "a break leaves"},
		"a way out of 2":   {"const N: u32 = 2u;\n//! unroll\nfor (var i = 0u; i < N; i++) {\n//! unroll\nfor (var j = 0u; j < N; j++) { continue; }\n}", "a continue leaves"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := unroll(c.text)
			require.ErrorContains(t, err, c.says)
		})
	}
}

// Every kernel's marks stand before loops, whatever the numbers.
func TestMarksStandBeforeLoops(t *testing.T) {
	names, err := files.ReadDir(".")
	require.NoError(t, err)
	for _, name := range names {
		if name.IsDir() {
			continue
		}
		text, err := files.ReadFile(name.Name())
		require.NoError(t, err)
		lines := strings.Split(string(text), "\n")
		for i, line := range lines {
			if strings.TrimSpace(line) == mark {
				counter, _ := unroller{}.head(words(lines[i+1]))
				require.NotEmpty(t, counter, "%s:%d", name.Name(), i+2)
			}
		}
	}
}
