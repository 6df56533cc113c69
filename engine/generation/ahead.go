package generation

import (
	"quire/engine/grammar"
	"quire/engine/step"
)

// Ahead is where tokens of a draft would bring a sequence in its grammar.
type Ahead struct {
	q     *Sequence
	place *follower
}

// Ahead begins where the sequence is.
func (q *Sequence) Ahead() *Ahead { return &Ahead{q, q.grammar.clone()} }

// Take goes on with a token and says whether the text may have it there, and go on behind it.
func (a *Ahead) Take(token int32) bool {
	f := a.place
	if f.err != nil || len(f.forced) > 0 && f.forced[0] != token {
		return false
	}
	return !f.take(token) && f.err == nil
}

// Mask is Sequence.Mask here. It says whether there is one.
func (a *Ahead) Mask(dst []uint32, noStop bool) bool {
	return a.place.err == nil && a.q.mask(a.place, dst, noStop) == ""
}

// Name is Sequence.Name here.
func (a *Ahead) Name(noStop bool) step.Name { return a.q.name(a.place, noStop) }

// Name names the sequence's mask: those of one name are equal. The zero name is none's.
func (q *Sequence) Name(noStop bool) step.Name { return q.name(q.grammar, noStop) }

func (q *Sequence) name(f *follower, noStop bool) step.Name {
	switch {
	case f.err != nil:
		return step.Name{}
	case len(f.forced) > 0:
		return step.Name{Kind: step.OneToken, ID: uint64(f.forced[0])}
	}
	return q.placed(f.matcher.Place(), noStop)
}

// placed names the mask of a place in the grammar.
func (q *Sequence) placed(place uint64, noStop bool) step.Name {
	switch {
	case place == 0:
		return step.Name{}
	case noStop || q.Generation.Request.IgnoreEnd:
		return step.Name{Kind: step.PlaceOn, ID: place}
	}
	return step.Name{Kind: step.Place, ID: place}
}

// Next tells what mask most of the tokens lead to that may come next; nil where that is not known.
func (q *Sequence) Next() []*grammar.Next {
	if q.grammar.err != nil || len(q.grammar.forced) > 0 {
		return nil
	}
	return q.grammar.matcher.Next()
}

// MaskNext is Mask behind those tokens, with its name. It says whether there is one, which is not empty.
func (q *Sequence) MaskNext(n *grammar.Next, dst []uint32, noStop bool) bool {
	if n.Mask(dst) != nil {
		return false
	}
	return q.narrow(dst, noStop)
}

// NameNext names what MaskNext gives.
func (q *Sequence) NameNext(n *grammar.Next, noStop bool) step.Name { return q.placed(n.Place, noStop) }
