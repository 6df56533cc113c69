package shaders

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBare(t *testing.T) {
	assert.Equal(t, "//! include: a b\n\n//! const ROWS: u32 .\n//! slot x: y z\nfn f() {\n//! turns: ROWS\nwhile (true) {}\n}\n",
		Bare("//! include: a b\n// why\n//! const ROWS: u32  rows\n//! slot x: y z\nfn f() { // how\n    //! turns: ROWS\n    while (true) {}\n}"))
}

// Blanks that part words stay, and those of directives.
func TestTight(t *testing.T) {
	assert.Equal(t, "//! const ROWS: u32 .\nlet x=a- -b+f(1u,vec2<u32>(2u))&& !c;\n}else if y{\n\n", Tight("//! const ROWS: u32 .\nlet x = a - -b + f(1u, vec2<u32>(2u)) && !c;\n} else if y {\n\n"))
}

// A build of bare files composes the same texts as one of whole files, and one of tight files the same but for blanks.
func TestBareFilesComposeAlike(t *testing.T) {
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".wgsl") {
			return err
		}
		text, err := files.ReadFile(path)
		require.NoError(t, err)
		whole, err := parse(path, string(text))
		require.NoError(t, err)
		bare, err := parse(path, Bare(string(text)))
		require.NoError(t, err)
		for i := range whole.consts {
			whole.consts[i].meaning = "."
		}
		for i := range whole.most {
			whole.most[i].meaning = "."
		}
		assert.Equal(t, whole, bare, path)
		tight, err := parse(path, Tight(bare.text))
		require.NoError(t, err)
		assert.Equal(t, scan(bare.text), scan(tight.text), path)
		tight.text = bare.text
		assert.Equal(t, bare, tight, path)
		assert.Equal(t, strings.Count(string(text), "\n"), strings.Count(bare.text, "\n"), "lines keep their numbers")
		return nil
	})
	require.NoError(t, err)
}
