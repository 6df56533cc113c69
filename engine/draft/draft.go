// Package draft guesses at what a sequence will say next, for the scheduler to verify several tokens at once. A guess costs
// nothing but time: what is drawn decides. It knows token ids, and no GPU.
package draft

// Drafter guesses for one sequence.
type Drafter interface {
	// Draft gives at most so many tokens that may follow these, a sequence's prompt and all that has landed; none where it
	// is not worth while. Of the answer the first inFlight are being drawn already. It is the drafter's memory, until the next call.
	Draft(tokens []int32, inFlight, most int) []int32
	// Verified tells how many tokens of a draft were right.
	Verified(drafted, accepted int)
	// Close gives back what the drafter holds.
	Close()
}

// Most is how many tokens a draft has unless it is said: with the token before them as many rows as products multiply at once.
const Most = 15

// Settings say how drafts are made.
type Settings struct {
	Most  int    // tokens of a draft; 0: Most
	Depth int    // steps that run ahead without drafts
	Salt  string // what a smaller model computes is shared only under an equal one
}
