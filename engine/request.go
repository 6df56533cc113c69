package engine

import (
	"context"
	"errors"
	"time"

	"quire/engine/generation"
	"quire/engine/sample"
)

// What is asked and what is given; package generation describes each field.
type (
	Request       = generation.Request
	Beams         = generation.Beams
	EarlyStopping = generation.EarlyStopping
	StopTexts     = generation.StopTexts
	FinishReason  = generation.FinishReason
	Limit         = generation.Limit
	Candidate     = sample.Candidate
	Token         = sample.Token
	Chunk         = generation.Chunk
	Result        = generation.Result
	Choice        = generation.Choice
	Figures       = generation.Figures
	Duration      = generation.Duration
	Embed         = generation.Embed
	Pooling       = generation.Pooling
	LoRA          = generation.LoRA
	Grammar       = generation.Grammar
	GrammarKind   = generation.GrammarKind
)

// The finish reasons and limits, the kinds of grammar, and when a beam search ends.
const (
	FinishStop      = generation.FinishStop
	FinishLength    = generation.FinishLength
	FinishCancelled = generation.FinishCancelled
	FinishError     = generation.FinishError

	LimitTokens  = generation.LimitTokens
	LimitContext = generation.LimitContext

	PoolMean = generation.PoolMean
	PoolCLS  = generation.PoolCLS
	PoolLast = generation.PoolLast
	PoolRank = generation.PoolRank

	JSONSchema = generation.JSONSchema
	Regex      = generation.Regex
	GBNF       = generation.GBNF
	JSONObject = generation.JSONObject

	StopHeuristic = generation.StopHeuristic
	StopAtWidth   = generation.StopAtWidth
	StopNever     = generation.StopNever
)

// Submit queues a request. Cancelling ctx cancels it. Its Stream must be read to the end or cancelled.
func (e *Engine) Submit(ctx context.Context, r Request) (*Stream, error) {
	if err := r.Validate(e.limits); err != nil {
		return nil, err
	}
	if err := e.grammars.Compile(ctx, &r); err != nil {
		return nil, err
	}
	breakers, err := e.breakers.Of(r.Sample.DRY)
	if err != nil {
		return nil, err
	}
	letGo, err := e.adapters.use(r.LoRA)
	if err != nil {
		return nil, err
	}
	s := newStream(e.loop)
	g := generation.New(r.Settled(e.limits), e.tokenizer, sink{s})
	g.Breakers = breakers
	if err := e.loop.Submit(g); err != nil {
		letGo()
		return nil, err
	}
	s.id = g.ID
	release := func() {}
	if !r.Deadline.IsZero() {
		timer := time.AfterFunc(time.Until(r.Deadline), func() { e.loop.Cancel(g.ID, ErrDeadline) })
		release = func() { timer.Stop() }
	}
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			e.loop.Cancel(g.ID, ErrDeadline)
		} else {
			e.loop.Cancel(g.ID, nil)
		}
	})
	s.onFinish(func() { stop(); release(); letGo() })
	return s, nil
}
