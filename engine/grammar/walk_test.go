package grammar

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// mixed is a vocabulary of all bytes and of pieces that JSON and its like are made of, across the ends of terminals.
func mixed(pieces int) *Vocabulary {
	var tokens [][]byte
	for b := range 256 {
		tokens = append(tokens, []byte{byte(b)})
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	parts := []string{`"`, `":`, `": "`, `",`, `", "`, `{"`, `"}`, `}`, `]`, `[`, `[[`, `]]`, `, `, `,`, ` `, "\n", "  ", "a", "b", "c", "x", "0", "1", "23", ".5",
		"-", "e1", "true", "false", "null", `\n`, `\u00`, `\"`, "é", "日", "😀", "ab", "foo", "}}", "2024-", "T", ":00"}
	seen := map[string]bool{}
	for len(tokens) < 256+pieces {
		t := ""
		for range 1 + rnd.IntN(3) {
			t += parts[rnd.IntN(len(parts))]
		}
		if len(t) > 1 && !seen[t] {
			seen[t] = true
			tokens = append(tokens, []byte(t))
		}
	}
	tokens = append(tokens, []byte("<end>"))
	end := int32(len(tokens) - 1)
	return NewVocabulary(tokens, []int32{end}, nil)
}

// walk draws tokens at random among those that a matcher allows until the text ends. Behind some tokens it would rather end
// than go on, and takes what brings it there.
func walk(t testing.TB, m *Matcher, v *Vocabulary, rnd *rand.Rand, patience int) string {
	t.Helper()
	end := v.eos[0]
	mask := make([]uint32, v.MaskWords())
	var out []byte
	for step := 0; ; step++ {
		require.NoError(t, m.Mask(mask))
		var allowed []int32
		for id := range int32(v.Size()) {
			if mask[id>>5]>>(id&31)&1 != 0 {
				allowed = append(allowed, id)
			}
		}
		require.NotEmpty(t, allowed, "a dead end behind %q", out)
		id := allowed[rnd.IntN(len(allowed))]
		if step > patience {
			if allowed[len(allowed)-1] == end {
				id = end
			} else {
				id = closing(v, allowed, rnd)
			}
		}
		require.Less(t, step, 20*patience+5000, "no end behind %q", out)
		require.True(t, m.Accept(id), "token %d of the mask is refused behind %q", id, out)
		if id == end {
			require.True(t, m.Finished())
			return string(out)
		}
		text, _ := v.text(id)
		out = append(out, text...)
	}
}

// closing draws a token that brings an end near: of what closes if there is any, else a short one.
func closing(v *Vocabulary, allowed []int32, rnd *rand.Rand) int32 {
	var short []int32
	for _, want := range []string{`"`, `}`, `]`} {
		for _, id := range allowed {
			text, _ := v.text(id)
			if string(text) == want && (want == `"` || len(allowed) < 200) && rnd.IntN(4) > 0 {
				return id
			}
			if len(text) <= 2 { // é is what a pattern may wait for
				short = append(short, id)
			}
		}
	}
	if len(short) == 0 {
		short = allowed
	}
	return short[rnd.IntN(len(short))]
}
