package bench

import (
	"context"
	"errors"
	"fmt"

	"quire/engine"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/model"
	"quire/engine/schedule"
)

// ErrPlan is a measurement that the model or the settings have no room for.
var ErrPlan = errors.New("this cannot be measured")

// Plan says what is measured, each kind in every combination: prefill of Prompts tokens and decode of Gen tokens, for
// Batches sequences at once, with Depths tokens of each in the cache before.
type Plan struct {
	Prompts []int // none: no prefill
	Gens    []int // none: no decode
	Batches []int
	Depths  []int
	Shared  bool     // sequences share the tokens in the cache, but for the last ownTokens
	Repeat  int      // of each measurement; 0: three times while that is short
	LoRA    Adapters // none: Count 0
	Schema  bool     // measure each decode under a JSON Schema too
}

// Result is one measurement.
type Result struct {
	Kind            string    `json:"kind"`              // "prefill" or "decode"
	Prompt          int       `json:"prompt"`            // tokens prefilled for each sequence; 0 for decode
	Gen             int       `json:"gen"`               // tokens generated for each sequence; 0 for prefill
	Batch           int       `json:"batch"`             // sequences at once
	Depth           int       `json:"depth"`             // tokens of each in the cache before
	Schema          bool      `json:"schema,omitempty"`  // under a JSON Schema
	Test            string    `json:"test"`              // what llama-bench calls it
	TokensPerSecond float64   `json:"tokens_per_second"` // the mean of the samples
	Deviation       float64   `json:"deviation"`         // their standard deviation
	Samples         []float64 `json:"samples"`
	// FirstToken is the milliseconds from a sequence's start to its first token, the mean of all of them; only of prefill.
	FirstToken float64 `json:"first_token_ms,omitempty"`
	// BandwidthShare is the bytes of weights and KV cache that the steps read, each once a step, against what the
	// adapter could have read in that time.
	BandwidthShare    float64 `json:"bandwidth_share"`
	DispatchesPerStep int     `json:"dispatches_per_step"` // of the last step
	// With engine.Options.Profile: what a step cost the host, and the GPU times of all that ran once more for the measurement, its
	// filling and warming up too, the longest first.
	HostStep *HostStep           `json:"host_step,omitempty"`
	Kernels  []engine.KernelTime `json:"kernels,omitempty"`
}

// Report is what a model does on an adapter.
type Report struct {
	Adapter    string      `json:"adapter"`
	Backend    string      `json:"backend"`
	Features   gpu.Feature `json:"features"`
	Host       string      `json:"host"`                    // the operating system, or the browser
	Command    string      `json:"command,omitempty"`       // what was asked
	Bandwidth  float64     `json:"bandwidth_gb_per_second"` // 10⁹ bytes a second
	Shape      string      `json:"shape"`
	Type       string      `json:"type"`
	Bytes      uint64      `json:"weight_bytes"`
	Parameters int64       `json:"parameters"`
	Variant    string      `json:"variant"`
	KVType     string      `json:"kv_type"`
	LoRA       Adapters    `json:"lora"`
	Shared     bool        `json:"shared"` // the sequences of a batch share what is in the cache before
	// SelfTest is what became of the self-test as the model loaded.
	SelfTest engine.SelfTest `json:"self_test"`
	Load     Load            `json:"load"`
	Results  []Result        `json:"results"`
}

// Kinds of results.
const (
	Prefill = "prefill"
	Decode  = "decode"
)

// Run measures the adapter's bandwidth, opens the model in src, of the given shape's name and weight type, and measures
// it. What the options leave open of context, KV memory and sequences is set to what the plan needs. step, which may be
// nil, hears what is being measured. Run closes src.
func Run(ctx context.Context, src gpu.Source, shape, weights string, o engine.Options, p Plan, step func(string)) (*Report, error) {
	if step == nil {
		step = func(string) {}
	}
	b, err := newBench(src, &o, p)
	if err != nil {
		src.Close()
		return nil, err
	}
	o.Eager = true // what is measured is not to change
	step("bandwidth")
	if b.bandwidth, err = adapterBandwidth(ctx, o.GPU); err != nil {
		src.Close()
		return nil, err
	}
	if b.engine, err = engine.Open(ctx, src, o); err != nil {
		return nil, err
	}
	defer b.engine.Close()
	if err := b.addAdapters(p.LoRA); err != nil {
		return nil, err
	}
	info := b.engine.Info()
	r := &Report{Adapter: info.Adapter.Name, Backend: info.Adapter.Backend, Features: info.Adapter.Features, Host: hostName(), Bandwidth: b.bandwidth / 1e9, Shape: shape, Type: weights,
		Bytes: info.WeightBytes, Parameters: info.Parameters, Variant: info.Variant, KVType: info.KVType, LoRA: p.LoRA, Shared: p.Shared, SelfTest: info.SelfTest,
		Load: newLoad(info, b.plan.WeightBytes()), Results: []Result{}}
	step("warming up")
	if _, err := b.prefill(ctx, make([][]int32, 1), min(16, o.Context-1)); err != nil {
		return nil, err
	}
	ways := 0
	if p.Schema {
		ways = 1
	}
	for _, depth := range p.Depths {
		for _, batch := range p.Batches {
			for _, prompt := range p.Prompts {
				step(fmt.Sprintf("prefill of %d x %d at depth %d", batch, prompt, depth))
				result, err := b.measured(o.Profile, func() (Result, error) { return b.measurePrefill(ctx, prompt, batch, depth) })
				if err != nil {
					return nil, err
				}
				r.Results = append(r.Results, result)
			}
			for _, gen := range p.Gens {
				for _, schema := range []bool{false, true}[:1+ways] {
					step(fmt.Sprintf("decode of %d x %d at depth %d", batch, gen, depth))
					result, err := b.measured(o.Profile, func() (Result, error) { return b.measureDecode(ctx, gen, batch, depth, schema) })
					if err != nil {
						return nil, err
					}
					r.Results = append(r.Results, result)
				}
			}
		}
	}
	return r, nil
}

func adapterBandwidth(ctx context.Context, o gpu.Options) (float64, error) {
	d, err := gpu.Open(ctx, o)
	if err != nil {
		return 0, err
	}
	defer d.Release()
	return Bandwidth(ctx, d)
}

// bench is a model being measured.
type bench struct {
	engine     *engine.Engine
	bandwidth  float64 // bytes a second
	vocabulary int
	weights    float64                          // bytes that a step reads
	kvToken    float64                          // bytes of K and V of a token
	unasked    struct{ weights, token float64 } // of these, what a step does not read of which nothing is asked
	kvSlots    int                              // bytes that it takes in the cache
	states     uint64                           // bytes of a sequence's states
	repeat     int
	context    int
	seed       uint64 // of the next prompt
	plan       *model.Plan
	adapters   []uint64 // by number, which sequences take in turn
	shared     bool     // as in Plan
}

// newBench reads the header and fits the options to the plan.
func newBench(src gpu.Source, o *engine.Options, p Plan) (*bench, error) {
	header, err := gguf.Read(src, src.Size())
	if err != nil {
		return nil, err
	}
	o.LoRARank = max(o.LoRARank, p.LoRA.Count*p.LoRA.Rank)
	plan, err := model.NewPlanWith(header, model.PlanOptions{Rank: o.LoRARank})
	if err != nil {
		return nil, err
	}
	if o.KVType == "" {
		o.KVType = "f16"
	}
	token, err := plan.KVTokenBytes(o.KVType)
	if err != nil {
		return nil, err
	}
	slots, err := plan.KVSlotBytes(o.KVType)
	if err != nil {
		return nil, err
	}
	b := &bench{plan: plan, kvSlots: slots, states: uint64(plan.StateBytes()), vocabulary: plan.Config.Vocabulary, weights: float64(plan.WeightBytes()), kvToken: float64(token)}
	if !plan.Tied {
		embedding, _ := header.Tensor("token_embd.weight")
		b.weights -= float64(embedding.Bytes) // only a row of it is read
	}
	unread, unreadToken, err := plan.Unasked(o.KVType)
	if err != nil {
		return nil, err
	}
	b.unasked.weights, b.unasked.token = float64(unread), float64(unreadToken)
	b.repeat, b.shared = p.Repeat, p.Shared
	return b, b.fit(o, p, plan.Config.Context)
}

// fit sets context, KV memory and sequences to the largest measurement's, with one block to spare for each sequence.
func (b *bench) fit(o *engine.Options, p Plan, trained int) error {
	const block = schedule.DefaultBlockSize
	sequences := 0
	for _, batch := range p.Batches {
		sequences = max(sequences, batch)
	}
	for _, depth := range p.Depths {
		for _, prompt := range p.Prompts {
			b.context = max(b.context, depth+prompt+1)
		}
		for _, gen := range p.Gens {
			b.context = max(b.context, decodeTokens(gen, sequences, depth))
		}
	}
	limit := trained
	if o.Context > 0 {
		limit = min(limit, o.Context)
	}
	if b.context > limit {
		return fmt.Errorf("%w: prompt, depth and gen add up to %d tokens of context, %d are allowed", ErrPlan, b.context, limit)
	}
	o.Context = min(limit, (b.context/block+1)*block)
	if o.KVMemory == 0 {
		o.KVMemory = uint64(sequences) * uint64(o.Context+block) * uint64(b.kvSlots)
	}
	if b.states > 0 && o.StateMemory == 0 { // of each sequence, of steps in flight, and as many snapshots
		o.StateMemory = uint64(4*(sequences+2)) * b.states
		if o.MaxSeqs == 0 {
			o.MaxSeqs = sequences
		}
	}
	if o.MaxSeqs == 0 {
		o.MaxSeqs = max(schedule.DefaultMaxSeqs, sequences)
	}
	if sequences > o.MaxSeqs {
		return fmt.Errorf("%w: a batch of %d with %d sequences at once", ErrPlan, sequences, o.MaxSeqs)
	}
	return nil
}
