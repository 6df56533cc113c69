package grammar

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"quire/engine/grammar/grammartest"
)

func TestForced(t *testing.T) {
	m := matcher(t, JSONSchema, `{"type":"object","properties":{"kind":{"const":"circle"},"r":{"type":"integer"}},"required":["kind","r"],"additionalProperties":false}`)
	require.True(t, m.AcceptBytes([]byte(`{`)))
	assert.Empty(t, m.Forced(), "white space may come")
	require.True(t, m.AcceptBytes([]byte(`"`)))
	assert.Equal(t, `kind":`, string(m.Forced()))
	require.True(t, m.AcceptBytes([]byte(`kind":"c`)))
	assert.Equal(t, `ircle",`, string(m.Forced()))

	m = matcher(t, GBNF, `root ::= "ab" ("c" | "cd")`)
	assert.Equal(t, "abc", string(m.Forced()), "where the text may end there is a choice")
	require.True(t, m.AcceptBytes([]byte("abc")))
	assert.True(t, m.Accepting())
	assert.False(t, m.Finished())
	require.True(t, m.AcceptBytes([]byte("d")))
	assert.True(t, m.Finished())
	assert.Empty(t, m.Forced())
}

func TestVocabulary(t *testing.T) {
	v := NewVocabulary([][]byte{[]byte("a"), []byte("ab"), []byte("a"), nil, []byte("<s>"), []byte("</s>"), []byte("<|im_end|>"), []byte("\xc3"), []byte("\xa9")},
		[]int32{5, 6}, []int32{4})
	g, err := Compile(Regex, `a|ab|é|<s>`, Limits{})
	require.NoError(t, err)
	m := g.Matcher(v)
	mask := []uint32{99, 99}
	require.NoError(t, m.Mask(mask))
	assert.Equal(t, []uint32{1<<0 | 1<<1 | 1<<2 | 1<<7, 0}, mask, "both of equal tokens, no special ones, a part of a character")
	assert.False(t, m.Accept(5), "nothing has come yet")
	assert.False(t, m.Accept(4))
	assert.False(t, m.Accept(-1))
	assert.False(t, m.Accept(100))
	require.True(t, m.Accept(2))
	require.NoError(t, m.Mask(mask))
	assert.Equal(t, []uint32{1<<5 | 1<<6, 0}, mask, "any token of the end; b alone is no token")
	require.True(t, m.Accept(6))
	assert.True(t, m.Finished())
	assert.False(t, m.Accept(0))
}

// TestMasksAreExact compares masks with what happens if each token is tried, and clones with what they were made of.
func TestMasksAreExact(t *testing.T) {
	v := mixed(300)
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		rnd := rand.New(rand.NewPCG(seed, 1))
		source, err := json.Marshal(grammartest.Schemas{Rand: rnd}.Root())
		require.NoError(t, err)
		g, err := Compile(JSONSchema, string(source), Limits{Memory: rapid.SampledFrom([]int{1, 100_000, 64 << 20}).Draw(t, "memory")})
		if err != nil {
			return
		}
		m := g.Matcher(v)
		mask := make([]uint32, v.MaskWords())
		for range rapid.IntRange(1, 20).Draw(t, "tokens") {
			require.NoError(t, m.Mask(mask))
			var allowed []int32
			for id := range int32(v.Size()) {
				is := mask[id>>5]>>(id&31)&1 != 0
				require.Equal(t, m.Clone().Accept(id), is, "%s: token %d", source, id)
				if is {
					allowed = append(allowed, id)
				}
			}
			forced := m.Forced()
			require.True(t, m.Clone().AcceptBytes(forced))
			if len(forced) > 0 {
				for b := range 256 {
					require.Equal(t, byte(b) == forced[0], m.Clone().AcceptBytes([]byte{byte(b)}))
				}
				longer := slices.ContainsFunc(allowed, func(id int32) bool { return len(v.tokens[id]) > len(forced) })
				require.Equal(t, longer, m.Clone().reaches(forced))
			}
			require.True(t, m.Accept(allowed[rnd.IntN(len(allowed))]))
			if m.ended {
				return
			}
		}
	})
}

// TestOneByOne has every token of a valid text allowed, however the text is cut into tokens.
func TestOneByOne(t *testing.T) {
	v := mixed(300)
	ids := map[string]int32{}
	for id, text := range v.tokens {
		ids[string(text)] = int32(id)
	}
	rapid.Check(t, func(t *rapid.T) {
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		text := `{"a": [1, 2.5e3, "` + strings.Repeat(rapid.SampledFrom([]string{"é", "x", `\n`, "日", `":`}).Draw(t, "piece"), 3) + `", {"b": null, "c": [true]}]}`
		text = strings.ReplaceAll(text, `":":":`, `\":\":\":`)
		g, err := Compile(JSONSchema, `{"type":"object","properties":{"a":{"type":"array","maxItems":4}},"additionalProperties":false}`, Limits{})
		require.NoError(t, err)
		m := g.Matcher(v)
		mask := make([]uint32, v.MaskWords())
		for rest := text; rest != ""; {
			var fits []string
			for n := 1; n <= min(len(rest), v.longest); n++ {
				if _, ok := ids[rest[:n]]; ok {
					fits = append(fits, rest[:n])
				}
			}
			token := fits[rnd.IntN(len(fits))]
			id := ids[token]
			require.NoError(t, m.Mask(mask))
			require.NotZero(t, mask[id>>5]>>(id&31)&1, "%q before %q", token, rest)
			require.True(t, m.Accept(id))
			rest = rest[len(token):]
		}
		require.True(t, m.Finished())
	})
}
