package main

import (
	"context"
	"errors"
	"fmt"

	"quire/engine"
	"quire/engine/chat"
)

// queue is prompts that run at once and whose outputs are written in order.
type queue struct {
	waiting  []*pending // submitted, not yet written
	written  int
	several  bool
	failures []error
}

// pending is a prompt that runs.
type pending struct {
	prompt []int32
	seed   uint64
	stream *engine.Stream
	err    error // why it was not accepted

	messages []chat.Message // that the prompt is of; nil: it is of none, or they are not known

	maxTokens int // of an answer; 0: no limit
	answers   int // that come
}

// run submits everything and writes each output as soon as those before it are written.
func (q *queue) run(jobs []job, submit func(job) *pending, write func(*pending) error) error {
	q.several = len(jobs) > 1
	next := func() error {
		p := q.waiting[0]
		q.waiting = q.waiting[1:]
		q.written++
		return write(p)
	}
	for _, j := range jobs {
		p := submit(j)
		for errors.Is(p.err, engine.ErrQueueFull) && len(q.waiting) > 0 {
			if err := next(); err != nil {
				return err
			}
			p = submit(j)
		}
		q.waiting = append(q.waiting, p)
	}
	for len(q.waiting) > 0 {
		if err := next(); err != nil {
			return err
		}
	}
	return nil
}

// fail keeps an error, and tells it now where there are several outputs and the JSON does not carry it.
func (q *queue) fail(h *host, err error, inJSON bool) {
	q.failures = append(q.failures, err)
	if q.several && !inJSON {
		fmt.Fprintf(h.err, "prompt %d: %s\n", q.written, say(err))
	}
}

// outcome says how the command ends, whose JSON may have told of failures.
func (q *queue) outcome(ctx context.Context, inJSON bool) error {
	switch {
	case ctx.Err() != nil:
		return exitCode(exitInterrupted)
	case len(q.failures) == 0:
		return nil
	case !q.several && !inJSON:
		return q.failures[0]
	}
	return fmt.Errorf("%d of %s failed", len(q.failures), plural(q.written, "prompt"))
}
