// Package engine is the front door: Open a model, Submit requests, read tokens from their Streams.
package engine

import (
	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/grammar"
)

// Options say how a model is run. The zero value is a good default everywhere.
type Options struct {
	GPU     gpu.Options `json:"-"`
	KVType  string      `json:"kvType"`  // what K and V are stored as: "f16" (default; "f32" for models that see a prompt as a whole), "bf16", "f32", or "q8", 8-bit integers with a scale a row
	Variant string      `json:"variant"` // "" lets the adapter decide, "baseline" keeps to WebGPU's guaranteed limits, else names joined by +

	// Tunings are the tiles of attention that were measured on adapters; the opened adapter's are used.
	Tunings attention.Tunings `json:"-"`

	// KVMemory is how many bytes the KV cache has. 0: as many as MaxSeqs sequences of the whole context fill, eight where
	// MaxSeqs is 0; at most 2 GiB on a discrete GPU and 512 MiB elsewhere.
	KVMemory uint64 `json:"kvMemory"`
	// StateMemory is how many bytes the states of layers without K and V have, of running sequences and snapshots in the
	// prefix cache; 0: half as many as the KV cache may have. Unless MaxSeqs says, fewer sequences run where it is little.
	StateMemory uint64 `json:"stateMemory"`
	// SnapshotInterval is how many tokens lie between snapshots of such states, to whose places prompts can go back; 0: 512.
	SnapshotInterval int  `json:"snapshotInterval"`
	Context          int  `json:"context"`       // the most tokens of one sequence; 0: what the model was trained for, as far as memory goes
	BlockSize        int  `json:"blockSize"`     // tokens a block; 0: 16
	TokenBudget      int  `json:"tokenBudget"`   // tokens a step; 0: 512, and on a large GPU 2,048 while nobody decodes, as far as its speed goes
	LongPrompt       int  `json:"longPrompt"`    // the most tokens a step of one long prompt while others wait or run; 0: 256, below 0: no cap
	MaxSeqs          int  `json:"maxSeqs"`       // sequences running at once; 0: 64
	Depth            int  `json:"depth"`         // steps in flight; 0: 4, on a large GPU up to 8 where they are short, and 1 in deterministic mode
	Deterministic    bool `json:"deterministic"` // one order of summation: tokens do not depend on what else runs

	// Speculation says how tokens are drafted, to verify several of them in one step. "none": not at all. "ngram": what followed the
	// last time the last tokens came, in the prompt or the answer. "mtp": what a block of the model for multi-token prediction
	// guesses, a token at a time. "draft": what DraftModel says. "": "draft" where there is a DraftModel, "none" otherwise. The text is
	// the same. Drafts stop where they are wrong too often, and beyond a few sequences at once.
	Speculation string `json:"speculation"`
	// DraftModel is a smaller model with the same vocabulary, which the engine owns from Open on.
	DraftModel gpu.Source `json:"-"`
	DraftMax   int        `json:"draftMax"` // the most tokens of a draft; 0: 15

	LoRARank int `json:"loraRank"` // ranks of all adapters that AddLoRA may load; 0: none may be

	// GrammarLimits bound what a request's grammar may take; zero ones are the defaults.
	GrammarLimits grammar.Limits `json:"-"`

	QueueLimit    int  `json:"queueLimit"`  // requests that wait for others to make room, beyond which Result.Err is ErrQueueFull; 0: any number
	NoPrefixCache bool `json:"-"`           // compute every prompt whole, whatever was computed before
	PartialHits   bool `json:"partialHits"` // where a cached block shares only its first tokens with a prompt, copy those

	// Preemption says how a request makes room for others when the KV memory is full: "recompute", "swap" to host
	// memory while SwapMemory lasts, or "" (auto): what is thought cheaper.
	Preemption string `json:"preemption"`
	SwapMemory uint64 `json:"swapMemory"` // bytes of host memory to swap to, taken as needed; 0: as many as the KV cache has, in a tab at most 256 MiB

	// Eager has kernels that a model is not asked for first made as it opens, not behind its first token.
	Eager bool `json:"-"`
	// SelfTest has the model's kernels compute once as it loads, on numbers whose results are known, on software adapters too;
	// NoSelfTest leaves that out on every adapter.
	SelfTest   bool `json:"selfTest"`
	NoSelfTest bool `json:"noSelfTest"`

	// Profile times every kernel on the GPU for Engine.Profile. Each step is waited for, so all
	// else is slower, until Engine.TimeKernels leaves the kernels alone.
	Profile bool `json:"-"`

	// Progress, when set, is called while the model loads, from the goroutine of Open.
	Progress func(Progress) `json:"-"`

	pairs bool // steps go together on any adapter, however long they take: for tests
}

// Progress is how far loading has come.
type Progress struct {
	Stage string `json:"stage"` // "weights" (bytes), then "kernels" (compiled shaders)
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
}
