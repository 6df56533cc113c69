package generation

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/reference"
	"quire/engine/reference/referencetest"
	"quire/engine/sample"
)

// searched runs the books of a search on the reference's probabilities.
func searched(t *testing.T, m *reference.Model, prompt []int32, b Beams, minTokens int, ends []int32, maxTokens int) []beam {
	s := newSearch(b, minTokens, ends)
	s.maxTokens = maxTokens
	states := []*reference.State{m.NewState()}
	tokens := [][]int32{prompt}
	for {
		tops := make([][]sample.Candidate, len(states))
		for i, state := range states {
			logits, err := state.ForwardLast(tokens[i], 1)
			require.NoError(t, err)
			for id, x := range reference.LogSoftmax(logits[0]) {
				tops[i] = append(tops[i], sample.Candidate{ID: int32(id), Logprob: float32(x)})
			}
			slices.SortStableFunc(tops[i], func(a, b sample.Candidate) int { return cmp.Compare(b.Logprob, a.Logprob) })
			tops[i] = tops[i][:b.candidates(len(ends))]
		}
		moves := s.advance(tops, nil)
		if moves == nil {
			return s.results("")
		}
		before := states
		states, tokens = nil, nil
		for _, move := range moves {
			states = append(states, before[move.parent].Fork())
			tokens = append(tokens, []int32{move.token})
		}
	}
}

func ids(b beam) (all []int32) {
	for _, l := range b.links() {
		all = append(all, l.drawn.ID)
	}
	return all
}

// The books give what a search over the whole vocabulary gives, from few candidates. Common tokens stand in for end
// tokens, so that texts end early, late and not at all.
func TestBeamSearch(t *testing.T) {
	const maxTokens = 6
	m := referencetest.Load(t, "tiny-tales")
	prompts := [][]int32{{10}, {84, 104, 101, 32, 102}}
	unlike := map[string]bool{}
	compared := 0
	for i, prompt := range prompts {
		for _, ends := range [][]int32{nil, {32}, {101, 116, 32}, {111, 256}} {
			for _, width := range []int{1, 4} {
				for _, penalty := range []float64{0, 1, -0.5} {
					for stopping, name := range referencetest.EarlyStopping {
						for _, minimum := range []int{0, 3} {
							b := Beams{Width: width, LengthPenalty: penalty, EarlyStopping: EarlyStopping(stopping)}
							want, gap, err := m.Beams(prompt, reference.BeamParams{
								Width: width, Tokens: maxTokens, MinTokens: minimum, LengthPenalty: penalty, EarlyStopping: name, Ends: ends,
							})
							require.NoError(t, err)
							if gap < 1e-5 {
								continue
							}
							compared++
							got := searched(t, m, prompt, b, minimum, ends, maxTokens)
							require.Len(t, got, len(want))
							for j := range want {
								require.Equal(t, want[j].Tokens, ids(got[j]), "prompt %d, ends %d, %+v, text %d", i, ends, b, j)
								require.InDelta(t, want[j].Sum, got[j].sum, 1e-4)
								require.InDelta(t, want[j].Score, got[j].score, 1e-4)
							}
							if len(want[0].Tokens) < maxTokens {
								unlike[name] = true
							}
						}
					}
				}
			}
		}
	}
	assert.Greater(t, compared, 260)
	assert.Len(t, unlike, 3, "texts end early under each rule")
}

// top makes candidates of ids and log-probabilities.
func top(pairs ...float32) (all []sample.Candidate) {
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, sample.Candidate{ID: int32(pairs[i]), Logprob: pairs[i+1]})
	}
	return all
}

// Equal probabilities rank by beam, then by place.
func TestBeamTies(t *testing.T) {
	s := newSearch(Beams{Width: 2}, 0, []int32{9})
	s.maxTokens = 5
	assert.Equal(t, []move{{0, 4}, {0, 3}}, s.advance([][]sample.Candidate{top(4, -1, 3, -1, 5, -1)}, nil))
	assert.Equal(t, []move{{0, 6}, {1, 8}}, s.advance([][]sample.Candidate{top(6, -1, 7, -2, 2, -2), top(8, -1, 1, -2, 2, -2)}, nil))
	assert.Nil(t, s.advance([][]sample.Candidate{top(9, -1, 6, -4, 2, -5), top(9, -1, 7, -2, 2, -2)}, nil))
	require.Len(t, s.results(""), 2)
	assert.Equal(t, []int32{4, 6, 9}, ids(s.results("")[0]))
	assert.Equal(t, []int32{3, 8, 9}, ids(s.results("")[1]))
}

// An end that is not among the best ends nothing: others run on in its place.
func TestBeamEndBelowTheBest(t *testing.T) {
	s := newSearch(Beams{Width: 2}, 0, []int32{9})
	s.maxTokens = 5
	assert.Equal(t, []move{{0, 4}, {0, 3}}, s.advance([][]sample.Candidate{top(4, -1, 3, -2, 9, -3)}, nil))
	assert.Empty(t, s.results(""))
	assert.Equal(t, []move{{0, 1}, {1, 5}}, s.advance([][]sample.Candidate{top(9, -1, 1, -4, 2, -8), top(5, -3, 9, -4, 6, -9)}, nil))
	assert.Equal(t, [][]int32{{4, 9}}, [][]int32{ids(s.results("")[0])})
	broken := s.results(FinishCancelled)
	require.Len(t, broken, 3)
	assert.Equal(t, []FinishReason{FinishStop, FinishCancelled, FinishCancelled}, []FinishReason{broken[0].reason, broken[1].reason, broken[2].reason})
	assert.Equal(t, []int32{3, 5}, ids(broken[2]))
}
