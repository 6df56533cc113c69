package draft

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// run has an engine say a text after a prompt, with so many steps in flight, and gives how many steps it took: those that
// nobody waits for, and those that verified a draft.
func run(t testing.TB, d Drafter, prompt, text []int32, depth, most int) (plain, verified int) {
	tokens := append([]int32(nil), prompt...)
	all := append(append([]int32(nil), prompt...), text...)
	inFlight := 0
	for len(tokens) < len(all) {
		draft := d.Draft(tokens, inFlight, most)
		switch {
		case len(draft) > inFlight && inFlight > 0: // it holds
		case len(draft) > 0:
			require.LessOrEqual(t, len(draft), most)
			accepted := 0
			for accepted < len(draft) && len(tokens)+accepted+1 < len(all) && draft[accepted] == all[len(tokens)+accepted] {
				accepted++
			}
			tokens = all[:len(tokens)+accepted+1]
			d.Verified(len(draft), accepted)
			verified++
			continue
		default:
			for inFlight < depth && len(tokens)+inFlight < len(all) {
				inFlight++
				plain++
			}
		}
		tokens = all[:len(tokens)+1]
		inFlight--
	}
	return plain, verified
}

// words are tokens as often as words are.
func words(r *rand.Rand, n int) []int32 {
	z := rand.NewZipf(r, 1.2, 4, 5000)
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(z.Uint64())
	}
	return out
}

// edited changes, drops or adds a token about every so many.
func edited(r *rand.Rand, text []int32, every int) []int32 {
	var out []int32
	for _, token := range text {
		switch r.IntN(3 * every) {
		case 0:
			out = append(out, int32(r.IntN(5000)))
		case 1:
		case 2:
			out = append(out, int32(r.IntN(5000)), token)
		default:
			out = append(out, token)
		}
	}
	return out
}

// phrases says the same few phrases in any order: what follows one is hardly ever what followed it last.
func phrases(r *rand.Rand, n int) (out []int32) {
	for len(out) < n {
		phrase := int32(r.IntN(30))
		out = append(out, phrase, 100+phrase, 200+phrase, 300+phrase)
	}
	return out[:n]
}

// Drafts that are mostly wrong are given up, and tried again now and then.
func TestLookupGivesUp(t *testing.T) {
	for _, depth := range []int{1, 4} {
		r := rand.New(rand.NewPCG(5, 6))
		text := phrases(r, 3000)
		l := NewLookup(Settings{Depth: depth})
		plain, verified := run(t, l, text[:300], text[300:], depth, 15)
		t.Logf("%d plain and %d verified", plain, verified)
		assert.Less(t, float64(plain)+float64(verified)*float64(l.cost()), 1.03*2700)
		assert.Positive(t, verified)
	}
}

// A text of one phrase is drafted past its own end.
func TestLookupRepeats(t *testing.T) {
	l := NewLookup(Settings{Depth: 1, Most: 8})
	l.most = 8
	tokens := []int32{9, 1, 2, 1, 2, 1, 2}
	assert.Equal(t, []int32{1, 2, 1, 2, 1, 2, 1, 2}, l.Draft(tokens, 0, 20))
	assert.Equal(t, []int32{1, 2, 1, 2, 1}, l.Draft(tokens, 2, 3))
}

// A prompt is taken in piece by piece, so that no step waits for all of it.
func TestLongPrompt(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	tokens := words(r, 3*catchUp)
	tokens = append(tokens, tokens[100:120]...)
	l := NewLookup(Settings{Depth: 1})
	for range 3 {
		require.Empty(t, l.Draft(tokens, 0, 15))
	}
	assert.Equal(t, tokens[120:124], l.Draft(tokens, 0, 15))
}

// A text that is copied with changes takes much fewer steps, one that has nothing to do with the prompt hardly more.
func TestLookupSteps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		name         string
		every, depth int
		least, most  float64 // of the tokens a step
	}{
		{"copied", 1 << 20, 1, 9, 16}, {"copied, running ahead", 1 << 20, 4, 8, 16},
		{"a change in 20", 20, 1, 4, 16}, {"a change in 20, running ahead", 20, 4, 4, 16},
		{"a change in 8", 8, 1, 3, 16}, {"a change in 8, running ahead", 8, 4, 2.5, 16},
		{"another text", 0, 1, 0.95, 1.1}, {"another text, running ahead", 0, 4, 0.9, 1.1},
	} {
		source := words(r, 600)
		text := words(r, 600)
		if c.every > 0 {
			text = edited(r, source, c.every)
		}
		l := NewLookup(Settings{Depth: c.depth})
		plain, verified := run(t, l, append(words(r, 200), source...), text, c.depth, 15)
		rate := float64(len(text)) / float64(plain+verified)
		cost := float64(len(text)) / (float64(plain) + float64(verified)*float64(l.cost()))
		t.Logf("%s: %d tokens, %d plain and %d verified: %.2f a step, gain %.2f, need %d", c.name, len(text), plain, verified, rate, cost, l.need)
		assert.GreaterOrEqual(t, rate, c.least, c.name)
		assert.LessOrEqual(t, rate, c.most, c.name)
	}
}
