package generation

import (
	"math"
	"slices"
	"sort"

	"quire/engine/sample"
)

// search keeps the books of a search. It knows nothing of sequences in blocks: it is told what may follow each
// running beam and says which beams run on.
type search struct {
	Beams
	minTokens int // before a text may end
	ends      []int32
	maxTokens int // of a text
	length    int // tokens of each running beam
	running   []beam
	finished  []beam // best first, at most Width
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
	drawn  sample.Candidate
	top    []sample.Candidate
}

// move says that a running beam comes from the parent-th one so far by a token.
type move struct {
	parent int
	token  int32
}

func newSearch(b Beams, minTokens int, ends []int32) *search {
	return &search{Beams: b, minTokens: minTokens, ends: ends, running: make([]beam, 1)}
}

// continuation is a way to go on.
type continuation struct {
	parent int
	drawn  sample.Candidate
	sum    float64
}

// advance takes the likeliest tokens after each running beam, best first, and gives the beams that run on, best first;
// none when the search has ended. A token that closes its beam's text ends it like an end token. Candidates of equal probability rank by their beam, then by their place in its list.
func (b *search) advance(tops [][]sample.Candidate, closes []map[int32]bool) []move {
	b.length++
	var all []continuation
	for i, top := range tops {
		for _, c := range top {
			if b.length <= b.minTokens && b.isEnd(c) {
				continue
			}
			all = append(all, continuation{i, c, b.running[i].sum + float64(c.Logprob)})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].sum > all[j].sum })

	// An end counts only where its text is among the Width best: the others are there to run on in its place.
	var moves []move
	var running []beam
	for rank, c := range all {
		next := beam{sum: c.sum, last: &link{before: b.running[c.parent].last, drawn: c.drawn, top: tops[c.parent]}}
		end := b.isEnd(c.drawn) || closes != nil && closes[c.parent][c.drawn.ID]
		switch {
		case rank < b.Width && end:
			b.finish(next, FinishStop)
		case rank < b.Width && b.length == b.maxTokens:
			b.finish(next, FinishLength)
		case !end && len(running) < b.Width:
			moves = append(moves, move{c.parent, c.drawn.ID})
			running = append(running, next)
		}
	}
	b.running = running
	if b.length == b.maxTokens || len(running) == 0 || b.done() {
		return nil
	}
	return moves
}

func (b *search) isEnd(c sample.Candidate) bool { return slices.Contains(b.ends, c.ID) }

// rank is the score of a text of so many tokens.
func (b *search) rank(sum float64, length int) float64 {
	return sum / math.Pow(float64(length), b.LengthPenalty)
}

// finish puts a text among the Width best finished ones, behind its equals.
func (b *search) finish(text beam, reason FinishReason) {
	text.score, text.reason = b.rank(text.sum, b.length), reason
	b.finished = append(b.finished, text)
	sort.SliceStable(b.finished, func(i, j int) bool { return b.finished[i].score > b.finished[j].score })
	b.finished = b.finished[:min(len(b.finished), b.Width)]
}

// done says whether what runs can still matter.
func (b *search) done() bool {
	if len(b.finished) < b.Width {
		return false
	}
	length := b.length
	switch {
	case b.EarlyStopping == StopAtWidth:
		return true
	case b.EarlyStopping == StopNever && b.LengthPenalty > 0:
		length = b.maxTokens
	}
	return b.rank(b.running[0].sum, length) <= b.finished[b.Width-1].score
}

// results gives the finished texts; when the search was broken off with the given reason, the running ones after them.
func (b *search) results(broken FinishReason) []beam {
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
