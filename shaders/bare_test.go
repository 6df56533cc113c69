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

// All kernels come to the same with tight files as with whole ones, written out, with each library of each slot.
func TestTightFilesComposeAlike(t *testing.T) {
	whole := &shelf{read: read}
	tight := &shelf{read: func(path string) (string, bool) {
		text, ok := read(path)
		return Tight(Bare(text)), ok
	}}
	composed := map[string]bool{}
	for _, path := range paths() {
		file, kernel := strings.CutSuffix(path, ".wgsl")
		for turn, more := 0, kernel && !strings.Contains(path, "/"); more; turn++ {
			g := Given{Slots: map[string]string{}, Unrolled: true}
			more = fill(t, whole, path, turn, g.Slots)
			r, err := whole.recipe(file, g.Slots)
			if err != nil {
				continue // these libraries do not go together
			}
			for _, d := range r.consts {
				g.Consts = append(g.Consts, Const{d.name, map[string]any{"u32": 2, "f32": float32(2), "bool": true}[d.kind]})
			}
			for _, d := range r.most {
				g.Most = append(g.Most, Const{d.name, 2})
			}
			want, _, err := whole.compose(file, g)
			if err != nil {
				continue
			}
			got, _, err := tight.compose(file, g)
			require.NoError(t, err, "%s %v", file, g.Slots)
			require.Equal(t, scan(want), scan(got), "%s %v", file, g.Slots)
			composed[file] = true
			for _, library := range g.Slots {
				composed["lib/"+library] = true
			}
		}
	}
	for _, path := range paths() {
		file := strings.TrimSuffix(path, ".wgsl")
		if !strings.Contains(path, "/") || file == "lib/attention_fragments_subgroup" {
			assert.True(t, composed[file], "%s has not been composed", file)
		}
	}
}

// fill chooses libraries for a file's slots, others each turn, and says whether there are more turns to take.
func fill(t *testing.T, s *shelf, path string, turn int, slots map[string]string) (more bool) {
	source, err := s.source(path)
	require.NoError(t, err)
	for _, p := range source.takes {
		library := p.name
		if !p.fixed() {
			var all []string
			for _, path := range paths() {
				if name, ok := strings.CutPrefix(strings.TrimSuffix(path, ".wgsl"), "lib/"); ok && p.allows(name) {
					all = append(all, name)
				}
			}
			library = all[turn%len(all)]
			slots[p.name] = library
			more = more || turn+1 < len(all)
		}
		more = fill(t, s, "lib/"+library+".wgsl", turn, slots) || more
	}
	return more
}
