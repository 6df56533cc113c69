package loop

import (
	"context"
	"time"

	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/step"
)

// land waits for the oldest step and gives its tokens to their requests.
func (l *Loop) land() error {
	l.lap(nil)
	result, err := l.runner.Land(context.Background())
	if err != nil {
		return err
	}
	l.lap(&l.times.Wait)
	defer l.lap(&l.times.Give)
	l.failures = 0
	// Before the scheduler lets what ends with this step into the cache.
	for _, id := range result.Broken {
		q := l.sequences[id]
		if q == nil || l.scheduler.Void(id) { // what is no good of the sequence's own shows again when it is drawn again
			continue
		}
		if l.scheduler.Undraft(id) { // a token that the sequence does not say may have done it
			q.StopDrafts()
			continue
		}
		l.finish(q.Generation, generation.FinishError, generation.ErrNotNumbers)
	}
	for _, row := range result.Logits {
		if q := l.sequences[row.Sequence]; q != nil {
			q.Generation.Logits(row.Position, row.Values)
		}
	}
	for _, p := range result.Pooled {
		if q := l.sequences[p.Sequence]; q != nil {
			q.Generation.Pooled(p)
		}
	}
	now := time.Now()
	l.pace.land(now, l.config.Short.Most)
	tokens, err := l.scheduler.Land(result.Number, result.Tokens)
	if err != nil {
		return err
	}
	for i, t := range tokens {
		if q := l.sequences[t.Sequence]; q != nil {
			if err := undrawable(result, q); err != nil {
				l.finish(q.Generation, generation.FinishError, err)
				continue
			}
			if t.Reason == schedule.Computed {
				q.Generation.Computed(now)
				l.end(q, generation.FinishStop, nil)
				continue
			}
			if t.Reason != schedule.Going { // a beam's search may go on
				l.tallies[q.Generation.ID].drop(q.ID)
			}
			guessed(q, result, t.Index)
			l.give(q, tokens[i:], result.Drawn[t.Index], now)
		}
	}
	l.config.Change()
	return nil
}

// undrawable says why a sequence's tokens stand for nothing, where they do.
func undrawable(r *step.Result, q *generation.Sequence) error {
	if err := r.Undrawable[step.DrawsRandom]; err != nil && !q.Sample.Greedy() {
		return err
	}
	if q.Sample.Logprobs > 0 {
		return r.Undrawable[step.DrawsLogprobs]
	}
	return nil
}

// give hands the first of landed tokens to its request, and ends the sequence where the request has had enough.
func (l *Loop) give(q *generation.Sequence, landed []schedule.Landed, drawn sample.Token, now time.Time) {
	if q.Generation.Search() {
		l.giveBeam(q, drawn, now)
		return
	}
	more := 0 // tokens of a draft behind it
	for more+1 < len(landed) && landed[more+1].Sequence == q.ID {
		more++
	}
	end := q.Land(drawn, landed[0].Reason, now)
	if end == generation.FinishError {
		l.finish(q.Generation, end, q.Err())
		return
	}
	if more == 0 || end != "" {
		q.Verified(landed[more].Drafted, landed[more].Accepted)
	}
	if end == "" {
		if more == 0 {
			if err := l.check(q); err != nil {
				l.finish(q.Generation, generation.FinishError, err)
				return
			}
			l.draft(q)
			l.force(q, now)
		}
		return
	}
	var err error
	if landed[more].Reason == schedule.Going {
		if err = l.scheduler.End(q.ID, more); err != nil {
			end = generation.FinishError
		}
	}
	l.end(q, end, err)
}
