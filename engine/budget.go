package engine

import (
	"context"
	"time"

	"quire/engine/gpu"
	"quire/engine/schedule"
)

// How long a step, and one submission of it, may hold the GPU: pages must stay responsive, and browsers and integrated
// GPUs end what takes longer. A step that nobody decodes in may be longer on a large GPU, whose products gain by more rows.
const (
	stepTime   = 100 * time.Millisecond
	promptTime = 250 * time.Millisecond
	submitTime = 50 * time.Millisecond
)

// probeTokens is the length of the step that measures prefill speed, and probes how often it does, behind a first one: after a load Go
// collects garbage, on the tab's only thread, and GPUs wake up slowly. A longer one is run instead, where it takes no longer than
// longProbe, and once more unless the first has been fast enough for the largest budget.
const (
	probeTokens = 64
	probes      = 3
	longProbe   = time.Second
)

// PromptBudget is the token budget of a large GPU for steps in which nobody decodes.
const PromptBudget = 2048

// promptUnit is what it is halved down to where the GPU is slower, so that tiles of rows are whole, and prompts end with a step.
const promptUnit = 256

// defaultTokenBudget is the token budget unless Options say, as far as the adapter's speed goes.
func defaultTokenBudget(info gpu.AdapterInfo, deterministic bool) int {
	if info.Type == "discrete" && !deterministic && info.Limits.MaxStorageBufferBindingSize >= 1<<30 {
		return PromptBudget
	}
	return schedule.DefaultTokenBudget
}

// fitBudget lowers the token budget, never under the sequence limit, until a step stays under stepTime, or under promptTime
// where nobody decodes, and splits submissions under submitTime. A budget that was set, and deterministic mode, are left
// alone; a software GPU is too slow to ask, and gets the least. Buffers keep the size of the larger budget.
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
	token, err := tokenTime(func(n, times int) (time.Duration, error) { return e.probe(ctx, n, times) }, o.TokenBudget)
	if err != nil {
		return err
	}
	e.info.TokenBudget, e.sharedBudget = budgets(token, least, o.TokenBudget)
	o.TokenLayers = max(1, int(submitTime/token)*e.plan.Config.Layers)
	e.machine.SplitSubmissions(o.TokenLayers)
	return nil
}

// tokenTime asks probe how long a token of a prompt takes. Few rows say little of many, but whether many may be tried: at once, or once
// the GPU is awake.
func tokenTime(probe func(n, times int) (time.Duration, error), most int) (time.Duration, error) {
	few, many := min(probeTokens, most), schedule.DefaultTokenBudget
	fast := func(token time.Duration) bool { return most > many && token < longProbe/time.Duration(many) }
	token, err := probe(few, 1)
	if err == nil && !fast(token) {
		token, err = probe(few, probes)
	}
	if err == nil && fast(token) {
		token, err = probe(many, 1)
		if err == nil && token > promptTime/PromptBudget {
			return probe(many, 1)
		}
	}
	return token, err
}

// probe returns how long a token of a prompt takes among n.
func (e *Engine) probe(ctx context.Context, n, times int) (time.Duration, error) {
	took, err := e.machine.Probe(ctx, n, times)
	return max(took/time.Duration(n), 1), err
}

// budgets are the token budgets of steps where nobody decodes, and of others, where a token takes so long.
func budgets(token time.Duration, least, most int) (prompts, shared int) {
	shared = min(most, schedule.DefaultTokenBudget, int(stepTime/token))
	if most <= schedule.DefaultTokenBudget { // not a large GPU
		return max(least, shared), max(least, shared)
	}
	prompts = int(promptTime / token)
	for n := PromptBudget; n >= promptUnit; n /= 2 {
		if prompts >= n {
			prompts = n
			break
		}
	}
	prompts = min(most, prompts)
	return max(least, prompts), max(least, shared)
}
