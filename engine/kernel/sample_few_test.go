package kernel

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu/gputest"
	"quire/engine/sample"
)

// swap has one thing in a kernel's text for another.
type swap struct{ old, new string }

// swapped makes samplers with a swap.
func swapped(t *testing.T, c swap) {
	broken = func(label, text string) string {
		if strings.HasPrefix(label, "sample/") {
			require.Equal(t, 1, strings.Count(text, c.old))
			return strings.Replace(text, c.old, c.new, 1)
		}
		return text
	}
	t.Cleanup(func() { broken = nil })
}

// likely gives logits like a language model's: a bulk of unlikely tokens, and some that share most of the probability.
func (r *rig) likely(vocab int) []float32 {
	logits := r.floats(vocab, 2)
	for n := range 60 {
		logits[r.rng.IntN(vocab)] = 16 - float32(n)/4
	}
	return logits
}

// nativeFirst skips what the first run checks for all, for TestSampleEqualsDraw draws in all.
func nativeFirst(t *testing.T) {
	if !gputest.First && os.Getenv("QUIRE_ALL") == "" {
		t.Skip("the first run checks this")
	}
}

// What is drawn from logits like a language model's is found among few tokens; the same is found among all.
func TestSampleAmongFewAndAll(t *testing.T) {
	params := []sample.Params{
		{Temperature: 1, TopK: 40, TopP: 0.95, MinP: 0.05, Seed: 1}, {Temperature: 0.8, TopP: 0.95, Seed: 2}, {Temperature: 0.7, TopP: 1, MinP: 0.05, Seed: 3},
		{Temperature: 1, TopP: 0.9, MinP: 0.1, Seed: 4}, {Temperature: 0.05, TopP: 1, Seed: 5}, {Temperature: 1, TopK: 8, TopP: 1, Seed: 6},
	}
	nativeFirst(t)
	withoutAny := swap{"token = draw_any(", "token = 0u * draw_any("}
	withoutFew := swap{"token = draw_few(", "token = ALL_IDS | draw_few("}
	for vocab, swaps := range map[int][]swap{4000: {withoutAny, withoutFew}, 9001: {withoutAny}} {
		for _, c := range swaps {
			t.Run(fmt.Sprintf("%d without %s", vocab, c.old[len("token = "):len(c.old)-1]), func(t *testing.T) {
				swapped(t, c)
				s := newSampler(t, vocab, 60)
				set := s.likely(vocab)
				s.load(set)
				wrong := 0
				for i, got := range s.draw(0, params...) {
					if sample.Draw(set, params[i%len(params)], uint32(i)) != int(got.ID) {
						wrong++
					}
				}
				require.LessOrEqual(t, wrong, 1, "sums of floats may leave a top-p open, once in hundreds")
				if c == withoutFew {
					require.Zero(t, wrong)
				}
			})
		}
	}
}

// Logits whose best tokens lie where few are looked at at once, or whose extremes are those of floats.
func TestSampleExtremes(t *testing.T) {
	vocabularies := []int{4097}
	if gputest.First {
		vocabularies = []int{31, 4097, 262144}
	}
	for _, vocab := range vocabularies {
		params := []sample.Params{
			{Temperature: 1, TopK: 40, TopP: 0.95, MinP: 0.05, Seed: 1}, {Temperature: 0.8, TopP: 0.95, Seed: 2}, {},
			{Temperature: 1.5, TopK: 128, TopP: 1, Seed: 3}, {Temperature: 1, TopP: 0.3, Seed: 4}, {Temperature: 1, TopK: 3, TopP: 0.5, Seed: 5},
			{Temperature: 1, TopP: 1, MinP: 0.01, Seed: 6}, {Temperature: 1, TopK: vocab, TopP: 0.9, Seed: 7},
		}
		s := newSampler(t, vocab, len(params))
		of := func(logit func(id int) float32) []float32 {
			set := make([]float32, vocab)
			for id := range set {
				set[id] = logit(id)
			}
			return set
		}
		sets := map[string][]float32{
			"one block":  of(func(id int) float32 { return float32(max(0, 20-id/8%256*10-id%3)) }),
			"a few ties": of(func(id int) float32 { return 9 * float32(max(0, 1-id%(vocab/30+1))) }),
			"far below":  of(func(id int) float32 { return []float32{-1e38, -3, 1e37}[id%3] }),
		}
		if vocab <= 4097 {
			sets["falling"] = of(func(id int) float32 { return float32(-id) / 64 })
			sets["rising"] = of(func(id int) float32 { return float32(id) / 64 })
			sets["low"] = of(func(id int) float32 { return -3e38 })
			sets["huge"] = of(func(id int) float32 { return float32(id%7) * 1e37 })
			sets["near"] = of(func(id int) float32 { return 1e4 + float32(id%5)/1024 })
		}
		for name, set := range sets {
			s.load(set)
			want := make([]int, s.rows)
			for i, p := range params {
				want[i] = sample.Draw(set, p, uint32(i))
			}
			for i, got := range s.draw(0, params...) {
				require.EqualValues(t, want[i], got.ID, "%s of %d: %+v", name, vocab, params[i])
			}
		}
	}
}

// The sums of floats that stand for a total mass are within their bounds: a draw at a top-p of any tokens' share is exact.
func TestSampleTopPAtEdges(t *testing.T) {
	nativeFirst(t)
	const vocab = 4097
	s := newSampler(t, vocab, 128)
	set := s.likely(vocab)
	s.load(set)
	shares := sample.Distribution(set, sample.Params{Temperature: 1, TopP: 1})
	slices.Sort(shares)
	slices.Reverse(shares)
	params := make([]sample.Params, s.rows)
	at := 0.0
	for i := range params {
		if i%4 == 0 {
			at += shares[i/4]
		}
		params[i] = sample.Params{Temperature: 1, TopP: min(1, at+float64(i%4-2)*1e-7), Seed: uint64(i)}
	}
	for i, got := range s.draw(0, params...) {
		require.EqualValues(t, sample.Draw(set, params[i], uint32(i)), got.ID, "%+v", params[i])
	}
}
