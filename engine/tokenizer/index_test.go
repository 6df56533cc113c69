package tokenizer

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// An index says what a map does, whole and of two parts.
func TestIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOf(rapid.StringMatching(`[ab]{0,4}`)).Draw(t, "texts")
		x, want := newIndex(texts), map[string]int32{}
		for id, text := range texts {
			before, twice := x.put(int32(id))
			known, ok := want[text]
			assert.Equal(t, ok, twice)
			if ok {
				assert.Equal(t, known, before)
			}
			want[text] = int32(id)
		}
		text := rapid.StringMatching(`[ab]{0,5}`).Draw(t, "text")
		cut := rapid.IntRange(0, len(text)).Draw(t, "cut")
		id, ok := want[text]
		for _, found := range []func() (int32, bool){
			func() (int32, bool) { return x.get(text) },
			func() (int32, bool) { return x.joined(text[:cut], text[cut:]) },
		} {
			got, is := found()
			assert.Equal(t, ok, is)
			assert.Equal(t, id, got)
		}
	})
}

// No texts are known that have one hash whatever the multiplier is. Where a text is a number to a base, modulo 2^64, these have.
func TestTextsDoNotMeet(t *testing.T) {
	one, other := []byte("a"), []byte("b")
	for range 11 {
		one, other = append(slices.Clone(one), other...), append(slices.Clone(other), one...)
	}
	x := newIndex(nil)
	assert.NotEqual(t, x.hash(string(one), ""), x.hash(string(other), ""))
	assert.Equal(t, x.hash(string(one), ""), x.hash(string(one[:9]), string(one[9:])))
}

// Pairs say what a map does whose keys keep what they first stood for; symbols that are no token are in none.
func TestMergesOfPairs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.Int32Range(0, 5)
		keys := rapid.SliceOf(rapid.Custom(func(t *rapid.T) [2]int32 { return [2]int32{of.Draw(t, "left"), of.Draw(t, "right")} })).Draw(t, "pairs")
		p, want := newPairs(len(keys)), map[[2]int32]merge{}
		for rank, k := range keys {
			m := merge{int32(rank), k[0] + k[1]}
			p.put(k[0], k[1], m)
			if _, ok := want[k]; !ok {
				want[k] = m
			}
		}
		for left := None; left < 6; left++ {
			for right := None; right < 6; right++ {
				got, ok := p.get(left, right)
				known, is := want[[2]int32{left, right}]
				assert.Equal(t, is, ok)
				assert.Equal(t, known, got)
			}
		}
	})
}
