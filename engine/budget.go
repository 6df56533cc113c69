package engine

import (
	"context"
	"time"
)

// How long a step, and one submission of it, may hold the GPU: pages must stay responsive, and browsers and integrated
// GPUs end what takes longer.
const (
	stepTime   = 100 * time.Millisecond
	submitTime = 50 * time.Millisecond
)

// probeTokens is the length of the step that measures prefill speed.
const probeTokens = 64

// fitBudget lowers the token budget, never under the sequence limit, until a step stays under stepTime, and splits
// submissions under submitTime. A budget that was set, and deterministic mode, are left alone; a software GPU is too
// slow to ask, and gets the least. Buffers keep the size of the larger budget.
func (e *Engine) fitBudget(ctx context.Context, set bool) error {
	o := &e.machine.options
	if set || o.Deterministic {
		return nil
	}
	least := min(o.MaxSeqs, o.TokenBudget)
	if e.plan.Whole {
		least = o.TokenBudget
	}
	if e.info.Adapter.Type == "cpu" {
		e.info.TokenBudget = least
		return nil
	}
	n := min(probeTokens, o.TokenBudget)
	took, err := e.machine.Probe(ctx, n)
	if err != nil {
		return err
	}
	token := max(took/time.Duration(n), 1)
	e.info.TokenBudget = min(o.TokenBudget, max(least, int(stepTime/token)))
	o.TokenLayers = max(1, int(submitTime/token)*e.plan.Config.Layers)
	e.machine.SplitSubmissions(o.TokenLayers)
	return nil
}
