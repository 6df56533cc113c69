package generation

import (
	"math"
	"time"

	"quire/engine/step"
)

// Pooling says which of a prompt's tokens make its embedding.
type Pooling string

// The kinds of pooling, as their names are in files.
const (
	PoolMean Pooling = "mean" // the mean of all tokens
	PoolCLS  Pooling = "cls"  // the first token
	PoolLast Pooling = "last" // the last token
	PoolRank Pooling = "rank" // no embedding but a score, of models that have one
)

// Embed asks for an embedding of the prompt, or its score, in place of tokens after it.
type Embed struct {
	Pooling Pooling // "": the model's, and the mean where the model names none
	Raw     bool    // the vector as it is, not divided by its length

	tokens step.Pooling // that Settled finds
}

// Settled gives a copy of a valid request that says what it left to the model, and shares nothing that its caller may change.
func (r Request) Settled(l Limits) Request {
	r = r.Clone()
	r.room = l.Context(r.Sequences()) - len(r.Prompt)
	if e := r.Embed; e != nil {
		if e.Pooling == "" {
			e.Pooling = l.Pooling
		}
		e.tokens = e.Pooling.tokens(l.Rank)
	}
	return r
}

// Computed notes that the prompt is, and its embedding with it.
func (g *Generation) Computed(now time.Time) { g.clock.token(now) }

// embedding adds up what comes of a prompt's chunks.
type embedding struct {
	count  int // tokens added up
	sum    []float64
	scores []float32
}

// Pooled takes what a chunk gave. A prompt that is computed again begins again.
func (g *Generation) Pooled(p step.Pooled) {
	e := g.embedding
	if e == nil {
		return
	}
	if g.Request.Embed.tokens != step.PoolMean || p.Position == 0 {
		*e = embedding{sum: make([]float64, len(p.Values))}
	}
	e.count += p.Count
	for i, x := range p.Values {
		e.sum[i] += float64(x)
	}
	e.scores = p.Scores
}

// embed puts the embedding into a result.
func (g *Generation) embed(r *Result) {
	e := g.embedding
	if e == nil || e.count == 0 || r.Reason != FinishStop {
		return
	}
	if g.Request.Embed.Pooling == PoolRank {
		r.Scores = e.scores
		return
	}
	length := 0.0
	for _, x := range e.sum {
		length += x * x
	}
	scale := 1 / float64(e.count)
	if !g.Request.Embed.Raw {
		scale = 0 // of a vector that is 0
		if length > 0 {
			scale = 1 / math.Sqrt(length)
		}
	}
	r.Embedding = make([]float32, len(e.sum))
	for i, x := range e.sum {
		r.Embedding[i] = float32(x * scale)
	}
}

// tokens says which tokens a kind of pooling takes; rank is that of the model's scores.
func (p Pooling) tokens(rank step.Pooling) step.Pooling {
	switch p {
	case PoolCLS:
		return step.PoolFirst
	case PoolLast:
		return step.PoolLast
	case PoolRank:
		return rank
	}
	return step.PoolMean
}

// validateEmbed checks what an embedding can be asked for, and that text is asked of models that give some.
func (r *Request) validateEmbed(l Limits) error {
	switch e := r.Embed; {
	case e == nil && l.NoText:
		return refuse("the model gives embeddings and no text: ask for those")
	case e == nil:
		return nil
	case r.Logits != nil || r.Beams != nil || r.samples() > 1:
		return refuse("Embed goes without Logits, N, BestOf and Beams")
	case e.Pooling == PoolRank && l.Rank == step.NoPooling:
		return refuse("the pooling is rank, and the model has no scores: only mean, cls and last")
	case e.Pooling != "" && e.Pooling != PoolMean && e.Pooling != PoolCLS && e.Pooling != PoolLast && e.Pooling != PoolRank:
		return refuse("the pooling is %q, not mean, cls, last or rank", string(e.Pooling))
	}
	return nil
}
