package openai

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"time"

	"quire/engine/generation"
)

// Journal is what one call's stream needs to go on over another engine, when its own is gone: all that is random of the answer, and what
// has been told of it.
type Journal struct {
	Seed  uint64                 // of ids, and of what tokens are drawn by
	Asked time.Time              // first
	Had   []generation.Chunk     // that earlier engines gave, in order
	Bytes int                    // of events that the reader has had; Had makes at least these
	Tell  func(generation.Chunk) // told each further chunk before its event is made
}

// errSeveral says that a stream of several requests ends with its engine: nobody knows in which order their tokens came.
var errSeveral = errors.New("the engine of this stream is gone, and one with several prompts cannot go on")

// Handle answers a call as API.Handle does, from where the journal stands.
func (j *Journal) Handle(ctx context.Context, a *API, c Call) *Answer {
	own := *a
	own.Now = func() time.Time { return j.Asked }
	own.random = rand.New(rand.NewPCG(j.Seed, 0))
	own.Models = journalModels{a.Models, j}
	answer := own.Handle(ctx, c)
	if answer.Events != nil {
		answer.Events = j.rest(answer.Events)
	}
	return answer
}

// rest gives what of the events the reader has not had.
func (j *Journal) rest(events iter.Seq[[]byte]) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		skip := j.Bytes
		for event := range events {
			n := min(skip, len(event))
			skip -= n
			if n < len(event) && !yield(event[n:]) {
				return
			}
		}
	}
}

type journalModels struct {
	Models
	journal *Journal
}

func (m journalModels) Take(ctx context.Context, name string) (Engine, func(), error) {
	e, release, err := m.Models.Take(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	return &journalEngine{Engine: e, journal: m.journal}, release, nil
}

type journalEngine struct {
	Engine
	journal   *Journal
	submitted int
}

func (e *journalEngine) Submit(ctx context.Context, r generation.Request) (Stream, error) {
	had := e.journal.Had
	if e.submitted++; e.submitted > 1 && len(had) > 0 {
		return nil, errSeveral
	}
	for _, c := range had {
		for len(r.Landed) <= c.Index {
			r.Landed = append(r.Landed, nil)
		}
		r.Landed[c.Index] = append(r.Landed[c.Index], c.Token)
	}
	s, err := e.Engine.Submit(ctx, r)
	if err != nil {
		return nil, err
	}
	return &journalStream{Stream: s, journal: e.journal, had: had}, nil
}

// journalStream gives what came before, and then what comes.
type journalStream struct {
	Stream
	journal *Journal
	had     []generation.Chunk
}

func (s *journalStream) Next() (c generation.Chunk, more bool) {
	if len(s.had) > 0 {
		c, s.had = s.had[0], s.had[1:]
		return c, true
	}
	if c, more = s.Stream.Next(); more {
		s.journal.Tell(c)
	}
	return c, more
}
