package shaders

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTurns(t *testing.T) {
	long := strings.Repeat("x = fma(x, x, x); ", 50)
	for name, c := range map[string]struct {
		body  string
		turns int
	}{
		"none":                       {"let a = 1u;", 0},
		"ten":                        {"for (var i = 0u; i < 10u; i++) { x += 1.0; }", 11},
		"with a step":                {"for (var i = lane; i < N * 4u; i += 64u) { x += 1.0; }", 64 + 1},
		"to and with":                {"for (var i = 0u; i <= 16u; i++) { x += 1.0; }", 18},
		"halves":                     {"for (var i = 1024u / 2u; i > 0u; i = i / 2u) { x += 1.0; }", 11},
		"halves again":               {"for (var i = 256u; i > 0u; i /= 2u) { x += 1.0; }", 10},
		"doubles":                    {"for (var i = 1u; i < N; i *= 2u) { " + long + " }", 11},
		"written out":                {"for (var i = 0u; i < 4u; i++) { x += 1.0; }", 0},
		"too long to be written out": {"for (var i = 0u; i < 4u; i++) { " + long + " }", 5},
		"not from a constant":        {"for (var i = lane; i < 4u; i++) { x += 1.0; }", 5},
		"nested":                     {"for (var i = 0u; i < 10u; i++) { for (var j = 0u; j < 20u; j++) { x += 1.0; } }", 10*(1+21) + 1},
		"said":                       {"//! turns: max(KEYS, 8u) / 4u\n    while (x < y) { x += 1.0; }", 26},
		"said of the next alone":     {"//! turns: 2u\n    loop { if x > 1.0 { break; } }\n    for (var i = 0u; i < 9u; i++) { x += 1.0; }", 3 + 10},
		"called":                     {"for (var i = 0u; i < 10u; i++) { x += called(i); }", 10*(1+31) + 1},
		"a branch never taken":       {"if N < 4u { for (var i = 0u; i < 99u; i++) { x += 1.0; } } else { x = 2.0; }", 0},
		"the other":                  {"if N < 4u { x = 2.0; } else if N > 4u { for (var i = 0u; i < 99u; i++) { x += 1.0; } }", 100},
		"either":                     {"if x > 1.0 { for (var i = 0u; i < 99u; i++) { x += 1.0; } } else { for (var i = 0u; i < 9u; i++) { x += 1.0; } }", 110},
		"after the end":              {"if N == 1024u { return; }\n    for (var i = 0u; i < 99u; i++) { x += 1.0; }", 0},
		"a let":                      {"let n = (N + 3u) / 4u;\n    for (var i = 0u; i < n; i++) { x += 1.0; }", 257},
		"a constant behind":          {"for (var i = 0u; i < LATE; i++) { x += 1.0; }", 2049},
		"in an inner block":          {"{ let n = 99u; { for (var i = 0u; i < n; i++) { x += 1.0; } } }", 100},
	} {
		t.Run(name, func(t *testing.T) {
			text := "const N: u32 = 1024u;\nfn called(n: u32) -> f32 {\n    for (var i = 0u; i < 30u; i++) { y += 1.0; }\n    return y;\n}\n" +
				"@compute @workgroup_size(64)\nfn main() {\n    " + c.body + "\n}\nconst LATE: u32 = 2u * N;\n"
			n, err := Turns(text, map[string]int{"KEYS": 100})
			require.NoError(t, err)
			assert.Equal(t, c.turns, n)
		})
	}
}

// What no constant bounds must say so, and what some compilers fold and refuse is found, in branches that are never taken too.
func TestTurnsRefuses(t *testing.T) {
	for name, c := range map[string]struct{ body, says string }{
		"a bound of the launch": {"for (var i = 0u; i < shape.rows; i++) { x += 1.0; }", "says how many turns"},
		"a parameter":           {"x = called(1u);", "says how many turns"},
		"while":                 {"while (x < 1.0) { x += 1.0; }", "says how many turns"},
		"an unknown name":       {"//! turns: KEYS\n    while (x < 1.0) { x += 1.0; }", "says how many turns"},
		"before no loop":        {"//! turns: 9u\n    x += 1.0;", "stands before no loop"},
		"division by a let":     {"if KIND == 0u {\n        let each = WORDS / 8u;\n        let held = 4u / each;\n    }", "4u / each"},
		"remainder":             {"let r = lane % (WORDS - 4u);", "% by 0"},
		"in place":              {"var n = lane;\n    n /= WORDS / 8u;", "/= by 0"},
		"shift":                 {"let w = lane << (8u * WORDS);", "<< by 32"},
		"an element":            {"let e = held[WORDS / 2u];", "element 2 of 2"},
		"a local's element":     {"var few: array<array<f32, 9>, WORDS>;\n    let e = few[4u];", "element 4 of 4"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "const KIND: u32 = 3u;\nconst WORDS: u32 = 4u;\nvar<workgroup> held: array<f32, 2>;\n" +
				"fn called(n: u32) -> f32 {\n    for (var i = 0u; i < n; i++) { y += 1.0; }\n    return y;\n}\nfn main() {\n    " + c.body + "\n}\n"
			if name != "a parameter" {
				text = strings.Replace(text, "i < n;", "i < 9u;", 1)
			}
			_, err := Turns(text, nil)
			require.ErrorContains(t, err, c.says)
		})
	}
	_, err := Turns("const WORDS: u32 = 4u;\nfn main() { let held = 4u / max(WORDS / 8u, 1u); let w = 1.0 / f32(WORDS); }", nil)
	require.NoError(t, err)
}

// The count is that of running the loops one after another.
func TestTurnsAreCounted(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var text strings.Builder
		var loops func(depth int, pad string) int
		loops = func(depth int, pad string) int {
			total := 0
			for range 1 + random.IntN(2) {
				n, step, inside := 9+random.IntN(30), 1+random.IntN(3), 0
				fmt.Fprintf(&text, "%sfor (var i%d = 0u; i%d < %du; i%d += %du) {\n%s    x += 1.0;\n", pad, depth, depth, n*step, depth, step, pad)
				if depth < 3 && random.IntN(2) > 0 {
					inside = loops(depth+1, pad+"    ")
				}
				fmt.Fprintf(&text, "%s}\n", pad)
				total += n*(1+inside) + 1
			}
			return total
		}
		text.WriteString("fn main() {\n")
		want := loops(0, "    ")
		text.WriteString("}\n")
		got, err := Turns(text.String(), nil)
		require.NoError(t, err)
		require.Equal(t, want, got, text.String())
	}
}
