package grammar

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// fuzz compiles whatever comes, within small limits, and goes a few tokens along what comes of it.
func fuzz(f *testing.F, kind Kind, seeds ...string) {
	for _, s := range seeds {
		f.Add(s, uint8(3))
	}
	v := mixed(50)
	f.Fuzz(func(t *testing.T, source string, choice uint8) {
		g, err := Compile(kind, source, Limits{Source: 2000, States: 20_000, Rules: 2000, Deterministic: 300, Threads: 500, Memory: 1 << 20})
		if err != nil {
			var e *Error
			require.True(t, errors.As(err, &e))
			require.NotEmpty(t, e.Text)
			return
		}
		m := g.Matcher(v)
		mask := make([]uint32, v.MaskWords())
		for range 12 {
			if m.Mask(mask) != nil {
				return // too ambiguous for the limit
			}
			var allowed []int32
			for id := range int32(v.Size()) {
				if mask[id>>5]>>(id&31)&1 != 0 {
					allowed = append(allowed, id)
				}
			}
			require.NotEmpty(t, allowed, "a dead end")
			id := allowed[int(choice)*len(allowed)/256]
			if !m.Accept(id) {
				require.Error(t, m.Mask(mask), "a token of the mask is refused")
				return
			}
			if m.ended {
				return
			}
			_ = m.Forced()
			for _, n := range m.Next() {
				require.NotZero(t, n.Place)
			}
		}
	})
}

func FuzzRegex(f *testing.F) {
	fuzz(f, Regex, `a|bc*`, `^(?:\d{2,}-[^a-z]+|\p{L})$`, `(?i)x{3,90}|\u00e9`, `[[:alpha:]\]-]`)
}

func FuzzGBNF(f *testing.F) {
	fuzz(f, GBNF, "root ::= a | root \"x\"\na ::= [0-9]{2,} b?\nb ::= (\"(\" root \")\")* # comment", `root ::= "\x41" . [^\n]`)
}

func FuzzSchema(f *testing.F) {
	fuzz(f, JSONSchema, `{"type":"object","properties":{"a":{"type":"integer","minimum":1},"b":{"$ref":"#"}},"required":["a"],"additionalProperties":false}`,
		`{"oneOf":[{"type":"string","pattern":"^a","maxLength":5},{"not":{"type":["string","null"]}}]}`,
		`{"if":{"const":1},"then":true,"else":{"type":"array","prefixItems":[{"enum":[1,"a"]}],"items":{"multipleOf":0.5},"minItems":1}}`)
}
