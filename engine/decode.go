package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"quire/engine/kernel"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/tokenizer"
)

// group is a request on its way: its sequences, and the stream that they share.
type group struct {
	id      uint64 // its first sequence's
	request Request
	stream  *Stream
	clock   clock
	figures Figures
	live    []*sequence
	ended   []*sequence
	search  *beamSearch // with Request.Beams
	landed  int         // tokens
	opened  bool        // it had a lane once
	reason  FinishReason
	err     error
	ctx     context.Context
	stopCtx func()
}

// sequence is one line of tokens of a group: a sample, or a beam.
type sequence struct {
	id        uint64
	group     *group
	index     int
	sample    sample.Params
	decoder   *tokenizer.Decoder
	stopper   stopper
	tokenizer *tokenizer.Tokenizer
	ids       []int32
	tokens    []Token
	text      []byte
	logprob   float64
	score     float64
	reason    FinishReason
	held      []Chunk // until it is known whether it is among the choices

	top    []kernel.TopLogit // of a beam: what may follow it, once that has landed
	landed bool
}

// samples is how many sequences are forked from the prompt at once.
func (r *Request) samples() int {
	if r.Beams != nil {
		return 1
	}
	return max(r.BestOf, r.choices())
}

// choices is how many answers are asked for.
func (r *Request) choices() int { return max(r.N, 1) }

// late says that choices are known at the end only.
func (r *Request) late() bool { return r.Beams != nil || r.BestOf > r.choices() }

// checkChoices holds what a request says about its choices to what the engine can do.
func (e *Engine) checkChoices(r *Request) error {
	refuse := func(format string, a ...any) error {
		return fmt.Errorf("%w: %s", ErrBadRequest, fmt.Sprintf(format, a...))
	}
	if r.N < 0 || r.BestOf < 0 {
		return refuse("N is %d and BestOf %d: neither may be negative", r.N, r.BestOf)
	}
	if r.BestOf > 0 && r.BestOf < r.choices() {
		return refuse("BestOf is %d, it must be at least N (%d)", r.BestOf, r.choices())
	}
	if n := r.samples(); n > e.options.MaxSeqs {
		return refuse("%d samples are more than the %d sequences that run at once: lower N or BestOf, or raise MaxSeqs", n, e.options.MaxSeqs)
	} else if n > 1 && r.Logits != nil {
		return refuse("Logits goes with one sample only, not %d", n)
	}
	if r.Beams == nil {
		return nil
	}
	if err := r.Beams.validate(len(e.endsOf(r)), e.info.Vocabulary); err != nil {
		return fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	switch {
	case !r.Sample.Greedy():
		return refuse("Beams go without drawing: Sample.Temperature is %g, it must be 0", r.Sample.Temperature)
	case r.BestOf > 0 || len(r.Stop) > 0 || r.Logits != nil:
		return refuse("Beams do not go with BestOf, Stop or Logits")
	case r.choices() > r.Beams.Width:
		return refuse("N is %d, Beams.Width %d: no more choices than beams", r.N, r.Beams.Width)
	case r.Beams.Width > e.options.MaxSeqs:
		return refuse("Beams.Width is %d: more than the %d sequences that run at once", r.Beams.Width, e.options.MaxSeqs)
	}
	return nil
}

// endsOf gives the tokens that end an answer to r.
func (e *Engine) endsOf(r *Request) []int32 {
	if r.IgnoreEnd {
		return nil
	}
	return e.tokenizer.Ends()
}

// newGroup makes a request's group; its sequences have no ids yet.
func (e *Engine) newGroup(r Request) *group {
	g := &group{request: r, clock: clock{submitted: time.Now()}, figures: Figures{PromptTokens: len(r.Prompt)}}
	p := r.Sample
	if r.Beams != nil {
		ends := e.endsOf(&r)
		g.search = newBeamSearch(*r.Beams, ends)
		p.Logprobs = max(p.Logprobs, r.Beams.candidates(len(ends)))
	} else if r.late() {
		p.Logprobs = max(p.Logprobs, 1)
	}
	for i := range r.samples() {
		g.live = append(g.live, e.newSequence(g, i, p))
		p.Seed++
	}
	return g
}

func (e *Engine) newSequence(g *group, index int, p sample.Params) *sequence {
	return &sequence{
		group: g, index: index, sample: p, stopper: stopper{stops: g.request.Stop}, tokenizer: e.tokenizer,
		decoder: e.tokenizer.NewDecoder(tokenizer.DecodeOptions{Special: g.request.Special, After: g.request.Prompt}),
	}
}

// asked is the group as the scheduler takes it.
func (g *group) asked() schedule.Request {
	r := &g.request
	s := schedule.Request{ID: g.id, Prompt: r.Prompt, MaxTokens: r.MaxTokens, Priority: r.Priority, Tenant: r.Tenant, Salt: r.Salt, AllLogits: r.Logits != nil}
	for _, q := range g.live[1:] {
		s.Samples = append(s.Samples, q.id)
	}
	if r.Beams != nil {
		s.Lanes, s.LandEach, s.Lockstep = r.Beams.Width, true, true
	}
	return s
}

// newID gives a sequence that is forked its id.
func (e *Engine) newID() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.next++
	return e.next
}

// newToken is a drawn token as streams show it, with the best few that the request asks for.
func (r *Request) newToken(drawn kernel.TopLogit, top []kernel.TopLogit) Token {
	token := Token{Candidate: candidate(drawn)}
	for _, c := range top[:min(len(top), r.Sample.Logprobs)] {
		token.Top = append(token.Top, candidate(c))
	}
	return token
}

func candidate(c kernel.TopLogit) Candidate {
	return Candidate{ID: int32(c.Token), Logit: c.Logit, Logprob: c.Logprob}
}

// take adds a token to the sequence and gives its text to the stream; hit reports that a stop text ended it.
func (q *sequence) take(token Token, reason schedule.Reason) (hit bool) {
	r := &q.group.request
	q.ids = append(q.ids, token.ID)
	q.logprob += float64(token.Logprob)
	if r.Sample.Logprobs > 0 {
		q.tokens = append(q.tokens, token)
	}
	text := ""
	if reason != schedule.Stopped || r.Special {
		text = q.decoder.Next(token.ID)
	}
	text, hit = q.stopper.push(text)
	if !hit && !r.Special {
		var before string
		before, hit = q.stopper.pushHidden(q.tokenizer.Hidden(token.ID))
		text += before
	}
	if reason != schedule.Going && !hit {
		more, cut := q.stopper.push(q.decoder.Flush())
		text, hit = text+more, cut
		if !hit {
			text += q.stopper.flush()
		}
	}
	q.text = append(q.text, text...)
	chunk := Chunk{Token: token, Text: text, Index: q.index}
	if r.late() {
		q.held = append(q.held, chunk)
	} else {
		q.group.stream.push(chunk)
	}
	return hit
}

// choice is the sequence as the result shows it.
func (q *sequence) choice() Choice {
	return Choice{Index: q.index, Reason: q.reason, Limit: q.limit(), IDs: q.ids, Text: string(q.text), Tokens: q.tokens, Logprob: q.logprob, Score: q.score}
}

// limit says at which limit the sequence ended, if at one.
func (q *sequence) limit() Limit {
	most := q.group.request.MaxTokens
	switch {
	case q.reason != FinishLength:
		return ""
	case most > 0 && len(q.ids) >= most:
		return LimitTokens
	}
	return LimitContext
}

// best gives the n sequences with the best score, equal ones in order, empty ones last, and renumbers them.
func best(all []*sequence, n int) []*sequence {
	slices.SortFunc(all, func(a, b *sequence) int {
		return cmp.Or(min(len(b.ids), 1)-min(len(a.ids), 1), cmp.Compare(b.score, a.score), a.index-b.index)
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

// countStep notes how many blocks the groups of a step hold: no other has taken any, however many wait.
func (e *Engine) countStep() {
	var last *group
	for i := range e.step.Rows {
		if q := e.live[e.step.Rows[i].Sequence]; q != nil && q.group != last {
			last = q.group
			e.count(last)
		}
	}
}

// count notes how many blocks a group holds.
func (e *Engine) count(g *group) {
	if len(g.live) == 1 {
		g.figures.Blocks = max(g.figures.Blocks, e.scheduler.Blocks(g.live[0].id))
		return
	}
	clear(e.counted)
	for _, q := range g.live {
		for i := 0; ; i++ {
			table := e.scheduler.Table(q.id, i)
			if table == nil {
				break
			}
			for _, id := range table {
				e.counted[id] = true
			}
		}
	}
	delete(e.counted, 0) // the null block
	g.figures.Blocks = max(g.figures.Blocks, len(e.counted))
}

// stop ends all that is left of a group.
func (e *Engine) stop(g *group, reason FinishReason, err error) {
	cancel := e.scheduler.Cancel
	if errors.Is(err, ErrNotNumbers) {
		cancel = e.scheduler.Discard
	}
	for _, q := range slices.Clone(g.live) {
		if cancelErr := cancel(q.id); cancelErr != nil && !errors.Is(cancelErr, schedule.ErrUnknown) {
			reason, err = FinishError, errors.Join(err, cancelErr)
		}
		e.end(q, reason, err)
	}
}

// end takes a sequence out, and its group with the last one.
func (e *Engine) end(q *sequence, reason FinishReason, err error) {
	delete(e.live, q.id)
	g := q.group
	if reason == FinishCancelled || reason == FinishError {
		g.reason, g.err = reason, err
		if g.search == nil {
			q.release()
		}
	}
	q.reason = reason
	q.score = q.logprob / float64(max(1, len(q.ids)))
	g.live = slices.DeleteFunc(g.live, func(o *sequence) bool { return o == q })
	if g.search == nil {
		g.ended = append(g.ended, q)
	}
	if len(g.live) == 0 {
		e.finish(g)
	}
}

// release takes into the text what was held back as a possible beginning of a stop text, or as half a code point.
func (q *sequence) release() {
	text, hit := q.stopper.push(q.decoder.Flush())
	if !hit {
		text += q.stopper.flush()
	}
	q.text = append(q.text, text...)
}

// finish gives a group's stream its result.
func (e *Engine) finish(g *group) {
	delete(e.groups, g.id)
	if g.stopCtx != nil {
		g.stopCtx()
	}
	switch {
	case g.search != nil:
		g.ended = e.hypotheses(g)
	case g.request.late():
		g.ended = best(g.ended, g.request.choices())
	default:
		slices.SortFunc(g.ended, func(a, b *sequence) int { return a.index - b.index })
	}
	r := Result{Reason: g.reason, Err: g.err}
	for _, q := range g.ended {
		for _, chunk := range q.held {
			g.stream.push(chunk)
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
	g.clock.figures(&g.figures, g.landed)
	r.Figures = g.figures
	g.stream.end(r)
}
