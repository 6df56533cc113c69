package grammar

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/tests/venv"
)

// golden is a line of what testdata/masks.py writes.
type golden struct {
	Kind   string
	Source string
	Tokens []int32
	Masks  []string
}

func compareMasks(t *testing.T, file string, v *Vocabulary) (compared int) {
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	require.True(t, lines.Scan())
	var head struct{ Tokens []string }
	require.NoError(t, json.Unmarshal(lines.Bytes(), &head))
	if head.Tokens != nil {
		var tokens [][]byte
		for _, h := range head.Tokens {
			b, err := hex.DecodeString(h)
			require.NoError(t, err)
			tokens = append(tokens, b)
		}
		end := int32(len(tokens) - 1)
		v = NewVocabulary(tokens, []int32{end}, []int32{end})
	}
	bad := 0
	for lines.Scan() {
		var g golden
		require.NoError(t, json.Unmarshal(lines.Bytes(), &g))
		kind := Regex
		if g.Kind == "gbnf" {
			kind = GBNF
		}
		compiled, err := Compile(kind, g.Source, Limits{})
		require.NoError(t, err, g.Source)
		m := compiled.Matcher(v)
		mask := make([]uint32, v.MaskWords())
		for i, want := range g.Masks {
			require.NoError(t, m.Mask(mask))
			raw := make([]byte, 0, 4*len(mask))
			for _, w := range mask {
				raw = append(raw, byte(w), byte(w>>8), byte(w>>16), byte(w>>24))
			}
			got := hex.EncodeToString(raw)
			if head.Tokens == nil {
				got = fmt.Sprintf("%08x", crc32.ChecksumIEEE(raw))
			}
			compared++
			if got != want {
				bad++
				if bad <= 20 {
					t.Errorf("%s %q behind %v:\n%s", g.Kind, g.Source, g.Tokens[:i], difference(v, got, want))
				}
				break
			}
			if i < len(g.Tokens) {
				require.True(t, m.Accept(g.Tokens[i]), g.Source)
			}
		}
	}
	t.Logf("%d masks compared, %d texts differ", compared, bad)
	return compared
}

func difference(v *Vocabulary, got, want string) string {
	a, _ := hex.DecodeString(got)
	b, _ := hex.DecodeString(want)
	out := ""
	for i := range a {
		for j := range 8 {
			id := int32(8*i + j)
			x, y := a[i]>>j&1, b[i]>>j&1
			if x != y && len(out) < 400 {
				text, _ := v.text(id)
				out += fmt.Sprintf(" %d %q got %d", id, text, x)
			}
		}
	}
	return out
}

// TestMasks compares masks bit by bit with those of llguidance.
func TestMasks(t *testing.T) {
	require.Greater(t, compareMasks(t, "testdata/masks.jsonl", nil), 300)
}

func TestAllMasks(t *testing.T) {
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("installs llguidance: set QUIRE_ALL=1")
	}
	masks := filepath.Join(t.TempDir(), "masks.jsonl")
	out, err := exec.Command(venv.Python(t, "llguidance==1.9.1", "numpy"), "testdata/masks.py", masks, "--seed", "2", "--prefixes", "10000").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.GreaterOrEqual(t, compareMasks(t, masks, nil), 10000)
}
