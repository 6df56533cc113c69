package generation

import (
	"quire/engine/grammar"
	"quire/engine/sample"
)

// follower is a sequence's place in its request's grammar.
type follower struct {
	matcher *grammar.Matcher
	encode  func(text []byte) []int32 // nil: no token is forced
	forced  []int32                   // that come next, whatever the model says
	err     error                     // why it cannot go on
}

// begin puts a sequence at its grammar's start. Beams are told apart by what they may say, so nothing is forced on them.
func (r *Request) begin() *follower {
	if r.matcher == nil {
		return nil
	}
	f := &follower{matcher: r.matcher.Clone()}
	if r.Beams == nil {
		f.encode = r.encode
	}
	f.force()
	return f
}

// clone is another place, where this one is.
func (f *follower) clone() *follower {
	if f == nil {
		return nil
	}
	c := *f
	c.matcher = f.matcher.Clone()
	return &c
}

func (f *follower) force() {
	if f.encode != nil && len(f.forced) == 0 {
		f.forced = f.matcher.ForcedTokens(f.encode)
	}
}

// take goes on with a token; closed says that the text can only end.
func (f *follower) take(token int32) (closed bool) {
	if f == nil {
		return false
	}
	if !f.matcher.Accept(token) {
		if f.err = f.matcher.Err(); f.err == nil {
			f.err = ErrGrammar
		}
		return false
	}
	if f.matcher.Finished() {
		return true
	}
	if len(f.forced) > 0 && f.forced[0] == token {
		f.forced = f.forced[1:]
	} else {
		f.forced = nil
	}
	f.force()
	return false
}

// Err is why the sequence cannot go on as its grammar wants.
func (q *Sequence) Err() error {
	if q.grammar == nil {
		return nil
	}
	return q.grammar.err
}

// Forced gives the tokens that come next, whatever the model says, if their logits are of no use either.
func (q *Sequence) Forced() []int32 {
	if q.grammar == nil || q.Sample.Logprobs > 0 || q.Sample.Penalizes() || q.Generation.Request.Logits != nil {
		return nil
	}
	return q.grammar.forced
}

// Mask sets the bits of the tokens that may come next in dst: of those that the model says by itself no end token, with noStop. It
// says why the sequence ends instead, if it does.
func (q *Sequence) Mask(dst []uint32, noStop bool) FinishReason {
	return q.mask(q.grammar, dst, noStop)
}

func (q *Sequence) mask(f *follower, dst []uint32, noStop bool) FinishReason {
	if len(f.forced) > 0 {
		clear(dst)
		dst[f.forced[0]>>5] |= 1 << (f.forced[0] & 31)
		return ""
	}
	if err := f.matcher.Mask(dst); err != nil {
		f.err = err
		return FinishError
	}
	if q.narrow(dst, noStop) {
		return ""
	}
	if f.matcher.Accepting() && q.Generation.search == nil { // one beam does not end the others
		return FinishStop
	}
	f.err = ErrGrammar
	return FinishError
}

// narrow takes the end tokens out of a mask where the model is not to say them, and says whether anything is left.
func (q *Sequence) narrow(mask []uint32, noStop bool) bool {
	if noStop || q.Generation.Request.IgnoreEnd {
		for _, id := range q.Generation.tokenizer.Ends() {
			if int(id>>5) < len(mask) {
				mask[id>>5] &^= 1 << (id & 31)
			}
		}
	}
	for _, w := range mask {
		if w != 0 {
			return true
		}
	}
	return false
}

// Redraws says whether tokens of the sequence may be drawn again that nothing was done with yet.
func (q *Sequence) Redraws() bool {
	r := &q.Generation.Request
	return q.grammar == nil || !q.Sample.Penalizes() && r.Logits == nil && q.Drafter == nil
}

// Bound says whether the sequence has a grammar.
func (q *Sequence) Bound() bool { return q.grammar != nil }

// allowed gives those of the likeliest tokens after a beam that its grammar allows, and tells which of them close the text.
func (q *Sequence) allowed(top []sample.Candidate) (some []sample.Candidate, closes map[int32]bool) {
	closes = map[int32]bool{}
	for _, c := range top {
		if m := q.grammar.matcher.Clone(); m.Accept(c.ID) {
			some = append(some, c)
			closes[c.ID] = m.Finished()
		}
	}
	return some, closes
}
