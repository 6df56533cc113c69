package shaders

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Functions that main comes to stay, through others too; of the rest only the lines are left.
func TestUnusedFunctions(t *testing.T) {
	s := small(map[string]string{
		"k.wgsl":        "//! include: base more\n@compute @workgroup_size(1)\nfn main() {\n    if true {\n        base (1.0);\n    }\n}\nfn last() { odd(); }\n",
		"lib/base.wgsl": "fn base(x: f32) -> u32 { return near(x, far()); } // odd()\nfn odd() {\n    main();\n}\nconst BASE: u32 = 4u;\nfn near(x: f32, y: u32) -> u32 {\n    return y;\n}\n",
		"lib/more.wgsl": "fn farther() -> u32 { return 1u; }\n\nfn far() -> u32 { return 2u; }\n",
	})
	text, segments, err := s.compose("k", Given{})
	require.NoError(t, err)
	assert.Equal(t, "fn base(x: f32) -> u32 { return near(x, far()); }\n\n\n\nconst BASE: u32 = 4u;\nfn near(x: f32, y: u32) -> u32 {\nreturn y;\n}\n"+
		"\n\nfn far() -> u32 { return 2u; }\n"+
		"//! include: base more\n@compute @workgroup_size(1)\nfn main() {\nif true {\nbase (1.0);\n}\n}\n\n", text)
	assert.Equal(t, []Segment{{"header", 1}, {"lib/base.wgsl", 1}, {"lib/more.wgsl", 9}, {"k.wgsl", 12}}, segments)
}

// Every function of the kernels is seen, and which of them it calls: one that is not would be left out where it is wanted.
func TestFunctionsAreSeen(t *testing.T) {
	ours := map[string]bool{}
	for _, path := range paths() {
		s, err := kernels.source(path)
		require.NoError(t, err)
		for _, f := range s.functions {
			ours[f.name] = true
		}
	}
	for _, path := range paths() {
		s, err := kernels.source(path)
		require.NoError(t, err)
		words := words(s.text)
		seen := 0
		for i, word := range words {
			if word == "fn" {
				require.Equal(t, words[i+1], s.functions[seen].name, path)
				seen++
			} else if word == "(" && ours[words[i-1]] && words[i-2] != "fn" {
				require.NotZero(t, seen, "%s: %s is called outside of functions", path, words[i-1])
				assert.Contains(t, s.functions[seen-1].calls, words[i-1], path)
			}
		}
		assert.Len(t, s.functions, seen, path)
	}
}
