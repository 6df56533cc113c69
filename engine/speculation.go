package engine

import (
	"fmt"
	"slices"

	"quire/engine/draft"
	"quire/engine/kernel"
)

// draftRows is how many tokens of a step sequences and their drafts may be together, unless a draft alone is longer: what
// products multiply at hardly more than one's cost.
const draftRows = 16

// speculation gives the rows that a step may have for sequences and their drafts, and what makes a sequence's drafter; 0 and nil
// where there are no drafts.
func (e *Engine) speculation() (rows int, drafter func(most int, salt string) draft.Drafter) {
	o := e.options
	if o.Speculation == "" || o.Speculation == "none" {
		return 0, nil
	}
	rows = max(draftRows, 1+o.DraftMax)
	if e.plan.StateBytes() > 0 {
		rows = min(rows, kernel.MostKept)
	}
	return rows, func(most int, salt string) draft.Drafter {
		if most == 0 {
			most = o.DraftMax
		}
		settings := draft.Settings{Most: most, Depth: o.Depth, Salt: salt}
		if c := e.machine.draft; c != nil {
			return c.model.Drafter(settings)
		}
		if e.plan.Guesses() {
			return draft.NewHead(settings, int(100*e.plan.GuessBytes()/max(1, e.plan.WeightBytes())))
		}
		return draft.NewLookup(settings)
	}
}

// checkSpeculation refuses what cannot be.
func (e *Engine) checkSpeculation() error {
	o := &e.options
	drafts := o.Speculation != "" && o.Speculation != "none"
	switch {
	case !slices.Contains([]string{"", "none", "ngram", "mtp", "draft"}, o.Speculation):
		return fmt.Errorf("%w: Speculation is %q, it must be none, ngram, mtp or draft", ErrBadRequest, o.Speculation)
	case o.Speculation == "draft" && o.DraftModel == nil:
		return fmt.Errorf("%w: Speculation is %q, which needs DraftModel", ErrBadRequest, o.Speculation)
	case o.Speculation != "draft" && o.DraftModel != nil:
		return fmt.Errorf("%w: Speculation is %q, which has no use for DraftModel", ErrBadRequest, o.Speculation)
	case o.Speculation == "mtp" && !e.plan.Guesses():
		return fmt.Errorf("%w: Speculation is %q, and %s has no blocks that predict further tokens", ErrBadRequest, o.Speculation, e.plan.Config.Name)
	case o.DraftMax < 0:
		return fmt.Errorf("%w: DraftMax is %d", ErrBadRequest, o.DraftMax)
	case o.DraftMax > 0 && !drafts:
		return fmt.Errorf("%w: DraftMax is %d, which needs Speculation", ErrBadRequest, o.DraftMax)
	}
	return nil
}
