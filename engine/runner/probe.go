package runner

import (
	"context"
	"time"

	"quire/engine/step"
)

// probes is how often Probe measures: after a load Go collects garbage, on the tab's only thread.
const probes = 3

// Probe measures a step of so many tokens that writes nothing into the cache: once to warm up, then the shortest of a few.
func (r *Runner) Probe(ctx context.Context, tokens int) (time.Duration, error) {
	blocks := (tokens + r.options.BlockSize - 1) / r.options.BlockSize
	s := step.Step{Tokens: make([]int32, tokens), Rows: []step.Row{{Count: int32(tokens), Blocks: int32(blocks)}}}
	s.Groups = []step.Group{{Tables: make([]int32, blocks)}} // the null block
	for i := range tokens {
		s.Positions = append(s.Positions, int32(i))
		s.Groups[0].Slots = append(s.Groups[0].Slots, step.NoSlot)
	}
	var took time.Duration
	for i := range 1 + probes {
		start := time.Now()
		if err := r.Submit(&s); err != nil {
			return 0, err
		}
		if err := r.device.Idle(ctx); err != nil {
			return 0, err
		}
		if _, err := r.Land(ctx); err != nil {
			return 0, err
		}
		if lasted := time.Since(start); i == 1 || i > 1 && lasted < took {
			took = lasted
		}
	}
	r.stats = Stats{}
	return took, nil
}
