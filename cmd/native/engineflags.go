package main

import (
	"quire/engine"
	"quire/engine/gpu"
)

// modelFlag says which model a command reads.
type modelFlag struct {
	Model string `short:"m" names:"" placeholder:"MODEL" help:"A GGUF file, hf:owner/repo[:QUANT] (see quire pull), or an http(s) address. Without it, the built-in model."`
}

// gpuFlags say which adapter a command takes.
type gpuFlags struct {
	Adapter string  `placeholder:"NAME" help:"The GPU: a number or part of a name from \"quire adapters\"."`
	Power   *string `placeholder:"KIND" enum:"high-performance, low-power" help:"Without --adapter, the kind of GPU: high-performance or low-power."`
}

func (g *gpuFlags) options() gpu.Options {
	o := gpu.Options{Adapter: g.Adapter}
	if g.Power != nil {
		o.Power = gpu.PowerPreference(*g.Power)
	}
	return o
}

// engineFlags say how a model is run.
type engineFlags struct {
	gpuFlags
	KVType           *string `name:"kv-type" placeholder:"TYPE" enum:"${kvtypes}" help:"What K and V are stored as: ${enum}. q8, 8-bit integers with a scale a row, needs half of f16's memory and changes SmolLM2-135M's logits by up to 0.9; f16 changes them by 0.05. Without it f16, and f32 for quire embed."`
	KVMemory         size    `name:"kv-memory" placeholder:"SIZE" help:"Memory for the KV cache, such as 512MiB. 0: what eight whole contexts fill (or --max-seqs, where given), at most 2 GiB on a discrete GPU and 512 MiB elsewhere."`
	StateMemory      size    `placeholder:"SIZE" help:"Memory for the states of layers without K and V (LFM2's convolutions), of running sequences and of snapshots in the prefix cache. 0: half of what the KV cache may have."`
	SnapshotInterval int     `placeholder:"TOKENS" default:"0" min:"0" help:"Tokens between snapshots of such states: a prompt that begins like an earlier one goes on from the last that they share. 0: ${snapshotInterval}."`
	Variant          string  `placeholder:"NAME" help:"Kernel variants, joined by +: baseline keeps to what every WebGPU adapter has; subgroup; f32, tile128 and packed (activations rounded to 8 bits, of many tokens) for matrix products; tiles such as wide128x64 for attention; f16 and matrix for both. An unknown name lists them all. Without it, each kernel chooses for the adapter."`
	Deterministic    bool    `help:"Add up in one order: the same tokens alone and in any batch."`
	TokenBudget      int     `placeholder:"TOKENS" default:"0" help:"Tokens to compute in a step. 0: ${tokenBudget}, and up to ${promptBudget} on a discrete GPU while nobody decodes."`
	LongPrompt       int     `placeholder:"TOKENS" default:"0" min:"-1" help:"Tokens a step of one long prompt while others run. 0: ${longPrompt}, -1: no limit."`
	MaxSeqs          int     `placeholder:"N" default:"0" help:"Sequences to run at once. 0: ${maxSeqs}."`
	PartialHits      bool    `help:"Where a cached block shares only its first tokens with a prompt, copy those instead of computing them."`
	Preemption       string  `placeholder:"HOW" default:"auto" enum:"auto, recompute, swap" help:"How a request makes room when the KV memory is full: ${enum}."`
	SwapMemory       size    `placeholder:"SIZE" help:"Host memory to swap to. 0: as much as the KV cache has."`
	SpecType         *string `name:"spec-type" placeholder:"HOW" enum:"none, ngram, mtp, draft" help:"How to draft tokens, so that a step verifies several of them: none; ngram, what followed the last time the last tokens came, in the prompt or the answer; mtp, what a block of the model for multi-token prediction guesses, in files of Qwen3.5 and Qwen3-Next, a token at a time; or draft, what --draft-model says. The text is the same. With ngram it comes sooner where it repeats what was said: code, edits, quotations. Drafts that are wrong too often stop, and so do all where many sequences run. Without it draft where --draft-model is given, and none elsewhere."`
	DraftModel       string  `name:"draft-model" placeholder:"MODEL" help:"A smaller model with the same vocabulary, which drafts: named as with -m."`
	DraftMax         int     `placeholder:"TOKENS" default:"0" min:"0" help:"The most tokens of a draft. 0: ${draftMax}."`
	SelfTest         bool    `xor:"self-test" help:"Have the model's kernels compute once as it loads, on numbers whose results are known, on software adapters too; without it on GPUs only. Kernels that compute wrongly give way to their baseline."`
	NoSelfTest       bool    `xor:"self-test" help:"Load without a self-test."`
	loraRank         int     // of the adapters that are to be loaded
	QueueLimit       int     `placeholder:"N" default:"0" help:"Refuse requests when N others wait. 0: any number may wait."`
}

func (e *engineFlags) options() engine.Options {
	kvType := "" // the engine's own
	if e.KVType != nil {
		kvType = *e.KVType
	}
	speculation := ""
	if e.SpecType != nil {
		speculation = *e.SpecType
	}
	return engine.Options{GPU: e.gpuFlags.options(), KVType: kvType, KVMemory: uint64(e.KVMemory), StateMemory: uint64(e.StateMemory), SnapshotInterval: e.SnapshotInterval, Variant: e.Variant,
		Deterministic: e.Deterministic, TokenBudget: e.TokenBudget, LongPrompt: e.LongPrompt, MaxSeqs: e.MaxSeqs,
		PartialHits: e.PartialHits, Preemption: e.Preemption, SwapMemory: uint64(e.SwapMemory), QueueLimit: e.QueueLimit, SelfTest: e.SelfTest, NoSelfTest: e.NoSelfTest,
		Speculation: speculation, DraftMax: e.DraftMax, LoRARank: e.loraRank}
}
