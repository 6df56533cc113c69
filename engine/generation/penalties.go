package generation

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
		return refuse("logit_bias names token %d, the vocabulary has %d", wrong, l.Vocabulary)
	}
	return nil
}
