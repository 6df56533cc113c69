package main

import (
	"quire/engine"
	"quire/engine/gpu"
)

var (
	kvTypes     = []string{"f16", "bf16", "q8", "f32"}
	preemptions = []string{"auto", "recompute", "swap"}
	powers      = []string{string(gpu.HighPerformance), string(gpu.LowPower)}
)

// engineFlags declares the flags that say how a model is run.
func engineFlags(f *flags, o *engine.Options) {
	o.KVType, o.Preemption = kvTypes[0], preemptions[0]
	f.group("engine")
	f.text("adapter", &o.GPU.Adapter, "the GPU: a number or part of a `NAME` from \"quire adapters\"")
	f.choice("power", (*string)(&o.GPU.Power), powers, "without --adapter, the `KIND` of GPU: high-performance or low-power")
	f.choice("kv-type", &o.KVType, kvTypes, "the `TYPE` that K and V are stored as: f16, bf16, q8 (8-bit integers with a scale a row) or f32; default f16")
	f.size("kv-memory", &o.KVMemory, "memory for the KV cache, a `SIZE` such as 512MiB; 0: what eight whole contexts fill (or --max-seqs), within limits")
	f.text("variant", &o.Variant, "kernel `VARIANT`: baseline, or others by name, joined by +; default: chosen for the adapter")
	f.flag("deterministic", &o.Deterministic, "one order of summation: the same tokens alone and in any batch")
	f.whole("token-budget", &o.TokenBudget, 0, "compute `N` tokens a step; 0: 512")
	f.whole("long-prompt", &o.LongPrompt, -1, "at most `N` tokens a step of one long prompt while others run; 0: 256, -1: no cap")
	f.whole("max-seqs", &o.MaxSeqs, 0, "run `N` sequences at once; 0: 64")
	f.choice("preemption", &o.Preemption, preemptions, "`HOW` a request makes room when the KV memory is full: auto, recompute or swap; default auto")
	f.size("swap-memory", &o.SwapMemory, "host memory to swap to, a `SIZE`; 0: as much as the KV cache has")
	f.whole("queue-limit", &o.QueueLimit, 0, "refuse requests beyond `N` that wait; 0: any number may")
}

func contextFlag(f *flags, tokens *int) {
	f.whole("ctx", tokens, 0, "at most `N` tokens a sequence; 0: what the model was trained for, as memory allows; more is lowered to that")
}
