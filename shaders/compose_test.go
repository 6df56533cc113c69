package shaders

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// small is a shelf with a kernel that has one of everything.
func small(changed map[string]string) *shelf {
	texts := map[string]string{
		"k.wgsl": `// A kernel.
//! include: base
//! slot sum: sum_few sum_all
//! slot read: read_*
//! const ROWS: u32  rows
//! const EPS: f32   added
//! const ADD: bool  y grows
//! most SPAN: u32   rows of a launch

const WIDE: u32 = 2u * ROWS;
fn main() {
    //! turns: SPAN + WIDE
    while (ADD) { base(EPS); sum(); read(); }
}
`,
		"lib/base.wgsl":     "//! const ROWS: u32  rows\nconst BASE: u32 = 4u;\nfn base(x: f32) -> u32 { return ROWS; }\n",
		"lib/sum_few.wgsl":  "//! include: base\n//! const WIDE: u32  twice the rows\nfn sum() -> u32 { return WIDE * BASE; }\n",
		"lib/sum_all.wgsl":  "//! const BINDING: u32  of the sums\n@group(0) @binding(BINDING) var<storage> sums: array<f32>;",
		"lib/sum_odd.wgsl":  "fn sum() -> u32 { return 1u; }\n",
		"lib/read_f16.wgsl": "fn read() -> u32 { return 16u; }\n",
		"lib/read_f32.wgsl": "fn read() -> u32 { return 32u; }\n",
	}
	for name, text := range changed {
		texts[name] = text
	}
	return &shelf{read: func(path string) (string, bool) {
		text, ok := texts[path]
		return text, ok
	}}
}

func fitting() Given {
	return Given{
		Head:   "enable f16;\n",
		Consts: []Const{{"ROWS", 3}, {"EPS", float32(0.5)}, {"ADD", true}},
		Slots:  map[string]string{"sum": "sum_few", "read": "read_f16"},
		Most:   []Const{{"SPAN", 9}},
	}
}

func TestCompose(t *testing.T) {
	s := small(nil)
	text, segments, err := s.compose("k", fitting())
	require.NoError(t, err)
	head := "enable f16;\nconst ROWS: u32 = 3u;\nconst EPS: f32 = 0.5f;\nconst ADD: bool = true;\n"
	assert.Equal(t, head, text[:len(head)], "each constant once, with the type that the shader declares")
	assert.Equal(t, []Segment{{"header", 1}, {"lib/base.wgsl", 5}, {"lib/sum_few.wgsl", 8}, {"lib/read_f16.wgsl", 11}, {"k.wgsl", 12}}, segments)
	for _, at := range segments[1:] {
		read, ok := s.read(at.File)
		require.True(t, ok)
		lines := strings.SplitAfter(text, "\n")
		assert.True(t, strings.HasPrefix(strings.Join(lines[at.First-1:], ""), Bare(read)), at.File)
	}

	g := fitting()
	g.Slots["sum"], g.Slots["read"], g.Head = "sum_all", "read_f32", ""
	g.Consts = append(g.Consts, Const{"BINDING", uint32(4)})
	text, _, err = s.compose("k", g)
	require.NoError(t, err)
	assert.Contains(t, text, "const BINDING: u32 = 4u;\n")
	assert.Contains(t, text, "array<f32>;\nfn read() -> u32 { return 32u; }", "a last line without an end")

	g = fitting()
	g.Consts, g.Most = append(g.Consts, Const{"SPAN", 5}), nil
	_, _, err = small(map[string]string{"lib/base.wgsl": "//! const SPAN: u32  rows\nfn base(x: f32) -> u32 { return SPAN; }\n",
		"lib/sum_few.wgsl": ""}).compose("k", g)
	require.NoError(t, err, "a constant stands for what a launch is at most")
}

// What the files declare and what composition is given must be the same.
func TestComposeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Given)
		files  map[string]string
		says   string
	}{
		"a constant that is missing":      {change: func(g *Given) { g.Consts = g.Consts[1:] }, says: "constant ROWS (rows) is not given"},
		"one that nobody declares":        {change: func(g *Given) { g.Consts = append(g.Consts, Const{"TILE", 1}) }, says: "TILE is given, but none"},
		"one that a file defines":         {change: func(g *Given) { g.Consts = append(g.Consts, Const{"WIDE", 1}) }, says: "WIDE is given, but none"},
		"one of another choice":           {change: func(g *Given) { g.Consts = append(g.Consts, Const{"BINDING", 1}) }, says: "BINDING is given, but none"},
		"one twice":                       {change: func(g *Given) { g.Consts = append(g.Consts, Const{"EPS", float32(1)}) }, says: "EPS is given twice"},
		"a float for u32":                 {change: func(g *Given) { g.Consts[0].Value = float32(1) }, says: "ROWS: it is declared as u32 and given as f32"},
		"an int for f32":                  {change: func(g *Given) { g.Consts[1].Value = 1 }, says: "EPS: it is declared as f32 and given as u32"},
		"an int for bool":                 {change: func(g *Given) { g.Consts[2].Value = 1 }, says: "ADD: it is declared as bool and given as u32"},
		"a bool for u32":                  {change: func(g *Given) { g.Consts[0].Value = true }, says: "given as bool"},
		"less than 0":                     {change: func(g *Given) { g.Consts[0].Value = -1 }, says: "-1 does not fit u32"},
		"too much":                        {change: func(g *Given) { g.Consts[0].Value = 1 << 32 }, says: "4294967296 does not fit u32"},
		"another type":                    {change: func(g *Given) { g.Consts[0].Value = 1.5 }, says: "float64 is no constant"},
		"a choice that is missing":        {change: func(g *Given) { delete(g.Slots, "sum") }, says: "no library is chosen for slot sum of shaders/k.wgsl: sum_few, sum_all"},
		"one that is not in the list":     {change: func(g *Given) { g.Slots["sum"] = "sum_odd" }, says: "sum_odd is no choice for slot sum of shaders/k.wgsl: sum_few, sum_all"},
		"one that the pattern leaves out": {change: func(g *Given) { g.Slots["read"] = "sum_few" }, says: "sum_few is no choice for slot read"},
		"one that is nowhere":             {change: func(g *Given) { g.Slots["read"] = "read_q4" }, says: "no file shaders/lib/read_q4.wgsl"},
		"one for no slot":                 {change: func(g *Given) { g.Slots["norm"] = "sum_few" }, says: "sum_few is chosen for slot norm, which none"},
		"one for a fixed library":         {change: func(g *Given) { g.Slots["base"] = "sum_few" }, says: "slot base, which none"},
		"no most":                         {change: func(g *Given) { g.Most = nil }, says: "no most of SPAN (rows of a launch)"},
		"another most":                    {change: func(g *Given) { g.Most = append(g.Most, Const{"KEYS", 1}) }, says: "a most of KEYS is given, but none"},
		"what is used and not declared": {files: map[string]string{"lib/base.wgsl": "fn base(x: f32) -> u32 {\n    return ROWS;\n}\n"},
			says: "shaders/lib/base.wgsl:2: ROWS is neither declared"},
		"what its user alone defines": {files: map[string]string{"lib/sum_few.wgsl": "fn sum() -> u32 { return WIDE; }\n"},
			says: "shaders/lib/sum_few.wgsl:1: WIDE is neither declared"},
		"what another library defines": {files: map[string]string{"lib/read_f16.wgsl": "fn read() -> u32 { return BASE; }\n"},
			says: "shaders/lib/read_f16.wgsl:1: BASE is neither declared"},
		"a bound that is not declared": {files: map[string]string{"lib/read_f16.wgsl": "fn read() {\n    //! turns: KEYS\n    while (true) {}\n}\n"},
			says: "shaders/lib/read_f16.wgsl:2: KEYS is neither declared"},
		"two types": {files: map[string]string{"lib/base.wgsl": "//! const EPS: u32  added\nfn base(x: f32) -> u32 { return EPS; }\n", "lib/sum_few.wgsl": ""},
			says: "declares EPS as f32, another file as u32"},
		"two definitions": {files: map[string]string{"lib/read_f16.wgsl": "const BASE: u32 = 1u;\n"}, says: "BASE is defined by shaders/lib/base.wgsl and shaders/lib/read_f16.wgsl"},
		"no such library": {files: map[string]string{"lib/base.wgsl": "//! include: other\n"}, says: "no file shaders/lib/other.wgsl"},
		"a bad directive": {files: map[string]string{"lib/base.wgsl": "//! needs: other\n"}, says: `shaders/lib/base.wgsl:1: unknown directive "needs:"`},
	} {
		t.Run(name, func(t *testing.T) {
			g := fitting()
			if c.change != nil {
				c.change(&g)
			}
			_, _, err := small(c.files).compose("k", g)
			require.ErrorContains(t, err, c.says)
		})
	}
	_, _, err := Compose("nothing", Given{})
	require.ErrorContains(t, err, "compose nothing: there is no file shaders/nothing.wgsl")
}

// Every kernel composes with every choice of libraries, from what it declares and nothing more, and nothing has two definitions.
func TestEveryChoiceComposes(t *testing.T) {
	kernelFiles, err := fs.Glob(files, "*.wgsl")
	require.NoError(t, err)
	names := definitions{}
	total := 0
	for _, name := range kernelFiles {
		each(t, strings.TrimSuffix(name, ".wgsl"), map[string]string{}, func(slots map[string]string) {
			total++
			r, err := kernels.recipe(strings.TrimSuffix(name, ".wgsl"), slots)
			require.NoError(t, err, "%s %v", name, slots)
			g := Given{Slots: slots}
			for _, d := range r.consts {
				value := map[string]any{"u32": 64, "f32": float32(0.5), "bool": true}[d.kind]
				g.Consts = append(g.Consts, Const{d.name, value})
			}
			for _, d := range r.most {
				if !slices.ContainsFunc(r.consts, func(c declaration) bool { return c.name == d.name }) {
					g.Most = append(g.Most, Const{d.name, 1})
				}
			}
			_, _, err = Compose(strings.TrimSuffix(name, ".wgsl"), g)
			require.NoError(t, err, "%s %v", name, slots)
			seen := map[string]string{}
			for _, s := range r.sources {
				for _, defined := range names.of(s) {
					require.Empty(t, seen[defined], "%s of %s, with %v", defined, s.path, slots)
					seen[defined] = s.path
				}
			}
		})
	}
	assert.Greater(t, total, 2000)
}

// each calls with every choice for the slots that a kernel has once the choices in slots are made.
func each(t *testing.T, kernel string, slots map[string]string, with func(map[string]string)) {
	slot, choices := open(t, kernel+".wgsl", slots, map[string]bool{})
	if slot == "" {
		with(slots)
		return
	}
	for _, c := range choices {
		slots[slot] = c
		each(t, kernel, slots, with)
	}
	delete(slots, slot)
}

// open returns the first slot that has no choice yet, and those that it has.
func open(t *testing.T, path string, slots map[string]string, seen map[string]bool) (string, []string) {
	if seen[path] {
		return "", nil
	}
	seen[path] = true
	source, err := kernels.source(path)
	require.NoError(t, err)
	for _, p := range source.takes {
		library, ok := slots[p.name]
		switch {
		case p.fixed():
			library = p.name
		case !ok:
			return p.name, librariesOf(t, p)
		}
		if slot, choices := open(t, "lib/"+library+".wgsl", slots, seen); slot != "" {
			return slot, choices
		}
	}
	return "", nil
}

// librariesOf lists the libraries that a slot may have. Each choice stands for one at least.
func librariesOf(t *testing.T, p place) []string {
	var all []string
	for _, pattern := range p.choices {
		names, err := fs.Glob(files, "lib/"+pattern+".wgsl")
		require.NoError(t, err)
		require.NotEmpty(t, names, "slot %s: %s", p.name, pattern)
		for _, name := range names {
			all = append(all, strings.TrimSuffix(strings.TrimPrefix(name, "lib/"), ".wgsl"))
		}
	}
	return all
}

// definitions are the names that files define outside functions.
type definitions map[string][]string

func (d definitions) of(s *source) []string {
	if known, ok := d[s.path]; ok {
		return known
	}
	names := []string{}
	for line := range strings.Lines(s.text) {
		w := words(uncommented(line))
		if line[0] != ' ' && len(w) > 1 && slices.Contains([]string{"const", "fn", "struct", "alias"}, w[0]) {
			names = append(names, w[1])
		}
	}
	d[s.path] = names
	return names
}

// What a file declares it uses.
func TestDeclarationsAreUsed(t *testing.T) {
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if d.IsDir() {
			return nil
		}
		source, err := kernels.source(path)
		require.NoError(t, err)
		for _, c := range slices.Concat(source.consts, source.most) {
			assert.True(t, slices.ContainsFunc(source.used, func(u use) bool { return u.name == c.name }), "%s declares %s", path, c.name)
		}
		return nil
	})
	require.NoError(t, err)
}
