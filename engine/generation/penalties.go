package generation

// validatePenalties refuses what does not work yet.
func (r *Request) validatePenalties(Limits) error {
	if r.Sample.Penalizes() {
		return refuse("logit_bias, penalties and DRY do not work yet")
	}
	return nil
}
