package loop

import (
	"fmt"
	"slices"
	"time"

	"quire/engine/generation"
	"quire/engine/grammar"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
)

// A token that is drawn under a grammar needs a mask, which the token before it decides. A step's forward pass is submitted before that
// one is known; what draws follows. Where the token before has landed by then, the mask is known. Where it is still to be drawn
// (Config.RunsAhead), what draws brings along the masks that most tokens lead to, and the GPU picks one. As soon as the token has landed,
// the mask that it does lead to is compared with the one that was picked: where they differ, or none was picked, what is in flight
// for the sequence is drawn again.

// mostFills is how many sets of tokens a step brings along for what may be, at most: those of many tokens first. To draw again costs as
// much as a few of them.
const mostFills = 6

// mostAhead is how many rows may run ahead. Steps of more take so long that the token before lands in time; and where it leads to tokens
// that are forced, a row that ran ahead is lost.
const mostAhead = 4

// unsure is what a sequence's next token but one is drawn under, while its next is unknown.
type unsure struct {
	next   []*grammar.Next
	tokens int // of the sequence, once the next has landed; 0: nothing is unsure
	noStop bool
}

// draw has the tokens of the step drawn that has been submitted. What its sequences said last lands meanwhile, or what they said before
// that, where the step may run ahead of their last token.
func (l *Loop) draw() error {
	l.forced = l.forced[:0]
	ahead := l.runsAhead()
	if ahead {
		if err := l.landTo(2); err != nil {
			return err
		}
	}
	if !ahead || !l.foreseen() {
		if err := l.landTo(1); err != nil {
			return err
		}
	}
	l.shelf.begin()
	if err := l.choose(); err != nil {
		return err
	}
	l.lap(&l.times.Mask)
	defer l.lap(&l.times.Submit)
	return l.runner.Draw(&l.masks)
}

// landTo lands steps until so many are in flight.
func (l *Loop) landTo(most int) error {
	for l.runner.InFlight() > most {
		if err := l.land(); err != nil {
			return err
		}
	}
	return nil
}

// runsAhead says whether the step's tokens may be drawn before those before them are known, and again if need be.
func (l *Loop) runsAhead() bool {
	return l.config.RunsAhead && len(l.step.Rows) <= mostAhead && l.step.Guessing == step.NoGuess && !slices.ContainsFunc(l.step.Rows, func(r step.Row) bool {
		q := l.sequences[r.Sequence]
		return q != nil && !q.Redraws()
	})
}

// foreseen says whether something is known of what each of the step's tokens may be drawn under.
func (l *Loop) foreseen() bool {
	for _, o := range l.step.Outputs {
		if q := l.drawsFor(o); q != nil && l.pending(q, o) && len(q.Next()) == 0 {
			return false
		}
	}
	return true
}

// drawsFor is the sequence that an output draws for under a mask; nil: there is none, or nothing of it is to land.
func (l *Loop) drawsFor(o step.Output) *generation.Sequence {
	q := l.sequences[l.step.Rows[o.Row].Sequence]
	if !o.Masked || q == nil || slices.Contains(l.forced, q.ID) {
		return nil
	}
	return q
}

// pending says whether the token before an output's has not landed.
func (l *Loop) pending(q *generation.Sequence, o step.Output) bool {
	tokens, _ := l.scheduler.Tokens(q.ID)
	return l.step.Tokens[o.Token] == step.LaneToken && int(l.step.Positions[o.Token]) == len(tokens)
}

// check has what is in flight for a sequence drawn again, if that was under another mask than the sequence's last token leads to.
func (l *Loop) check(q *generation.Sequence) error {
	u := l.unsure[q.ID]
	if u == nil || u.tokens == 0 {
		return nil
	}
	tokens, _ := l.scheduler.Tokens(q.ID)
	right := false
	if u.tokens == len(tokens) && len(q.Forced()) == 0 {
		name := q.Name(u.noStop)
		for _, n := range u.next {
			if n.Has(tokens[len(tokens)-1]) {
				right = name != step.Name{} && q.NameNext(n, u.noStop) == name
				break
			}
		}
		if !right {
			l.forced = append(l.forced, q.ID)
			l.times.Again++
			if err := l.scheduler.Redraw(q.ID); err != nil {
				return err
			}
		}
	}
	u.tokens = 0
	return nil
}

// choose says under what the step's tokens are drawn.
func (l *Loop) choose() error {
	l.masks.Reset(l.maskWords())
	l.fills = 0
	row, ahead := int32(-1), (*generation.Ahead)(nil) // of the output before
	for _, o := range l.step.Outputs {
		if !o.Masked {
			continue
		}
		drafted := o.Row == row
		row = o.Row
		q := l.drawsFor(o)
		switch {
		case q == nil:
			l.always(step.EmptySlot)
		case drafted:
			if ahead == nil {
				ahead = q.Ahead()
			}
			if err := l.behindDraft(q, ahead, l.step.Tokens[o.Token], o.NoStop); err != nil {
				return err
			}
		case l.pending(q, o):
			ahead = nil
			l.mayBe(q, int(l.step.Positions[o.Token])+1, o.NoStop)
		default:
			ahead = nil
			if err := l.known(q, o.NoStop); err != nil {
				return err
			}
		}
		l.masks.End()
	}
	return nil
}

// maskWords is the length of a mask.
func (l *Loop) maskWords() int { return (l.config.Vocabulary + 31) / 32 }

// slots is how many masks and sets of tokens the runner has room for.
func (l *Loop) slots() int { return step.MaskSlots(l.config.Outputs, max(1, l.maskWords())) }

// always has an output drawn under a mask.
func (l *Loop) always(slot int32) {
	l.masks.Choose(step.Choice{Kind: step.Always, Mask: slot})
}

// known has an output drawn under what its sequence may say next, or ends the sequence.
func (l *Loop) known(q *generation.Sequence, noStop bool) error {
	name, end := q.Name(noStop), generation.FinishReason("")
	slot, ok := l.shelf.find(name, 0)
	if !ok {
		var err error
		if slot, err = l.takeSlot(name); err != nil {
			return err
		}
		end = q.Mask(l.masks.Write(slot), noStop)
		if ok = end == ""; !ok {
			slot = l.leaveSlot(slot)
		}
	}
	if l.always(slot); ok {
		return nil
	}
	if end == generation.FinishError {
		l.finish(q.Generation, end, q.Err())
		return nil
	}
	err := l.scheduler.End(q.ID, 0)
	if err != nil {
		end = generation.FinishError
	}
	l.end(q, end, err)
	return nil
}

// behindDraft has an output drawn under what its sequence might say next if it said a token of its draft.
func (l *Loop) behindDraft(q *generation.Sequence, ahead *generation.Ahead, token int32, noStop bool) error {
	slot, ok := step.EmptySlot, ahead.Take(token)
	if ok {
		name := ahead.Name(noStop)
		if slot, ok = l.shelf.find(name, 0); !ok {
			var err error
			if slot, err = l.takeSlot(name); err != nil {
				return err
			}
			if ok = ahead.Mask(l.masks.Write(slot), noStop); !ok {
				slot = l.leaveSlot(slot)
			}
		}
	}
	if !ok {
		l.scheduler.Undraft(q.ID) // why is told where it comes to that
		q.StopDrafts()
	}
	l.always(slot)
	return nil
}

// takeSlot gives a slot for a mask that is surely needed.
func (l *Loop) takeSlot(name step.Name) (int32, error) {
	slot, ok := l.shelf.take(name, 0)
	if !ok {
		return slot, fmt.Errorf("loop: step %d has more masks than there is room for", l.step.Number)
	}
	return slot, nil
}

// leaveSlot takes back the slot that was to be written last, for there is no mask, and gives the one that stands for that.
func (l *Loop) leaveSlot(slot int32) int32 {
	l.masks.Unwrite()
	l.shelf.leave(slot)
	return step.EmptySlot
}

// mayBe lists the masks that a sequence's next token may lead to, which makes so many.
func (l *Loop) mayBe(q *generation.Sequence, tokens int, noStop bool) {
	u := l.unsure[q.ID]
	if u == nil {
		u = &unsure{}
		l.unsure[q.ID] = u
	}
	u.next, u.tokens, u.noStop = u.next[:0], tokens, noStop
	next := q.Next()
	for _, n := range next[:min(len(next), step.MostChoices)] {
		name := q.NameNext(n, noStop)
		if name == (step.Name{}) {
			continue
		}
		c, ok, fresh := step.Choice{Kind: step.OfToken, Token: n.Token}, false, false
		if c.Mask, fresh, ok = l.maySlot(name); fresh {
			if ok = q.MaskNext(n, l.masks.Write(c.Mask), noStop); !ok {
				l.leaveSlot(c.Mask)
			}
		}
		if ok && n.Set != 0 {
			c.Kind = step.OfSet
			if c.Set, fresh, ok = l.maySlot(step.Name{Kind: step.SomeTokens, ID: n.Set}); fresh {
				n.Tokens(l.masks.Write(c.Set))
			}
		}
		if ok {
			l.masks.Choose(c)
			u.next = append(u.next, n)
		}
	}
}

// maySlot gives the slot of what is not surely needed; fresh says that it is to be written. There may be no room, or too much to bring
// along.
func (l *Loop) maySlot(name step.Name) (slot int32, fresh, ok bool) {
	if slot, ok = l.shelf.find(name, l.config.Outputs); ok || l.fills >= l.mostFills {
		return slot, false, ok
	}
	if slot, ok = l.shelf.take(name, l.config.Outputs); ok {
		l.fills++
	}
	return slot, ok, ok
}

// force gives a sequence the tokens that come next whatever is drawn, if there are any.
func (l *Loop) force(q *generation.Sequence, now time.Time) {
	forced := q.Forced()
	if len(forced) == 0 {
		return
	}
	taken, reason, err := l.scheduler.Force(q.ID, forced)
	if err != nil {
		l.finish(q.Generation, generation.FinishError, err)
		return
	}
	l.forced = append(l.forced, q.ID)
	for i, token := range forced[:taken] {
		said := schedule.Going
		if i == taken-1 {
			said = reason
		}
		end := q.Land(sample.Token{Candidate: sample.Candidate{ID: token}}, said, now)
		if end == "" {
			continue
		}
		if end == generation.FinishError {
			l.finish(q.Generation, end, q.Err())
			return
		}
		if reason == schedule.Going {
			if err = l.scheduler.End(q.ID, taken-1-i); err != nil {
				end = generation.FinishError
			}
		}
		l.end(q, end, err)
		return
	}
}
