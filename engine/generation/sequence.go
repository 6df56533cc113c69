package generation

import (
	"slices"
	"time"

	"quire/engine/draft"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/tokenizer"
)

// Sequence is one line of tokens of a request: a sample, or a beam.
type Sequence struct {
	ID         uint64
	Generation *Generation
	Sample     sample.Params // how its tokens are drawn
	Drafter    draft.Drafter // nil: its tokens are drawn one by one

	index   int       // of the choice
	grammar *follower // nil: it has none
	decoder *tokenizer.Decoder
	stopper stopper
	ids     []int32
	tokens  []sample.Token
	text    []byte
	logprob float64
	score   float64
	reason  FinishReason
	held    []Chunk // until it is known whether it is among the choices

	top    []sample.Candidate // of a beam: what may follow it, once that has landed
	landed bool
}

func (g *Generation) newSequence(index int, p sample.Params) *Sequence {
	return &Sequence{
		Generation: g, Sample: p, index: index, stopper: stopper{stops: g.Request.Stop}, grammar: g.Request.begin(),
		decoder: g.tokenizer.NewDecoder(tokenizer.DecodeOptions{Special: g.Request.Special, After: g.Request.Prompt, Spaces: g.Request.Grammar != nil}),
	}
}

// History is what penalties need to know of the tokens before those to come: the prompt and all that have landed.
func (q *Sequence) History(tokens []int32, room int) sample.History {
	r := &q.Generation.Request
	return sample.History{Tokens: tokens, Prompt: len(r.Prompt), Room: room, Breakers: q.Generation.Breakers, Raw: r.Logits != nil}
}

// Index is the place of the sequence among the choices; of a beam, among the beams.
func (q *Sequence) Index() int {
	if q.Generation.search != nil {
		return slices.Index(q.Generation.Live, q)
	}
	return q.index
}

// Land takes a drawn token, with what the scheduler says of it, and gives its text to the sink. It says why the sequence
// ends with it: a stop text is found here; empty while it goes on.
func (q *Sequence) Land(drawn sample.Token, reason schedule.Reason, now time.Time) FinishReason {
	g := q.Generation
	g.clock.token(now)
	g.landed++
	end := finish(reason, q.take(drawn, reason))
	if q.Err() != nil {
		return FinishError
	}
	return end
}

// finish is why a sequence ends with a token; hit says that a stop text ends it, or that its grammar closes it.
func finish(reason schedule.Reason, hit bool) FinishReason {
	switch {
	case hit || reason == schedule.Stopped:
		return FinishStop
	case reason == schedule.Length:
		return FinishLength
	}
	return ""
}

// take adds a token to the sequence and gives its text to the sink; hit reports that a stop text ended it, or its grammar closed it.
func (q *Sequence) take(token sample.Token, reason schedule.Reason) (hit bool) {
	g, r := q.Generation, &q.Generation.Request
	if n := min(len(token.Top), r.Sample.Logprobs); n > 0 {
		token.Top = token.Top[:n]
	} else {
		token.Top = nil
	}
	q.ids = append(q.ids, token.ID)
	q.logprob += float64(token.Logprob)
	if r.Sample.Logprobs > 0 {
		q.tokens = append(q.tokens, token)
	}
	closed := q.grammar.take(token.ID)
	q.stopper.deaf = len(q.ids) <= r.MinTokens
	text := ""
	if reason != schedule.Stopped || r.Special {
		text = q.decoder.Next(token.ID)
	}
	text, hit = q.stopper.push(text)
	if !hit && !r.Special {
		var before string
		before, hit = q.stopper.pushHidden(g.tokenizer.Hidden(token.ID))
		text += before
	}
	if (reason != schedule.Going || closed) && !hit {
		more, cut := q.stopper.push(q.decoder.Flush())
		text, hit = text+more, cut
		if !hit {
			text += q.stopper.flush()
		}
	}
	hit = hit || closed
	q.text = append(q.text, text...)
	chunk := Chunk{Token: token, Text: text, Index: q.index, Reason: finish(reason, hit)}
	if r.late() {
		q.held = append(q.held, chunk)
	} else if len(q.ids) > len(r.landedOf(q.index)) {
		g.sink.Push(chunk)
	}
	return hit
}

// release takes into the text what was held back as a possible beginning of a stop text, or as half a code point.
func (q *Sequence) release() {
	text, hit := q.stopper.push(q.decoder.Flush())
	if !hit {
		text += q.stopper.flush()
	}
	q.text = append(q.text, text...)
}

// choice is the sequence as the result shows it.
func (q *Sequence) choice() Choice {
	return Choice{Index: q.index, Reason: q.reason, Limit: q.limit(), IDs: append([]int32{}, q.ids...), Text: string(q.text), Tokens: q.tokens, Logprob: q.logprob, Score: q.score}
}

// limit says at which limit the sequence ended, if at one.
func (q *Sequence) limit() Limit {
	maxTokens := q.Generation.Request.MaxTokens
	switch {
	case q.reason != FinishLength:
		return ""
	case maxTokens > 0 && len(q.ids) >= maxTokens:
		return LimitTokens
	}
	return LimitContext
}
