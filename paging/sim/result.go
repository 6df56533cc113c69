package sim

// Result is what a replay has come to. Averages are over steps: slots of a kind, summed over the steps, by the slots that
// they are a part of, summed alike.
type Result struct {
	Name string `json:"name"`

	// Of the slots that requests had allocated: those that held a token, those that were to hold one later, and those
	// that never held one. They sum up to 1. Of a paged request all empty slots of its last block count as Internal.
	TokenShare float64 `json:"token_share"`
	Reserved   float64 `json:"reserved"`
	Internal   float64 `json:"internal"`

	External float64 `json:"external"` // Memory.External
	Memory   Memory  `json:"memory"`

	InFlight      float64 `json:"in_flight"`       // requests that hold memory, a step
	TokensPerStep float64 `json:"tokens_per_step"` // of outputs
	Steps         int     `json:"steps"`           // that had work
	Requests      int     `json:"requests"`
	Tokens        int     `json:"tokens"`      // of all outputs
	Recomputed    int     `json:"recomputed"`  // tokens computed once more after preemptions
	Preemptions   int     `json:"preemptions"` // of requests
	HitTokens     int     `json:"hit_tokens"`  // prompt tokens found in the prefix cache
	HitRate       float64 `json:"hit_rate"`    // of all prompt tokens
}

// Memory is how the whole memory was used while a request waited for a part of it, as in the paper's figure 2; if none ever
// waited, over all steps. The parts sum up to 1.
type Memory struct {
	Tokens   float64 `json:"tokens"`
	Reserved float64 `json:"reserved"`
	Internal float64 `json:"internal"`
	External float64 `json:"external"` // free slots that, in one piece, would have been enough for the request that waited; and what the buddy system rounds up
	Free     float64 `json:"free"`     // free slots that would not have been enough
}

// Moment is how the memory stands in one step, in slots, and what the step does.
type Moment struct {
	Tokens, Reserved, Internal, External int

	Waiting   bool // a request waits for memory
	InFlight  int  // requests
	Generated int  // output tokens
}

// Ledger sums up a replay's steps.
type Ledger struct {
	Slots int // of the whole memory

	all, loaded sums
	inFlight    int
	generated   int
}

type sums struct{ steps, tokens, reserved, internal, external int }

func (s *sums) add(m Moment) {
	s.steps++
	s.tokens += m.Tokens
	s.reserved += m.Reserved
	s.internal += m.Internal
	s.external += m.External
}

func (s *sums) allocated() int { return s.tokens + s.reserved + s.internal }

// Add counts one step.
func (l *Ledger) Add(m Moment) {
	l.all.add(m)
	if m.Waiting {
		l.loaded.add(m)
	}
	l.inFlight += m.InFlight
	l.generated += m.Generated
}

// Result gives the averages.
func (l *Ledger) Result(name string, requests int) Result {
	loaded := l.loaded
	if loaded.steps == 0 {
		loaded = l.all
	}
	all, allocated, steps := loaded.steps*l.Slots, l.all.allocated(), l.all.steps
	m := Memory{
		Tokens: part(loaded.tokens, all), Reserved: part(loaded.reserved, all), Internal: part(loaded.internal, all),
		External: part(loaded.external, all), Free: part(all-loaded.allocated()-loaded.external, all),
	}
	return Result{
		Name: name, Requests: requests, Steps: steps, Tokens: l.generated,
		TokenShare: part(l.all.tokens, allocated), Reserved: part(l.all.reserved, allocated),
		Internal: part(l.all.internal, allocated), External: m.External, Memory: m,
		InFlight: part(l.inFlight, steps), TokensPerStep: part(l.generated, steps),
	}
}

func part(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}
