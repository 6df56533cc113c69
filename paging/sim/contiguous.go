package sim

import (
	"errors"
	"fmt"
	"math/bits"
	"time"
)

// ErrNoRoom says that a request would not even fit into an empty memory.
var ErrNoRoom = errors.New("sim: a request does not fit into the memory: give it more blocks, or a lower maximum length")

// Setting is what all allocators of a comparison have in common.
type Setting struct {
	Slots     int           // of the memory
	MaxLen    int           // tokens of a request, prompt and output
	Placement Placement     // of contiguous runs
	Step      time.Duration // how long a step takes; 0: every request waits at the start
}

// ArrivalStep is the step, from 0, in which a request may run first.
func (s *Setting) ArrivalStep(r *Request) int {
	if s.Step <= 0 {
		return 0
	}
	return int((r.Arrival + s.Step - 1) / s.Step)
}

// Policy says how many neighbouring slots a request gets for its life.
type Policy struct {
	Name  string
	Slots func(r *Request, maxLen int) int
}

// Policies are the systems that the paper compares with: Orca (Max), Orca (Pow2) and Orca (Oracle).
func Policies() []Policy {
	return []Policy{
		{"maximum", func(_ *Request, maxLen int) int { return maxLen }},
		{"pow2", func(r *Request, maxLen int) int {
			return min(maxLen, r.Prompt+1<<bits.Len(uint(r.Output-1)))
		}},
		{"oracle", func(r *Request, _ int) int { return r.Tokens() }},
	}
}

// holder is a request that has its run.
type holder struct {
	request *Request
	run     Run
	slots   int // it asked for
	sampled int
}

// Replay runs requests of at most MaxLen tokens, in order, as iteration-level scheduling does: in every step requests are
// admitted as long as the next one has room (nobody skips ahead), each computes what it has not and samples a token, and
// one with its last token gives its run back. A step with work is measured after its admissions.
func (p Policy) Replay(requests []Request, s Setting) (Result, error) {
	space := s.Placement.space(s.Slots)
	ledger := Ledger{Slots: s.Slots}
	var running []holder
	next := 0
	for now := 0; next < len(requests) || len(running) > 0; now++ {
		if len(running) == 0 {
			now = max(now, s.ArrivalStep(&requests[next]))
		}
		for next < len(requests) && s.ArrivalStep(&requests[next]) <= now {
			r := &requests[next]
			slots := p.Slots(r, s.MaxLen)
			run, ok := space.Take(slots)
			if !ok {
				break
			}
			running = append(running, holder{request: r, run: run, slots: slots})
			next++
		}
		if len(running) == 0 {
			r := &requests[next]
			return Result{}, fmt.Errorf("%w (%s: request %d takes %d of %d slots)",
				ErrNoRoom, p.Name, next+1, p.Slots(r, s.MaxLen), s.Slots)
		}
		m := Moment{InFlight: len(running), Generated: len(running)}
		m.Waiting = next < len(requests) && s.ArrivalStep(&requests[next]) <= now
		if m.Waiting && space.Free() >= p.Slots(&requests[next], s.MaxLen) {
			m.External = space.Free()
		}
		stay := running[:0]
		for _, h := range running {
			tokens := h.request.Prompt + h.sampled
			m.Tokens += tokens
			m.Reserved += h.request.Tokens() - tokens
			m.Internal += h.slots - h.request.Tokens()
			m.External += h.run.Size - h.slots
			if h.sampled++; h.sampled == h.request.Output {
				space.Give(h.run)
			} else {
				stay = append(stay, h)
			}
		}
		running = stay
		ledger.Add(m)
	}
	return ledger.Result(p.Name, len(requests)), nil
}
