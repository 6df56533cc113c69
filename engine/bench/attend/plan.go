// Package attend measures attention: flash attention beside standard attention, forward, backward and decode, against
// what the adapter's arithmetic and memory can do; and the memory that each takes. It runs on every host.
package attend

import (
	"errors"
	"fmt"
	"slices"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// ErrPlan is a measurement that makes no sense; its message names the setting.
var ErrPlan = errors.New("this cannot be measured")

// Kind is what is measured.
type Kind string

// The kinds. Standard adds standard attention's forward pass, and with Backward its backward pass.
const (
	Forward  Kind = "forward"
	Backward Kind = "backward"
	Decode   Kind = "decode"
	Standard Kind = "standard"
)

// Kinds lists all kinds.
var Kinds = []Kind{Forward, Backward, Decode, Standard}

// Plan says what is measured, each kind in every combination. What is left empty is chosen for the adapter: small GPUs get
// less to do, and software adapters little.
type Plan struct {
	Kinds    []Kind `json:"kinds"`
	HeadDims []int  `json:"headDims"`
	Full     bool   `json:"full"` // every query sees every key; otherwise none sees later ones

	// Variants of flash attention, forward and decode, and of its backward pass; "" is the adapter's own.
	Variants         []string `json:"variants"`
	BackwardVariants []string `json:"backwardVariants"`

	Lengths []int `json:"lengths"` // queries, and as many keys, of each sequence, forward and backward
	Batches []int `json:"batches"` // sequences at once
	Heads   Heads `json:"heads"`

	Contexts      []int `json:"contexts"` // keys of each sequence that decodes a token
	DecodeBatches []int `json:"decodeBatches"`
	DecodeHeads   Heads `json:"decodeHeads"`

	// How K and V are stored, as kernel.KVType names it: in decode, and in flash attention's forward pass.
	KVType        string `json:"kvType"`
	ForwardKVType string `json:"forwardKVType"`

	memory []int // lengths whose memory is told; filled sets them
}

// Heads are a layer's heads.
type Heads struct {
	Query int `json:"query"`
	KV    int `json:"kv"`
}

// String writes a count, or both as in 32/8.
func (h Heads) String() string {
	if h.Query == h.KV {
		return fmt.Sprint(h.Query)
	}
	return fmt.Sprintf("%d/%d", h.Query, h.KV)
}

// allLengths are the lengths that suit a large GPU.
var allLengths = []int{512, 1024, 2048, 4096, 8192, 16384}

// filled returns the plan with what it leaves empty chosen for an adapter.
func (p Plan) filled(info gpu.AdapterInfo) Plan {
	if p.memory = p.Lengths; len(p.memory) == 0 {
		p.memory = allLengths // buffers are made, but nothing is run
	}
	lengths, contexts := allLengths, []int{1024, 4096, 16384, 65536, 131072}
	dims, heads, decode, batches := []int{64, 128}, Heads{8, 8}, Heads{32, 8}, []int{1, 8}
	switch info.Type {
	case "discrete":
	case "cpu":
		lengths, contexts = []int{128, 256, 512}, []int{512, 2048}
		dims, heads, decode, batches = []int{64}, Heads{2, 2}, Heads{8, 2}, []int{1, 4}
	default: // no submission should hold a small GPU for long
		lengths, contexts = lengths[:4], contexts[:3]
	}
	fill(&p.Kinds, Kinds)
	fill(&p.Lengths, lengths)
	fill(&p.Contexts, contexts)
	fill(&p.HeadDims, dims)
	fill(&p.Batches, []int{1})
	fill(&p.DecodeBatches, batches)
	fill(&p.Variants, []string{""})
	fill(&p.BackwardVariants, []string{""})
	if p.Heads == (Heads{}) {
		p.Heads = heads
	}
	if p.DecodeHeads == (Heads{}) {
		p.DecodeHeads = decode
	}
	if p.KVType == "" {
		p.KVType = kernel.KVF16.String()
	}
	if p.ForwardKVType == "" {
		p.ForwardKVType = kernel.KVF32.String()
	}
	return p
}

func fill[T any](list *[]T, with []T) {
	if len(*list) == 0 {
		*list = with
	}
}

// The largest values that a plan may ask for.
const (
	maxLength = 1 << 20
	maxDim    = 256
	maxHeads  = 1024
	maxBatch  = 1024
)

// Check returns an ErrPlan that names the setting that cannot be.
func (p Plan) Check() error {
	for _, k := range p.Kinds {
		if !slices.Contains(Kinds, k) {
			return fmt.Errorf("%w: there is no kind %q; there are %v", ErrPlan, k, Kinds)
		}
	}
	for _, list := range []struct {
		name   string
		values []int
		most   int
	}{{"length", p.Lengths, maxLength}, {"context", p.Contexts, maxLength}, {"head dim", p.HeadDims, maxDim}, {"batch", p.Batches, maxBatch},
		{"batch", p.DecodeBatches, maxBatch}} {
		for _, v := range list.values {
			if v < 1 || v > list.most {
				return fmt.Errorf("%w: a %s of %d; it must be within 1 and %d", ErrPlan, list.name, v, list.most)
			}
		}
	}
	for _, h := range []Heads{p.Heads, p.DecodeHeads} {
		if h != (Heads{}) && (h.Query < 1 || h.KV < 1 || h.Query > maxHeads || h.Query%h.KV != 0) {
			return fmt.Errorf("%w: %d query heads do not share %d KV heads evenly, or are more than %d", ErrPlan, h.Query, h.KV, maxHeads)
		}
	}
	for _, name := range []string{p.KVType, p.ForwardKVType} {
		if _, err := kernel.ParseKVType(name); name != "" && err != nil {
			return fmt.Errorf("%w: %w", ErrPlan, err)
		}
	}
	return p.checkVariants()
}

// Case is one measurement.
type Case struct {
	Kind    Kind   `json:"kind"`   // forward, backward or decode
	Method  string `json:"method"` // flash or standard
	Variant string `json:"variant"`
	Length  int    `json:"length"` // keys of each sequence, and queries but for decode, which has one
	HeadDim int    `json:"head_dim"`
	Heads   int    `json:"heads"`
	KVHeads int    `json:"kv_heads"`
	Batch   int    `json:"batch"`
	Causal  bool   `json:"causal"`
	KVType  string `json:"kv_type"`
	queries int
	span    int // keys that decode gives a workgroup; 0: chosen
}

// kvType is how K and V are stored; Check has looked at a plan's.
func (c Case) kvType() kernel.KVType {
	t, _ := kernel.ParseKVType(c.KVType)
	return t
}

// The methods.
const (
	Flash         = "flash"
	standardNamed = "standard"
)

// cases lists a filled plan's measurements.
func (p Plan) cases() []Case {
	var all []Case
	for _, dim := range p.HeadDims {
		for _, kind := range []Kind{Forward, Backward} {
			for _, batch := range p.Batches {
				for _, length := range p.Lengths {
					all = p.appendCases(all, Case{Kind: kind, Length: length, queries: length, HeadDim: dim, Heads: p.Heads.Query,
						KVHeads: p.Heads.KV, Batch: batch, Causal: !p.Full, KVType: kernel.KVF32.String()})
				}
			}
		}
		for _, batch := range p.DecodeBatches {
			for _, length := range p.Contexts {
				all = p.appendCases(all, Case{Kind: Decode, Length: length, queries: 1, HeadDim: dim, Heads: p.DecodeHeads.Query,
					KVHeads: p.DecodeHeads.KV, Batch: batch, Causal: true, KVType: p.KVType})
			}
		}
	}
	return all
}

// appendCases appends a case by every method that the plan asks for.
func (p Plan) appendCases(all []Case, c Case) []Case {
	asked := slices.Contains(p.Kinds, c.Kind)
	variants := p.Variants
	if c.Kind == Backward {
		variants = p.BackwardVariants
	}
	if asked {
		for _, v := range variants {
			f := c
			f.Method, f.Variant = Flash, v
			if c.Kind == Forward {
				f.KVType = p.ForwardKVType
			}
			all = append(all, f)
		}
	}
	if slices.Contains(p.Kinds, Standard) && (c.Kind == Forward || c.Kind == Backward && asked) {
		c.Method, c.Variant = standardNamed, ""
		all = append(all, c)
	}
	return all
}
