package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"quire/engine"
)

const (
	repeats     = 3 // of a prefill, while they are short; the median counts
	longEnough  = 2 * time.Second
	warmUpSteps = 4 // tokens of each sequence before decode is timed
)

// measurePrefill times prompt tokens that follow depth tokens: the time for all less that for the first depth.
func (b *bench) measurePrefill(ctx context.Context, prompt, batch, depth int) (Result, error) {
	before, skipped, err := 0.0, 0, error(nil)
	if depth > 0 {
		if before, skipped, err = b.prefill(ctx, depth, batch); err != nil {
			return Result{}, err
		}
	}
	seconds, steps, err := b.prefill(ctx, depth+prompt, batch)
	if err != nil {
		return Result{}, err
	}
	seconds, steps = max(seconds-before, 1e-9), max(steps-skipped, 1)
	read := b.weights * float64(steps)
	for at := 0; at < prompt; at += b.budget {
		read += float64(batch) * b.kvToken * float64(depth+min(at+b.budget, prompt))
	}
	return Result{Kind: Prefill, Prompt: prompt, Batch: batch, Depth: depth,
		TokensPerSecond:   float64(batch*prompt) / seconds,
		BandwidthShare:    read / seconds / b.bandwidth,
		DispatchesPerStep: b.engine.Stats().Dispatches}, nil
}

// prefill returns the median of seconds until every sequence of the batch has its first token, and the steps it took.
func (b *bench) prefill(ctx context.Context, prompt, batch int) (seconds float64, steps int, err error) {
	var times []float64
	for begin := time.Now(); len(times) < repeats && (len(times) == 0 || time.Since(begin) < longEnough); {
		was := b.engine.Stats().Steps
		start := time.Now()
		streams, err := b.submit(ctx, prompt, batch, 1)
		if err != nil {
			return 0, 0, err
		}
		for _, s := range streams {
			if r := s.Result(); r.Reason != engine.FinishLength {
				return 0, 0, ended(r)
			}
		}
		times = append(times, time.Since(start).Seconds())
		steps = int(b.engine.Stats().Steps - was)
	}
	slices.Sort(times)
	return times[len(times)/2], steps, nil
}

// decodeTokens is the most context that a sequence needs while decode is measured: the first sequences generate while
// the prompts of the others are still computed.
func (b *bench) decodeTokens(gen, batch, depth int) int {
	depth = max(depth, 1)
	waiting := (batch*depth + 255) / 256 * 2
	return depth + 2*warmUpSteps + gen + waiting + batch + 8
}

// measureDecode times gen tokens of each sequence, from when all of them generate.
func (b *bench) measureDecode(ctx context.Context, gen, batch, depth int) (Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	most := b.decodeTokens(gen, batch, depth) - max(depth, 1)
	streams, err := b.submit(ctx, max(depth, 1), batch, most)
	if err != nil {
		return Result{}, err
	}
	w := window{counts: make([]int, batch), tokens: gen * batch}
	arrived := make(chan int)
	for i, s := range streams {
		go func() {
			for _, more := s.Next(); more; _, more = s.Next() {
				arrived <- i
			}
			arrived <- -1 - i
		}()
	}
	left := batch
	for left > 0 {
		i := <-arrived
		if i < 0 {
			left--
			if r := streams[-1-i].Result(); !w.closed {
				if r.Reason != engine.FinishLength || w.seen == 0 {
					err = ended(r)
				}
				w.closed = true
				cancel()
			}
			continue
		}
		if w.count(i, time.Now()) {
			w.dispatches = b.engine.Stats().Dispatches
			cancel()
		}
	}
	if err != nil {
		return Result{}, err
	}
	seconds := w.end.Sub(w.start).Seconds()
	rate := float64(w.seen) / seconds
	position := float64(max(depth, 1)) + warmUpSteps + float64(gen)/2
	read := b.weights + b.kvToken*position*float64(batch)
	return Result{Kind: Decode, Gen: gen, Batch: batch, Depth: depth, TokensPerSecond: rate,
		BandwidthShare: read * rate / float64(batch) / b.bandwidth, DispatchesPerStep: w.dispatches}, nil
}

// window is the time in which all sequences generate.
type window struct {
	counts     []int
	tokens     int // to see before it closes
	seen       int
	open       bool
	closed     bool
	start, end time.Time
	dispatches int
}

// count takes a sequence's token; true says that it closes the window.
func (w *window) count(i int, now time.Time) bool {
	w.counts[i]++
	switch {
	case w.closed:
	case w.open:
		w.seen++
		w.end = now
		w.closed = w.seen >= w.tokens
		return w.closed
	case slices.Min(w.counts) >= warmUpSteps:
		w.open, w.start = true, now
	}
	return false
}

// submit starts a batch of sequences with random prompts that share nothing.
func (b *bench) submit(ctx context.Context, prompt, batch, tokens int) ([]*engine.Stream, error) {
	streams := make([]*engine.Stream, 0, batch)
	for range batch {
		b.seed++
		random := rand.New(rand.NewPCG(b.seed, 0))
		ids := make([]int32, prompt)
		for i := range ids {
			ids[i] = int32(random.IntN(b.vocabulary))
		}
		s, err := b.engine.Submit(ctx, engine.Request{Prompt: ids, MaxTokens: tokens, IgnoreEnd: true})
		if err != nil {
			return nil, err
		}
		streams = append(streams, s)
	}
	return streams, nil
}

// ended says why a stream stopped before it was measured.
func ended(r engine.Result) error {
	switch {
	case r.Err != nil:
		return r.Err
	case r.Reason == engine.FinishCancelled:
		return context.Canceled
	}
	return fmt.Errorf("%w: a sequence ended (%s) before the others began", ErrPlan, r.Reason)
}
