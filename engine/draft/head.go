package draft

// Guesser drafts what the model itself guesses behind the token that it draws.
type Guesser interface {
	Drafter
	// Wants says whether guesses are of use now.
	Wants() bool
	// Guessed hands over what the model guessed behind the last token that has landed; below 0: nothing.
	Guessed(token int32)
}

// Head drafts with a block of the model for multi-token prediction (arXiv 2412.19437): one token.
type Head struct {
	pace
	share   int // what a guess costs, in hundredths of a step
	guess   int32
	base    int // tokens when it drafted last
	resting bool
	rest    int // tokens before which nothing is drafted
	tired   int // how many tokens the next rest takes
	drawn   []int32
}

// NewHead makes a drafter for a new sequence. Its guesses cost so many hundredths of a step.
func NewHead(s Settings, share int) *Head {
	return &Head{pace: newPace(s), share: share, guess: -1, tired: firstRest}
}

// Draft implements Drafter.
func (h *Head) Draft(tokens []int32, inFlight, most int) []int32 {
	h.resting = len(tokens) < h.rest
	if h.resting || most < 1 || h.guess < 0 {
		return nil
	}
	if inFlight > 0 {
		h.drawn = waiting(h.drawn, inFlight)
		return h.drawn
	}
	h.base = len(tokens)
	h.drawn = append(h.drawn[:0], h.guess)
	return h.drawn
}

// Verified implements Drafter.
func (h *Head) Verified(drafted, accepted int) {
	// A step that is waited for takes little more than another where a model is large enough to have such blocks.
	if h.verified(drafted, accepted, 16+2*h.cost()+2*drafted+16*h.share/100) {
		h.rest = h.base + accepted + h.tired
		h.tired = min(2*h.tired, 32*firstRest)
	} else if accepted == drafted {
		h.tired = firstRest
	}
}

// Wants implements Guesser.
func (h *Head) Wants() bool { return !h.resting }

// Guessed implements Guesser.
func (h *Head) Guessed(token int32) { h.guess = token }

// Close implements Drafter.
func (h *Head) Close() {}
