package openai

import (
	"context"
	"errors"
	"sync"
	"time"

	"quire/engine/generation"
)

// lease is a model that was taken for a request.
type lease struct {
	engine  Engine
	about   About
	name    string // of the model, as the answer gives it
	release func()
}

// take takes a model.
func (a *API) take(ctx context.Context, name string) (*lease, *Error) {
	e, release, err := a.Models.Take(ctx, name)
	if err != nil {
		return nil, asError(err, "model")
	}
	l := &lease{engine: e, about: e.About(), name: name, release: sync.OnceFunc(release)}
	if l.about.Name != "" {
		l.name = l.about.Name
	}
	return l, nil
}

// flow is the requests of a call, which run beside each other. The model is let go once the last has ended.
type flow struct {
	lease   *lease
	streams []Stream
	cancel  context.CancelFunc
	done    <-chan struct{} // of the context
	gone    chan struct{}   // is closed when nobody reads its events any more
	leave   func()          // closes it, and cancels
}

// start submits a call's requests, all or none.
func (l *lease) start(ctx context.Context, requests []generation.Request) (*flow, error) {
	ctx, cancel := context.WithCancel(ctx)
	f := &flow{lease: l, cancel: cancel, done: ctx.Done(), gone: make(chan struct{})}
	f.leave = sync.OnceFunc(func() { cancel(); close(f.gone) })
	for i, r := range requests {
		s, err := l.engine.Submit(ctx, r)
		if err != nil {
			f.stop()
			return nil, partOf(err, i, len(requests))
		}
		f.streams = append(f.streams, s)
	}
	return f, nil
}

// results waits for all requests, and gives the first error.
func (f *flow) results() ([]generation.Result, error) {
	defer f.end()
	results := make([]generation.Result, len(f.streams))
	var failed error
	for i, s := range f.streams {
		results[i] = s.Result()
		if err := failure(&results[i]); err != nil && failed == nil {
			failed = partOf(err, i, len(f.streams))
			f.cancel() // the others are of no use
		}
	}
	return results, failed
}

// partError is an error of one of a call's requests.
type partError struct {
	error
	request int
}

func (e *partError) Unwrap() error { return e.error }

// partOf notes which of several requests an error is of.
func partOf(err error, request, of int) error {
	if of == 1 {
		return err
	}
	return &partError{err, request}
}

// failure is why a request gave nothing to answer with. What came before a deadline is an answer.
func failure(r *generation.Result) error {
	switch {
	case r.Reason == generation.FinishError:
		return r.Err
	case r.Reason != generation.FinishCancelled:
		return nil
	case errors.Is(r.Err, generation.ErrDeadline) && r.Figures.GeneratedTokens > 0:
		return nil
	case r.Err != nil:
		return r.Err
	}
	return context.Canceled
}

// stop cancels the requests, and lets the model go when they have ended.
func (f *flow) stop() {
	f.cancel()
	go f.results()
}

// end lets the model go.
func (f *flow) end() {
	f.cancel()
	f.lease.release()
}

// event is a chunk of one of a flow's requests, or its result.
type event struct {
	request int
	chunk   generation.Chunk
	result  *generation.Result
}

// grace is how long the events of a call whose context has ended wait for their reader, who is to know how it ended.
const grace = time.Second

// give gives an event to whoever reads them; false says that nobody does.
func (f *flow) give(out chan<- event, e event) bool {
	select {
	case out <- e:
		return true
	case <-f.gone:
		return false
	case <-f.done:
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case out <- e:
		return true
	case <-f.gone:
	case <-timer.C:
		f.leave()
	}
	return false
}

// events merges the chunks of all requests; the channel is closed after the last result.
func (f *flow) events() <-chan event {
	out := make(chan event)
	var all sync.WaitGroup
	for i, s := range f.streams {
		all.Go(func() {
			for c, more := s.Next(); more; c, more = s.Next() {
				if !f.give(out, event{request: i, chunk: c}) {
					break
				}
			}
			r := s.Result()
			f.give(out, event{request: i, result: &r})
		})
	}
	go func() {
		all.Wait()
		close(out)
		f.end()
	}()
	return out
}
