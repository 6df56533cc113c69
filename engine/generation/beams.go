package generation

// Beams asks for a beam search: at each step the Width likeliest continuations of the Width likeliest texts so far go on.
// What counts as the best, and when the search ends, is as in Hugging Face's generate.
type Beams struct {
	Width         int     // texts that go on, and the most choices
	LengthPenalty float64 // texts are ranked by their log-probability over their length to this power; 0: by the sum, above 0 favours long ones
	EarlyStopping EarlyStopping
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
