package generation

import (
	"fmt"

	"quire/engine/sample"
)

// checkPenalties refuses what changes logits where nothing is drawn.
func (r *Request) checkPenalties() error {
	if r.Beams != nil && r.Sample.Penalizes() {
		return refuse("Beams do not go with logit_bias, penalties and DRY")
	}
	return nil
}

// validateBias holds a logit bias to the vocabulary.
func (r *Request) validateBias(l Limits) error {
	wrong, found := int32(0), false
	for id := range r.Sample.LogitBias {
		if (id < 0 || int(id) >= l.Vocabulary) && (!found || id < wrong) { // the lowest, whatever order the map has
			wrong, found = id, true
		}
	}
	if found {
		return fmt.Errorf("%w: %w", ErrBadRequest, &sample.ParamError{
			Field: "logit_bias", Value: fmt.Sprintf("for token %d", wrong), Want: fmt.Sprintf("for tokens of the vocabulary, which has %d", l.Vocabulary),
		})
	}
	return nil
}
