package shaders

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	s, err := parse("k.wgsl", `// What it does.
//! include: step  silu
//! slot reduce: reduce_workgroup reduce_subgroup
//! const SCALE: f32  of q·k; SOFTCAP bounds it
//! most   TILES:  u32    tiles

const TWICE: f32 = 2.0 * SCALE; // of OTHER
    //! turns: TILES / 0x1Fu
    for (;;) { let x = Half4(K_AT, 1.0E5, a.x); }
`)
	require.NoError(t, err)
	assert.Equal(t, []place{{name: "step"}, {name: "silu"}, {"reduce", []string{"reduce_workgroup", "reduce_subgroup"}}}, s.takes)
	assert.Equal(t, []declaration{{"SCALE", "f32", "of q·k; SOFTCAP bounds it"}}, s.consts)
	assert.Equal(t, []declaration{{"TILES", "u32", "tiles"}}, s.most)
	assert.Equal(t, []string{"TWICE"}, s.defined)
	assert.Equal(t, []use{{"SCALE", 7}, {"TILES", 8}, {"K_AT", 9}}, s.used)
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"an unknown directive":   {"//! includes: step", `k.wgsl:1: unknown directive "includes:"`},
		"no colon":               {"//! include step", `unknown directive "include"`},
		"no space":               {"//!include: step", `unknown directive "include:`},
		"nothing":                {"// x\n//!", `k.wgsl:2: unknown directive ""`},
		"behind code":            {"let x = 1u; //! unroll", "a line of its own"},
		"an include behind code": {"fn f() {}\n//! include: step", `k.wgsl:2: "//! include:" stands before all code`},
		"a constant behind code": {"fn f() {}\n//! const A: u32  a", "stands before all code"},
		"unroll before code":     {"//! unroll\nfn f() {}", "before a loop stands"},
		"unroll with more":       {"fn f() {\n//! unroll 4\n}", "before a loop stands"},
		"turns of nothing":       {"fn f() {\n//! turns:\n}", "before a loop stands"},
		"turns without a colon":  {"fn f() {\n//! turns 4u\n}", `unknown directive "turns"`},
		"a slot without a name":  {"//! slot : a b", "wants a name and a colon"},
		"without choices":        {"//! slot kv:", "slot kv has no choices"},
		"a broken pattern":       {"//! slot kv: kv_[", "no name of a library and no pattern"},
		"a constant's name":      {"//! const Tile: u32  rows", "a constant's name has capitals"},
		"two names":              {"//! const A B: u32  rows", "wants a name and a colon"},
		"no type":                {"//! const TILE:", `type ""`},
		"a type that is none":    {"//! const TILE: i32  rows", `type "i32", it may be u32, f32 or bool`},
		"no meaning":             {"//! const TILE: u32", "TILE: what does it mean?"},
		"twice":                  {"//! const TILE: u32  rows\n//! const TILE: u32  rows", "k.wgsl:2: TILE is declared twice"},
		"as a most too":          {"//! const TILE: u32  rows\n//! most TILE: u32  rows", "TILE is declared twice"},
		"a most that is f32":     {"//! most TILE: f32  rows", "at most is u32"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse("k.wgsl", c.text)
			require.ErrorContains(t, err, c.says)
		})
	}
}
