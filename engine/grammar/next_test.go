package grammar

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Where tokens lead is told of nearly all of them, and right where a text can be read in one way only.
func TestNext(t *testing.T) {
	tokens := [][]byte{}
	for a := range 256 {
		tokens = append(tokens, []byte{byte(a)})
	}
	for a := byte(' '); a < 0x7F; a++ {
		for _, b := range []byte("abcxyz019\",} ") {
			tokens = append(tokens, []byte{a, b}, []byte{a, b, 'k'})
		}
	}
	v := NewVocabulary(append(tokens, nil), []int32{int32(len(tokens))}, nil)
	for _, c := range []struct {
		kind         Kind
		source, text string
		several      bool // ways to read it
	}{
		{Regex, "[a-z]{3,9}y|[0-9]+", "ab", false},
		{JSONSchema, `{"type":"object","properties":{"a":{"type":"string","maxLength":6},"b":{"type":"integer"}},"required":["a","b"]}`, `{"a":"xyz", "b":1`, false},
		{JSONSchema, `{"type":"array","items":{"type":"string","maxLength":4}}`, `["abcd","é`, false},
		{JSONSchema, `{"type":"string","minLength":24,"maxLength":40}`, `"abcdefghijklmnopqrstuvwxyzabcdefghijklmn"`, false},
		{JSONSchema, `{"type":"string","pattern":"^(?:ab)*c?$","minLength":20,"maxLength":31}`, `"abababababababababababababababc"`, false},
		{JSONSchema, `{"type":"array","items":{"type":"boolean"},"minItems":9,"maxItems":12}`, `[true,false,true,false,true,true,true,true,true,true`, false},
		{JSONSchema, objects(1), `{"s":"tea`, false},
		{JSONSchema, objects(10), `{"s":"tea`, true},
		{JSONSchema, `{"anyOf":[{"type":"string","pattern":"^[a-m]{3,9}$"},{"type":"string","maxLength":6}]}`, `"abcde`, true},
	} {
		g, err := Compile(c.kind, c.source, Limits{})
		require.NoError(t, err, c.source)
		at := g.Matcher(v)
		mask, after := make([]uint32, v.MaskWords()), make([]uint32, v.MaskWords())
		for i := 0; ; i++ {
			require.NoError(t, at.Mask(mask))
			allowed, told, wrong := 0, 0, 0
			next := at.Next()
			places := map[Next]bool{}
			for _, n := range next {
				n := Next{Set: n.Set, Token: n.Token, Place: n.Place}
				assert.False(t, places[n], "%s: %+v is told of twice", c.text[:i], n)
				places[n] = true
			}
			for id := range int32(len(tokens)) {
				if mask[id>>5]>>(id&31)&1 == 0 {
					continue
				}
				allowed++
				for j := range next {
					if !next[j].Has(id) {
						continue
					}
					told++
					to := at.Clone()
					require.True(t, to.Accept(id))
					if to.Place() != next[j].Place {
						wrong++
						break
					}
					want := make([]uint32, v.MaskWords())
					require.NoError(t, to.Mask(want))
					require.NoError(t, next[j].Mask(after))
					require.Equal(t, want, after)
					break
				}
			}
			assert.Equal(t, allowed, told, c.text[:i])
			if !c.several {
				assert.Zero(t, wrong, c.text[:i])
			}
			if i == len(c.text) {
				break
			}
			require.True(t, at.AcceptBytes([]byte{c.text[i]}), c.text[:i+1])
		}
	}
}

// objects is a schema of so many objects that differ in a name and in how long a text may be.
func objects(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`{"type":"object","properties":{"k%d":{"type":"string"},"s":{"type":"string","maxLength":%d}}}`, i, 20+i))
	}
	return `{"anyOf":[` + strings.Join(all, ",") + `]}`
}
