package main

import (
	"quire/engine"
	"quire/engine/gpu"
)

var kvTypes = []string{"f16", "f32"}

// engineFlags declares the flags that say how a model is run.
func engineFlags(f *flags) func() engine.Options {
	f.group("engine")
	ctx := f.whole("ctx", 0, 0, 1<<24, "the most `TOKENS` of one sequence; 0: what the model was trained for, as memory allows")
	kvType := f.choice("kv-type", "f16", kvTypes, "what K and V are stored as: `f16|f32`")
	kvMemory := f.size("kv-memory", "memory for the KV cache, a `SIZE` such as 512MiB; 0: chosen by the engine")
	adapter := f.text("adapter", "", "the GPU: a number or part of a `NAME` from \"quire adapters\"")
	power := f.choice("power", "", []string{string(gpu.HighPerformance), string(gpu.LowPower)}, "without --adapter: `high-performance|low-power`")
	variant := f.text("variant", "", "kernel `VARIANT`: baseline or another by name; empty: chosen for the adapter")
	deterministic := f.flag("deterministic", "one order of summation: the same tokens alone and in any batch")
	budget := f.whole("token-budget", 0, 0, 1<<20, "`TOKENS` computed a step; 0: 512")
	long := f.whole("long-prompt", 0, -1, 1<<20, "the most `TOKENS` a step of one long prompt while others run; 0: 256, -1: no cap")
	maxSeqs := f.whole("max-seqs", 0, 0, 1<<16, "`SEQUENCES` running at once; 0: 64")
	return func() engine.Options {
		return engine.Options{
			GPU:     gpu.Options{Adapter: *adapter, Power: gpu.PowerPreference(*power)},
			KVType:  *kvType,
			Variant: *variant, KVMemory: *kvMemory, Context: *ctx, TokenBudget: *budget, LongPrompt: *long,
			MaxSeqs: *maxSeqs, Deterministic: *deterministic,
		}
	}
}
