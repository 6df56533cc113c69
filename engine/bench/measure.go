package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"quire/engine"
)

const (
	repeats     = 3 // where nothing is asked for, while they are short
	longEnough  = 2 * time.Second
	warmUpSteps = 4  // tokens of each sequence before decode is timed
	ownTokens   = 16 // of each sequence, of those in the cache, where it shares them
)

// measurePrefill times prompt tokens that follow depth tokens, which the prefix cache holds from a first round.
func (b *bench) measurePrefill(ctx context.Context, prompt, batch, depth int) (Result, error) {
	prefixes, err := b.fill(ctx, batch, depth)
	if err != nil {
		return Result{}, err
	}
	out := Result{Kind: Prefill, Prompt: prompt, Batch: batch, Depth: depth}
	var r round
	first := time.Duration(0)
	rounds := 0
	err = b.repeated(&out, func() (int, float64, error) {
		r, err = b.prefill(ctx, prefixes, prompt)
		first += r.first
		rounds++
		return r.tokens, r.seconds, err
	})
	if err != nil {
		return Result{}, err
	}
	out.FirstToken = 1000 * first.Seconds() / float64(batch*rounds)
	out.BandwidthShare = b.read(r) / float64(r.tokens) * out.TokensPerSecond / b.bandwidth
	out.DispatchesPerStep = r.dispatches
	return out, nil
}

// read is how many bytes of weights, K and V a round's steps read.
func (b *bench) read(r round) float64 {
	all := b.weights*float64(r.steps) + b.kvToken*float64(r.read)
	return all - b.unasked.weights*float64(r.steps-r.asked) - b.unasked.token*float64(r.read-r.askedRead)
}

// repeated takes a measurement's rates, as often as asked or else a few times while that is short. Clocks may not tick while a short prompt
// is computed: what took no time is measured with the next.
func (b *bench) repeated(r *Result, measure func() (tokens int, seconds float64, err error)) error {
	most := repeats
	if b.repeat > 0 {
		most = b.repeat
	}
	for begin := time.Now(); len(r.Samples) < most && (b.repeat > 0 || len(r.Samples) == 0 || time.Since(begin) < longEnough); {
		tokens, seconds := 0, 0.0
		for seconds <= 0 {
			more, took, err := measure()
			if err != nil {
				return err
			}
			tokens, seconds = tokens+more, seconds+took
		}
		r.Samples = append(r.Samples, float64(tokens)/seconds)
	}
	r.TokensPerSecond, r.Deviation = meanDeviation(r.Samples)
	return nil
}

// meanDeviation gives the mean, and the standard deviation of a sample: 0 of one value.
func meanDeviation(values []float64) (mean, deviation float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(deviation / float64(max(1, len(values)-1)))
}

// round is one timed prefill of a batch.
type round struct {
	seconds    float64 // until every sequence has its first token
	tokens     int     // computed, those in the prefix cache left out
	steps      int
	asked      int           // of them, those of which something is asked
	read       int           // tokens whose K and V steps' rows read
	askedRead  int           // of them those that the asked steps' read
	dispatches int           // of the last step
	first      time.Duration // until each sequence's first token, all of them added up
}

// prefill computes prompt new random tokens behind each prefix.
func (b *bench) prefill(ctx context.Context, prefixes [][]int32, prompt int) (round, error) {
	prompts := make([][]int32, len(prefixes))
	for i, prefix := range prefixes {
		prompts[i] = append(slices.Clone(prefix), b.tokens(prompt)...)
	}
	was := b.engine.Stats()
	start := time.Now()
	streams, err := b.submit(ctx, prompts, 1, false)
	if err != nil {
		return round{}, err
	}
	var out round
	for _, s := range streams {
		r := s.Result()
		if r.Reason != engine.FinishLength {
			return round{}, ended(r)
		}
		out.first += r.Figures.TimeToFirst.Duration
		out.tokens += r.Figures.PromptTokens - r.Figures.CachedTokens
	}
	out.seconds = time.Since(start).Seconds()
	stats := b.engine.Stats()
	out.steps, out.asked, out.dispatches = int(stats.Steps-was.Steps), int(stats.AskedSteps-was.AskedSteps), stats.Dispatches
	out.read, out.askedRead = int(stats.Read-was.Read), int(stats.AskedRead-was.AskedRead)
	return out, nil
}

// fill makes a prefix of depth tokens for each sequence of a batch and computes it, so that its blocks are cached.
func (b *bench) fill(ctx context.Context, batch, depth int) ([][]int32, error) {
	prefixes := make([][]int32, batch)
	if depth == 0 {
		return prefixes, nil
	}
	for i := range prefixes {
		prefixes[i] = b.tokens(depth)
		copy(prefixes[i], prefixes[0][:b.sharedTokens(depth)])
	}
	if b.shared { // the others find in the cache what the first has left there
		if _, err := b.prefill(ctx, prefixes[:1], 0); err != nil {
			return nil, err
		}
	}
	_, err := b.prefill(ctx, prefixes, 0)
	return prefixes, err
}

// sharedTokens is how many of the tokens in the cache all sequences of a batch have.
func (b *bench) sharedTokens(depth int) int {
	if !b.shared {
		return 0
	}
	return max(0, depth-ownTokens)
}

// decodeTokens is the most context that a sequence needs while decode is measured: the first sequences generate while
// the others are still in their prompts.
func decodeTokens(gen, batch, depth int) int {
	const spare = 32
	return max(depth, 1) + 2*warmUpSteps + gen + batch + spare
}

// measureDecode times gen tokens of each sequence, freely or under a schema, from when all of them generate.
func (b *bench) measureDecode(ctx context.Context, gen, batch, depth int, schema bool) (Result, error) {
	out := Result{Kind: Decode, Gen: gen, Batch: batch, Depth: depth, Schema: schema}
	depth = max(depth, 1)
	prefixes, err := b.fill(ctx, batch, depth)
	if err != nil {
		return Result{}, err
	}
	err = b.repeated(&out, func() (int, float64, error) {
		w, err := b.decode(ctx, prefixes, gen, depth, schema)
		out.DispatchesPerStep = w.dispatches
		return w.seen, w.end.Sub(w.start).Seconds(), err
	})
	position := float64(depth) + warmUpSteps + float64(gen)/2
	read := b.weights + b.kvToken*(position*float64(batch)-float64(b.sharedTokens(depth)*(batch-1)))
	out.BandwidthShare = read * out.TokensPerSecond / float64(batch) / b.bandwidth
	return out, err
}

// decode goes on from each prefix once.
func (b *bench) decode(ctx context.Context, prefixes [][]int32, gen, depth int, schema bool) (window, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batch := len(prefixes)
	streams, err := b.submit(ctx, prefixes, decodeTokens(gen, batch, depth)-depth, schema)
	if err != nil {
		return window{}, err
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
	return w, err
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

// tokens makes n random tokens that no prompt had before.
func (b *bench) tokens(n int) []int32 {
	b.seed++
	random := rand.New(rand.NewPCG(b.seed, 0))
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32(random.IntN(b.vocabulary))
	}
	return ids
}

// submit starts a batch of sequences that each generate up to maxTokens.
func (b *bench) submit(ctx context.Context, prompts [][]int32, maxTokens int, schema bool) ([]*engine.Stream, error) {
	streams := make([]*engine.Stream, 0, len(prompts))
	for i, ids := range prompts {
		s, err := b.engine.Submit(ctx, engine.Request{Prompt: ids, MaxTokens: maxTokens, IgnoreEnd: true, LoRA: b.lora(i), Grammar: under(schema)})
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
