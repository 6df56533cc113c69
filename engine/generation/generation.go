package generation

import (
	"cmp"
	"errors"
	"slices"
	"sort"
	"time"

	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/tokenizer"
)

// ErrNotNumbers finishes a request whose logits are infinity or NaN, and no other.
var ErrNotNumbers = errors.New("the logits are not numbers: the model's weights hold infinity or NaN, or its sums overflow")

// Sink takes what a request gives: chunks, then its result.
type Sink interface {
	Push(Chunk)
	Finish(Result)
}

// Generation is a request from Submit to its result. One goroutine uses it.
type Generation struct {
	ID      uint64 // its first sequence's
	Request Request
	Live    []*Sequence // those that have not ended, in order; of a search, the beams, best first

	Breakers *sample.Breakers // of Request.Sample.DRY, if it has any

	tokenizer *tokenizer.Tokenizer
	sink      Sink
	ends      []int32
	ended     []*Sequence
	search    *search    // with Request.Beams
	embedding *embedding // with Request.Embed
	clock     clock
	figures   Figures
	landed    int  // tokens
	before    int  // tokens that landed elsewhere
	begun     bool // it had a lane once
	reason    FinishReason
	err       error
}

// New makes what runs a valid request. Its sequences have no ids yet.
func New(r Request, t *tokenizer.Tokenizer, sink Sink) *Generation {
	g := &Generation{
		Request: r, tokenizer: t, sink: sink, ends: r.ends(t.Ends()),
		clock: clock{submitted: time.Now()}, figures: Figures{PromptTokens: len(r.Prompt)},
	}
	if r.Embed != nil {
		g.embedding = &embedding{}
	}
	p := r.Sample
	if r.Beams != nil {
		g.search = newSearch(*r.Beams, r.MinTokens, g.ends)
		p.Logprobs = max(p.Logprobs, r.Beams.candidates(len(g.ends)))
	} else if r.late() {
		p.Logprobs = max(p.Logprobs, 1)
	}
	for i := range r.samples() {
		g.Live = append(g.Live, g.newSequence(i, p))
		p.Seed++
	}
	if !r.late() {
		g.resume()
	}
	return g
}

// Number gives the sequences their ids.
func (g *Generation) Number(next func() uint64) {
	if len(g.Live) == 0 {
		g.ID = next()
		return
	}
	for _, q := range g.Live {
		q.ID = next()
	}
	g.ID = g.Live[0].ID
}

// Over finishes the request where all that it asks for has landed elsewhere.
func (g *Generation) Over() bool {
	if len(g.Live) > 0 {
		return false
	}
	g.finish()
	return true
}

// Scheduled is the request as the scheduler takes it. A search ends its sequences itself.
func (g *Generation) Scheduled() schedule.Request {
	r := &g.Request
	s := schedule.Request{
		ID: g.ID, Prompt: r.Prompt, MaxTokens: r.MaxTokens, Priority: r.Priority, Tenant: r.Tenant, Salt: r.Salt, LoRA: loraName(r.LoRA), AllLogits: r.Logits != nil, Masked: r.matcher != nil,
	}
	for _, q := range g.Live[1:] {
		s.Samples = append(s.Samples, q.ID)
	}
	if g.before > 0 {
		s.Lanes = r.samples() // the context's end stays where it was
		for _, q := range g.Live {
			s.Landed = append(s.Landed, q.ids)
		}
	}
	if r.Embed != nil {
		s.Pooling = r.Embed.tokens
	}
	if g.search != nil {
		s.Lanes, s.LandEach, s.Lockstep = r.Beams.Width, true, true
	} else {
		s.StopTokens, s.MinTokens = g.ends, r.MinTokens
	}
	return s
}

// SetRoom tells how many tokens an answer can have: MaxTokens, or fewer where the context ends.
func (g *Generation) SetRoom(tokens int) {
	if g.search != nil {
		g.search.maxTokens = tokens
	}
}

// Begin notes that the request runs, with so many tokens of its prompt from the cache; not when it comes back later.
func (g *Generation) Begin(cached int) {
	if !g.begun {
		g.begun, g.figures.CachedTokens = true, cached
	}
}

// Hold notes how many blocks the request has.
func (g *Generation) Hold(blocks int) { g.figures.Blocks = max(g.figures.Blocks, blocks) }

// Logits hands a row of logits over, where they are asked for.
func (g *Generation) Logits(position int, logits []float32) {
	if g.Request.Logits != nil {
		g.Request.Logits(position, logits)
	}
}

// End takes a sequence out; done says that it was the last and the request has finished.
func (g *Generation) End(q *Sequence, reason FinishReason, err error) (done bool) {
	if reason == FinishCancelled || reason == FinishError {
		g.reason, g.err = reason, err
		if g.search == nil {
			q.release()
		}
	}
	g.out(q, reason)
	if len(g.Live) > 0 {
		return false
	}
	g.finish()
	return true
}

// out takes a sequence out of those that live.
func (g *Generation) out(q *Sequence, reason FinishReason) {
	q.reason = reason
	q.score = q.logprob / float64(max(1, len(q.ids)))
	g.Live = slices.DeleteFunc(g.Live, func(o *Sequence) bool { return o == q })
	if g.search == nil {
		g.ended = append(g.ended, q)
	}
}

// finish gives the sink the result.
func (g *Generation) finish() {
	switch {
	case g.search != nil:
		g.ended = g.hypotheses()
	case g.Request.late():
		g.ended = best(g.ended, g.Request.choices())
	default:
		sort.SliceStable(g.ended, func(i, j int) bool { return g.ended[i].index < g.ended[j].index })
	}
	r := Result{Reason: g.reason, Err: g.err, IDs: []int32{}, Choices: []Choice{}}
	for _, q := range g.ended {
		for _, chunk := range q.held[min(len(q.held), len(g.Request.landedOf(q.index))):] {
			g.sink.Push(chunk)
		}
		r.Choices = append(r.Choices, q.choice())
	}
	if len(r.Choices) > 0 {
		first := &r.Choices[0]
		r.IDs, r.Text, r.Tokens = first.IDs, first.Text, first.Tokens
		if r.Reason == "" {
			r.Reason, r.Limit = first.Reason, first.Limit
		}
	}
	g.embed(&r)
	g.clock.figures(&g.figures, g.landed)
	r.Figures = g.figures
	r.Figures.GeneratedTokens += g.before
	g.sink.Finish(r)
}

// best gives the n sequences with the best score, equal ones in order, empty ones last, and renumbers them.
func best(all []*Sequence, n int) []*Sequence {
	sort.SliceStable(all, func(i, j int) bool {
		a, b := all[i], all[j]
		return cmp.Or(min(len(b.ids), 1)-min(len(a.ids), 1), cmp.Compare(b.score, a.score), a.index-b.index) < 0
	})
	all = all[:min(n, len(all))]
	for i, q := range all {
		q.index = i
		for j := range q.held {
			q.held[j].Index = i
		}
	}
	return all
}
