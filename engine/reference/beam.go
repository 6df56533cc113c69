package reference

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// BeamParams are those of engine.Beams, which says what they mean; Tokens is the most of a text.
type BeamParams struct {
	Width, Tokens, MinTokens int
	LengthPenalty            float64
	EarlyStopping            string  // "false", "true" or "never"
	Ends                     []int32 // end tokens
}

// Beam is a text that Beams found.
type Beam struct {
	Tokens     []int32
	Sum, Score float64 // of log-probabilities, and with the length penalty
}

// searched is a running text with its keys and values.
type searched struct {
	Beam
	state  *State
	scores []float64 // log-probability of each token of the vocabulary
}

// Beams searches the texts after a prompt over the whole vocabulary, best first. gap is the smallest difference between
// two numbers whose order the search has asked for: with errors well under it every search finds the same.
func (m *Model) Beams(prompt []int32, p BeamParams) (found []Beam, gap float64, err error) {
	if p.Width < 1 || p.Tokens < 1 || p.Width+len(p.Ends) > m.Vocabulary {
		return nil, 0, fmt.Errorf("reference: %d beams of %d tokens over a vocabulary of %d", p.Width, p.Tokens, m.Vocabulary)
	}
	first := searched{state: m.NewState()}
	if err := first.extend(prompt); err != nil {
		return nil, 0, err
	}
	running, gap := []searched{first}, math.Inf(1)
	for length := 1; ; length++ {
		options := everyOption(running, p, length)
		gap = min(gap, options.gap(p))
		found = append(found, options.ended(p, length)...)
		slices.SortStableFunc(found, func(a, b Beam) int { return cmp.Compare(b.Score, a.Score) })
		for i := 1; i < len(found); i++ {
			gap = min(gap, found[i-1].Score-found[i].Score)
		}
		found = found[:min(p.Width, len(found))]
		if length == p.Tokens {
			return found, gap, nil
		}
		next := options.running(p)
		if len(found) == p.Width {
			hope := next[0].score(length, p)
			if p.EarlyStopping == "never" && p.LengthPenalty > 0 {
				hope = next[0].score(p.Tokens, p)
			}
			if p.EarlyStopping == "true" {
				return found, gap, nil
			}
			gap = min(gap, math.Abs(hope-found[p.Width-1].Score))
			if hope <= found[p.Width-1].Score {
				return found, gap, nil
			}
		}
		running = running[:0:0]
		for _, o := range next {
			s := searched{Beam: o.Beam, state: o.from.state.Fork()}
			if err := s.extend(o.Tokens[length-1:]); err != nil {
				return nil, 0, err
			}
			running = append(running, s)
		}
	}
}

// extend computes the tokens that the text has got.
func (s *searched) extend(tokens []int32) error {
	logits, err := s.state.ForwardLast(tokens, 1)
	if err != nil {
		return err
	}
	s.scores = LogSoftmax(logits[0])
	return nil
}

// score is the text's score at a length.
func (b Beam) score(length int, p BeamParams) float64 {
	return b.Sum / math.Pow(float64(length), p.LengthPenalty)
}

// option is a text with one token more.
type option struct {
	Beam
	from *searched
	ends bool
}

// options are in the order of their probability.
type options []option

func everyOption(running []searched, p BeamParams, length int) options {
	ends := map[int32]bool{}
	for _, id := range p.Ends {
		ends[id] = true
	}
	var all options
	for i := range running {
		from := &running[i]
		for id, score := range from.scores {
			if length <= p.MinTokens && ends[int32(id)] {
				continue
			}
			all = append(all, option{
				Beam: Beam{Tokens: append(slices.Clip(from.Tokens), int32(id)), Sum: from.Sum + score}, from: from, ends: ends[int32(id)],
			})
		}
	}
	slices.SortStableFunc(all, func(a, b option) int { return cmp.Compare(b.Sum, a.Sum) })
	return all
}

// ended gives those of the best that the step ends.
func (all options) ended(p BeamParams, length int) (found []Beam) {
	for _, o := range all[:min(p.Width, len(all))] {
		if o.ends || length == p.Tokens {
			o.Score = o.score(length, p)
			found = append(found, o.Beam)
		}
	}
	return found
}

// running gives the best that no end token ends.
func (all options) running(p BeamParams) options {
	var next options
	for _, o := range all {
		if !o.ends && len(next) < p.Width {
			next = append(next, o)
		}
	}
	return next
}

// gap is the smallest difference between neighbours, as far down as the search looks.
func (all options) gap(p BeamParams) float64 {
	gap, open := math.Inf(1), 0
	for i := 0; i+1 < len(all) && open < p.Width; i++ {
		gap = min(gap, all[i].Sum-all[i+1].Sum)
		if !all[i].ends {
			open++
		}
	}
	return gap
}

// LogSoftmax gives the log-probabilities of a row of logits.
func LogSoftmax(logits []float64) []float64 {
	top, sum := slices.Max(logits), 0.0
	for _, x := range logits {
		sum += math.Exp(x - top)
	}
	out := make([]float64, len(logits))
	for i, x := range logits {
		out[i] = x - top - math.Log(sum)
	}
	return out
}
