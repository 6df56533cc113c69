package engine

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"quire/engine/kernel"
)

// Beams asks for a beam search: at each step the Width likeliest continuations of the Width likeliest texts so far go on.
// What counts as the best, and when the search ends, is as in Hugging Face's generate.
type Beams struct {
	Width         int     // texts that go on, and the most choices
	LengthPenalty float64 // texts are ranked by their log-probability over their length to this power; 0: by the sum, above 0 favours long ones
	EarlyStopping EarlyStopping
	MinTokens     int // tokens before a text may end
}

// EarlyStopping says when a search with Width ended texts stops.
type EarlyStopping uint8

const (
	// StopHeuristic stops once no text that goes on ranks above the worst ended one as it is now. Hugging Face: False.
	StopHeuristic EarlyStopping = iota
	// StopAtWidth stops at once. Hugging Face: True.
	StopAtWidth
	// StopNever stops once no text that goes on can ever rank above the worst ended one: with a length penalty above 0 it
	// is ranked as if it got no less likely up to the most tokens. Hugging Face: "never".
	StopNever
)

// candidates is how many of a text's likeliest tokens a step has to know, with so many end tokens: any of them may be
// among the likeliest, and Width others must be left.
func (b *Beams) candidates(ends int) int { return b.Width + ends }

func (b *Beams) validate(ends, vocabulary int) error {
	switch {
	case b.Width < 1 || b.candidates(ends) > kernel.MaxTop:
		return fmt.Errorf("Beams.Width is %d, it must be between 1 and %d: a step knows the %d likeliest tokens, %d of them may be end tokens",
			b.Width, kernel.MaxTop-ends, kernel.MaxTop, ends)
	case b.candidates(ends) > vocabulary:
		return fmt.Errorf("Beams.Width is %d: more than the vocabulary of %d tokens can serve", b.Width, vocabulary)
	case math.IsNaN(b.LengthPenalty) || math.IsInf(b.LengthPenalty, 0):
		return fmt.Errorf("Beams.LengthPenalty is %g, it must be finite", b.LengthPenalty)
	case b.EarlyStopping > StopNever:
		return fmt.Errorf("Beams.EarlyStopping is %d, which means nothing", b.EarlyStopping)
	case b.MinTokens < 0:
		return fmt.Errorf("Beams.MinTokens is %d, it must not be negative", b.MinTokens)
	}
	return nil
}

// beamSearch keeps the books of a search. It knows nothing of sequences in blocks: it is told what may follow each
// running beam and says which beams run on.
type beamSearch struct {
	Beams
	ends     []int32
	most     int // tokens of a text
	length   int // tokens of each running beam
	running  []beam
	finished []beam // best first, at most Width
}

// beam is a text: running, or finished with a score.
type beam struct {
	last   *link
	sum    float64 // of log-probabilities
	score  float64
	reason FinishReason
}

// link is a token of a text, with those before it: texts share their beginnings.
type link struct {
	before *link
	drawn  kernel.TopLogit
	top    []kernel.TopLogit
}

// move says that a running beam comes from the parent-th one so far by a token.
type move struct {
	parent int
	token  int32
}

func newBeamSearch(b Beams, ends []int32) *beamSearch {
	return &beamSearch{Beams: b, ends: ends, running: make([]beam, 1)}
}

// continuation is a way to go on.
type continuation struct {
	parent int
	drawn  kernel.TopLogit
	sum    float64
}

// advance takes the likeliest tokens after each running beam, best first, and gives the beams that run on, best first;
// none when the search has ended. Candidates of equal probability rank by their beam, then by their place in its list.
func (b *beamSearch) advance(tops [][]kernel.TopLogit) []move {
	b.length++
	var all []continuation
	for i, top := range tops {
		for _, c := range top {
			if b.length <= b.MinTokens && b.isEnd(c) {
				continue
			}
			all = append(all, continuation{i, c, b.running[i].sum + float64(c.Logprob)})
		}
	}
	slices.SortStableFunc(all, func(x, y continuation) int { return cmp.Compare(y.sum, x.sum) })

	// An end counts only where its text is among the Width best: the others are there to run on in its place.
	var moves []move
	var running []beam
	for rank, c := range all {
		next := beam{sum: c.sum, last: &link{before: b.running[c.parent].last, drawn: c.drawn, top: tops[c.parent]}}
		end := b.isEnd(c.drawn)
		switch {
		case rank < b.Width && end:
			b.finish(next, FinishStop)
		case rank < b.Width && b.length == b.most:
			b.finish(next, FinishLength)
		case !end && len(running) < b.Width:
			moves = append(moves, move{c.parent, int32(c.drawn.Token)})
			running = append(running, next)
		}
	}
	b.running = running
	if b.length == b.most || len(running) == 0 || b.done() {
		return nil
	}
	return moves
}

func (b *beamSearch) isEnd(c kernel.TopLogit) bool { return slices.Contains(b.ends, int32(c.Token)) }

// rank is the score of a text of so many tokens.
func (b *beamSearch) rank(sum float64, length int) float64 {
	return sum / math.Pow(float64(length), b.LengthPenalty)
}

// finish puts a text among the Width best finished ones, behind its equals.
func (b *beamSearch) finish(text beam, reason FinishReason) {
	text.score, text.reason = b.rank(text.sum, b.length), reason
	at, _ := slices.BinarySearchFunc(b.finished, text, func(o, text beam) int {
		if o.score >= text.score {
			return -1
		}
		return 1
	})
	b.finished = slices.Insert(b.finished, at, text)
	b.finished = b.finished[:min(len(b.finished), b.Width)]
}

// done says whether what runs can still matter.
func (b *beamSearch) done() bool {
	if len(b.finished) < b.Width {
		return false
	}
	length := b.length
	switch {
	case b.EarlyStopping == StopAtWidth:
		return true
	case b.EarlyStopping == StopNever && b.LengthPenalty > 0:
		length = b.most
	}
	return b.rank(b.running[0].sum, length) <= b.finished[b.Width-1].score
}

// results gives the finished texts; when the search was broken off with the given reason, the running ones after them.
func (b *beamSearch) results(broken FinishReason) []beam {
	if broken == "" {
		return b.finished
	}
	all := slices.Clone(b.finished)
	for _, r := range b.running {
		if b.length > 0 {
			r.score, r.reason = b.rank(r.sum, b.length), broken
			all = append(all, r)
		}
	}
	return all
}

// links gives a text's tokens from the first on.
func (b *beam) links() []*link {
	var all []*link
	for l := b.last; l != nil; l = l.before {
		all = append(all, l)
	}
	slices.Reverse(all)
	return all
}
