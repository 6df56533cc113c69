package kernel

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/sample"
)

var settings = map[string]sample.Params{
	"temperature": {Temperature: 1.7, TopP: 1, Seed: 0x123456789ABCDEF},
	"top-k":       {Temperature: 1, TopK: 40, TopP: 1, Seed: 2},
	"top-p":       {Temperature: 1, TopP: 0.85, Seed: 3},
	"min-p":       {Temperature: 1, TopP: 1, MinP: 0.08, Seed: 4},
	"all":         {Temperature: 0.9, TopK: 100, TopP: 0.95, MinP: 0.03, Seed: 5},
}

// The GPU draws the very token that the same integers give on the CPU.
func TestSampleEqualsDraw(t *testing.T) {
	vocabularies := []int{1, 2, 3, 64, 511, 512, 4097, 49152} // each has a kernel of its own
	if !gputest.First && os.Getenv("QUIRE_ALL") == "" {
		vocabularies = []int{3, 511, 49152}
	}
	for _, vocab := range vocabularies {
		t.Run(fmt.Sprint(vocab), func(t *testing.T) {
			rows := 96
			if vocab > 4096 {
				rows = 24
			}
			s := newSampler(t, vocab, rows)
			var params []sample.Params
			for _, p := range settings {
				params = append(params, p)
			}
			params = append(params, sample.Params{}, sample.Params{Temperature: 1}, sample.Params{Temperature: 1, TopP: 1, MinP: 1},
				sample.Params{Temperature: 1, TopK: 1, TopP: 1}, sample.Params{Temperature: 0.01, TopP: 0.5, TopK: vocab + 5},
				sample.Params{Temperature: 900, TopP: 0.999, TopK: max(1, vocab-1)})
			sets := s.logitSets(vocab)
			// 0 and -0 are equal, and so tie.
			sets["zeros"] = make([]float32, vocab)
			for i := 0; i < vocab; i += 2 {
				sets["zeros"][i] = float32(math.Copysign(0, -1))
			}
			for _, set := range sets {
				s.load(set)
				for i, got := range s.draw(7, params...) {
					p := params[i%len(params)]
					require.EqualValues(t, sample.Draw(set, p, uint32(7+i)), got.ID, "%+v, draw %d", p, i)
				}
			}
		})
	}
}

// Seeds whose draw falls next to the line between two tokens show that masses are right to a
// few parts in 100,000.
func TestSampleMasses(t *testing.T) {
	const rows = 16
	s := newSampler(t, 2, rows)
	sets, params := make([][]float32, rows), make([]sample.Params, rows)
	for i := range sets {
		sets[i] = []float32{0, -float32(2+i/2) / 15}
		params[i] = sample.Defaults()
		share, nearest := sample.Distribution(sets[i], params[i])[0], 1.0
		for seed := range uint64(400000) {
			off := float64(sample.Uniform(seed, uint32(i)))/(1<<64) - share
			if i%2 == 0 {
				off = -off
			}
			if off > 0 && off < nearest {
				nearest, params[i].Seed = off, seed
			}
		}
	}
	s.load(sets...)
	for i, got := range s.draw(0, params...) {
		require.EqualValues(t, i%2, got.ID, "row %d", i)
	}
}

var hundredThousand = map[string]int{"random": 100000, "ties": 100000, "one-hot": 100000, "flat": 100000}

func TestSampleFits(t *testing.T) {
	draws := hundredThousand
	if slow(t) && os.Getenv("QUIRE_ALL") == "" {
		draws = map[string]int{"random": 8000, "ties": 8000, "one-hot": 4000, "flat": 8000}
		if gputest.First {
			draws["ties"] = 100000
		}
	}
	fits(t, 512, 4000, draws)
}

func TestSampleFitsLargeVocabularies(t *testing.T) {
	draws, vocabularies := hundredThousand, []int{49152, 128256}
	if slow(t) {
		if os.Getenv("QUIRE_ALL") == "" {
			vocabularies = vocabularies[1:]
		}
		if !gputest.First && os.Getenv("QUIRE_ALL") == "" {
			t.Skip("software adapters need minutes for what the native run checks too, and TestSampleEqualsDraw draws from these")
		}
		draws = map[string]int{"ties": 1000}
	}
	for _, vocab := range vocabularies {
		t.Run(fmt.Sprint(vocab), func(t *testing.T) { fits(t, vocab, 200, draws) })
	}
}

func TestSampleWithoutDraw(t *testing.T) {
	s := newSampler(t, 100, 1)
	s.load(s.floats(100, 1))
	before := s.draw(0, sample.Params{})[0].ID
	require.NoError(t, s.lanes.Upload(0, []byte{99, 0, 0, 0}))
	d := StepData{Outputs: []Output{{Lane: 0}}}
	var step []byte
	for _, w := range d.AppendWords(nil) {
		step = binary.LittleEndian.AppendUint32(step, w)
	}
	require.NoError(t, s.steps.Upload(0, step))
	s.submit(func(rec *gpu.Recorder) { s.kernel.Record(rec, s.bind, Draws{Outputs: 1}) })
	require.NotEqual(t, before, NoToken)
	require.EqualValues(t, NoToken, int32(s.word(s.results, 0)))
	require.EqualValues(t, 99, s.word(s.lanes, 0), "the lane keeps its token")
}

func TestTopLogits(t *testing.T) {
	for _, vocab := range []int{5, 512, 49152} {
		s := newSampler(t, vocab, 4)
		for name, set := range s.logitSets(vocab) {
			s.load(set)
			params := []sample.Params{{Logprobs: 20}, {Temperature: 1, TopP: 1, Logprobs: 1}, {}, {Temperature: 2, TopP: 0.9, Logprobs: 7}}
			total := 0.0
			ranked := sample.Distribution(set, sample.Defaults())
			best := float64(set[sample.Draw(set, sample.Params{}, 0)])
			for _, x := range set {
				total += math.Exp(float64(x) - best)
			}
			logprob := func(id int32) float64 { return float64(set[id]) - best - math.Log(total) }
			for i, r := range s.draw(0, params...) {
				wanted := min(params[i].Logprobs, vocab)
				require.Len(t, r.Top, wanted)
				if wanted == 0 {
					continue
				}
				require.Equal(t, set[r.ID], r.Logit)
				require.InDelta(t, logprob(r.ID), r.Logprob, 2e-4)
				for n, top := range r.Top {
					require.True(t, set[top.ID] == top.Logit, "%s: the logit of %d", name, top.ID)
					require.InDelta(t, logprob(top.ID), top.Logprob, 2e-4)
					// Nothing left out is better, and equals come by id.
					id := 0
					for other := range ranked {
						if set[other] > set[id] || (set[other] == set[id] && other < id) {
							id = other
						}
					}
					if n == 0 {
						require.EqualValues(t, id, top.ID)
					} else {
						before := r.Top[n-1]
						require.True(t, top.Logit < before.Logit || (top.Logit == before.Logit && top.ID > before.ID))
					}
				}
				last := r.Top[wanted-1]
				better := 0
				for id, x := range set {
					if x > last.Logit || (x == last.Logit && id <= int(last.ID)) {
						better++
					}
				}
				require.Equal(t, wanted, better)
			}
		}
	}
}

func TestSampleRefuses(t *testing.T) {
	r := newRig(t)
	for _, p := range []SampleParams{{0, 32}, {100, 96}, {100, 102}} {
		_, err := NewSample(r.dev, p)
		require.ErrorContains(t, err, "vocabulary")
	}
}

// Withheld tokens are not drawn in their outputs, however likely they are; log-probabilities, and the logits, stay those of
// all tokens.
func TestWithheldTokens(t *testing.T) {
	for _, vocab := range []int{5, 512, 4100} {
		s := newSampler(t, vocab, 24)
		for name, set := range s.logitSets(vocab) {
			s.load(set)
			params := []sample.Params{{Logprobs: 5}, {Temperature: 1, TopP: 0.9}, {Temperature: 900, TopP: 1}, {Temperature: 0.01, TopK: 3, TopP: 1, Logprobs: 2}, {}}
			free := s.draw(3, params...)
			best := sample.Draw(set, sample.Params{}, 0)
			without := append([]float32(nil), set...)
			s.withheld.Reset()
			for _, id := range []int{best, 2} {
				without[id] = withheldLogit
			}
			for row := 0; row < s.rows; row += 3 {
				s.withheld.Add(row, s.stride(), int32(best))
				if best != 2 {
					s.withheld.Add(row, s.stride(), 2)
				}
			}
			for range 2 { // the second time the list is written anew, over the same logits
				for row, got := range s.draw(3, params...) {
					p := params[row%len(params)]
					if row%3 != 0 {
						require.Equal(t, free[row], got, "%s: nothing is withheld from row %d", name, row)
						continue
					}
					require.NotContains(t, []int{best, 2}, int(got.ID), "%s: row %d", name, row)
					require.EqualValues(t, sample.Draw(without, p, uint32(3+row)), got.ID, "%s: row %d", name, row)
					require.Equal(t, free[row].Top, got.Top, "%s: row %d", name, row)
					if p.Logprobs > 0 {
						require.Equal(t, set[got.ID], got.Logit)
					}
				}
			}
			s.withheld = nil
			require.Equal(t, free, s.draw(3, params...), "%s: the logits are as they were", name)
		}
	}
}

// A logit that is no number is found though its token is withheld.
func TestWithheldNotANumber(t *testing.T) {
	s := newSampler(t, 512, 2)
	set := s.floats(512, 1)
	set[7] = float32(math.NaN())
	s.load(set, s.floats(512, 2))
	s.withheld.Reset()
	s.withheld.Add(0, s.stride(), 7)
	s.withheld.Add(1, s.stride(), 7)
	got := s.draw(0, sample.Defaults())
	require.Equal(t, NotNumbers, got[0].ID)
	require.GreaterOrEqual(t, got[1].ID, int32(0))
}

// maskOf makes a mask of the tokens that allowed says may be drawn, with bits set past the vocabulary.
func maskOf(vocab int, allowed func(id int) bool) []uint32 {
	mask := make([]uint32, MaskWords(vocab))
	for id := range 32 * len(mask) {
		if id >= vocab || allowed(id) {
			mask[id/32] |= 1 << (id % 32)
		}
	}
	return mask
}

// What a mask forbids is as if it were not there: for draws, and for log-probabilities.
func TestMaskedTokens(t *testing.T) {
	vocabularies := []int{4097}
	if gputest.First {
		vocabularies = []int{33, 4097, 49152}
	}
	for _, vocab := range vocabularies {
		const rows = 24
		s := newSampler(t, vocab, rows)
		sets := s.logitSets(vocab)
		for _, name := range slices.Sorted(maps.Keys(sets)) { // the same masks in every run
			set := sets[name]
			s.load(set)
			params := []sample.Params{{Logprobs: 5}, {Temperature: 1, TopP: 0.9}, {Temperature: 900, TopP: 1}, {Temperature: 0.7, TopK: 3, TopP: 1, Logprobs: 20},
				{Temperature: 1, TopK: 40, TopP: 0.95, MinP: 0.05}, {}, {Temperature: 1, TopP: 1, MinP: 0.1}}
			s.masked = nil
			free := s.draw(3, params...)
			s.masked = map[int][]uint32{}
			allowed := make([][]int, rows) // in order, of rows with a mask
			for row := range rows {
				keep := []float64{0, 0.5, 0.01, 1}[row%4]
				one := s.rng.IntN(vocab)
				may := make([]bool, vocab)
				for id := range may {
					may[id] = id == one || s.rng.Float64() < keep
				}
				if row%5 == 0 {
					continue
				}
				s.masked[row] = maskOf(vocab, func(id int) bool { return may[id] })
				for id, ok := range may {
					if ok {
						allowed[row] = append(allowed[row], id)
					}
				}
			}
			for row, got := range s.draw(3, params...) {
				p := params[row%len(params)]
				if allowed[row] == nil {
					require.Equal(t, free[row], got, "%s: row %d has no mask", name, row)
					continue
				}
				var left []float32
				total, best := 0.0, math.Inf(-1)
				for _, id := range allowed[row] {
					left = append(left, set[id])
					best = max(best, float64(set[id]))
				}
				for _, x := range left {
					total += math.Exp(float64(x) - best)
				}
				require.EqualValues(t, allowed[row][sample.Draw(left, p, uint32(3+row))], got.ID, "%s of %d: row %d, %d tokens allowed", name, vocab, row, len(left))
				require.Len(t, got.Top, min(p.Logprobs, len(left)))
				for n, top := range got.Top {
					require.Contains(t, allowed[row], int(top.ID))
					require.Equal(t, set[top.ID], top.Logit)
					require.InDelta(t, float64(top.Logit)-best-math.Log(total), top.Logprob, 2e-4)
					if n > 0 {
						require.True(t, top.Logit < got.Top[n-1].Logit || top.Logit == got.Top[n-1].Logit && top.ID > got.Top[n-1].ID)
					}
				}
				if p.Logprobs > 0 {
					require.InDelta(t, float64(set[got.ID])-best-math.Log(total), got.Logprob, 2e-4)
				}
			}
		}
	}
}

// A mask that forbids all draws nothing; a logit that is no number is found though its token is forbidden.
func TestMasksOfNothing(t *testing.T) {
	s := newSampler(t, 700, 4)
	broken := s.floats(700, 1)
	broken[8] = float32(math.Inf(1))
	s.load(s.floats(700, 1), broken)
	none := maskOf(700, func(int) bool { return false })
	s.masked = map[int][]uint32{0: none, 1: none, 2: none, 3: maskOf(700, func(id int) bool { return id == 9 })}
	got := s.draw(0, sample.Params{Logprobs: 3}, sample.Params{}, sample.Params{Temperature: 1, TopK: 5, TopP: 0.9})
	require.Equal(t, []int32{NoToken, NotNumbers, NoToken, NotNumbers}, []int32{got[0].ID, got[1].ID, got[2].ID, got[3].ID})
	require.Empty(t, got[0].Top)
}
