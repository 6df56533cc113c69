// Package sim reads and makes request traces, and replays them over the contiguous allocators that PagedAttention
// (arXiv 2309.06180, sections 2.2 and 6.1) is compared with. A step is the unit of time, and no token is ever computed:
// only who holds which slots matters. The same traces go through the real scheduler in quire/engine/bench/replay.
package sim

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Request is one line of a trace.
type Request struct {
	Line    int           // where it stands in its file; 0: it is made up
	Arrival time.Duration // after the first request of the trace
	Prompt  int           // tokens, at least 1
	Output  int           // tokens, at least 1

	// Hashes name the content of the prompt's spans of HashSpan tokens, the last one shorter: prompts share the tokens
	// of leading spans with equal hashes. Spans without a hash are like no other.
	Hashes []int32
}

// HashSpan is the number of tokens that a prefix hash stands for.
const HashSpan = 512

// Tokens is the length of prompt and output together.
func (r *Request) Tokens() int { return r.Prompt + r.Output }

// LineError says which line of a trace cannot be read, and why.
type LineError struct {
	Line int // from 1
	Err  error
}

// Error names the line.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap gives the reason.
func (e *LineError) Unwrap() error { return e.Err }

// Cut shortens requests to at most most tokens, prompt and output together, as a context of that length does: an output
// ends where the context is full, and of a prompt that leaves no room the first tokens stay, and one token of output.
func Cut(requests []Request, maxLen int) ([]Request, error) {
	if maxLen < 2 {
		return nil, fmt.Errorf("sim: the maximum length is %d: a prompt and an output need at least 2 tokens", maxLen)
	}
	cut := slices.Clone(requests)
	for i := range cut {
		r := &cut[i]
		r.Prompt = min(r.Prompt, maxLen-1)
		r.Output = min(r.Output, maxLen-r.Prompt)
		r.Hashes = r.Hashes[:min(len(r.Hashes), (r.Prompt+HashSpan-1)/HashSpan)]
	}
	return cut, nil
}

// Hashed says whether any request has prefix hashes.
func Hashed(requests []Request) bool {
	return slices.ContainsFunc(requests, func(r Request) bool { return len(r.Hashes) > 0 })
}

// inOrder sorts requests by arrival, equal ones as they stand, and counts the time from the first.
func inOrder(requests []Request) []Request {
	slices.SortStableFunc(requests, func(a, b Request) int { return cmp.Compare(a.Arrival, b.Arrival) })
	if len(requests) > 0 {
		first := requests[0].Arrival
		for i := range requests {
			requests[i].Arrival -= first
		}
	}
	return requests
}
