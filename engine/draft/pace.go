package draft

// pace is how long drafts are, by what became of those before.
type pace struct {
	Settings
	most int // tokens of the next draft
	gain int // tokens that a verified step brought, on average, in 256ths
}

func newPace(s Settings) pace {
	if s.Most == 0 {
		s.Most = Most
	}
	p := pace{Settings: s, most: min(4, s.Most)}
	p.gain = 2 * 256 * p.cost()
	return p
}

// cost is what a step that is waited for takes, in those that nobody waits for.
func (p *pace) cost() int {
	if p.Depth > 1 {
		return 2
	}
	return 1
}

// price is what a step that verifies a draft takes, in sixteenths of those that nobody waits for.
func (p *pace) price(drafted int) int { return 16*p.cost() + 2*drafted }

// verified takes in what became of a draft whose step took so much. It says whether drafts are not worth while: this one was not,
// nor are they on average, which then stands at the price.
func (p *pace) verified(drafted, accepted, price int) (poor bool) {
	brought := 16 * (1 + accepted)
	p.gain += (16*brought - p.gain) / 8
	if accepted == drafted {
		p.most = min(p.Most, max(2*drafted, p.most))
	} else {
		p.most = min(p.Most, max(3, 2*accepted))
	}
	if poor = brought < price && p.gain < 16*price; poor {
		p.gain = 16 * price
	}
	return poor
}

// waiting is a draft of more tokens than are in flight, whatever they are: where all must have landed before one can be made.
func waiting(into []int32, inFlight int) []int32 {
	return append(into[:0], make([]int32, inFlight+1)...)
}
