package attention

import (
	"errors"
	"fmt"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Cascade is attention of sequences that share a prefix: all their queries attend the prefix at once, so that its K and V
// are read for a tile of queries instead of for each sequence; then each its own keys; and the two merge by their
// log-sum-exps.
type Cascade struct {
	prefix, suffix *Attention
	combine        *Combine
}

// NewCascade starts compiling the kernels. What depends on a key's distance or place beyond the causal order (windows,
// ALiBi, masks, dropout) is an error. The log-sum-exp is always written.
func NewCascade(d *gpu.Device, p Params) (*Cascade, error) {
	if p.Window > 0 || p.ALiBi || p.Mask != NoMask || p.Dropout.P > 0 {
		return nil, errors.New("cascade: windows, ALiBi, masks and dropout are not supported: attend the whole sequences instead")
	}
	p.LSE = true
	c := &Cascade{}
	var err error
	if c.suffix, err = New(d, p); err != nil {
		return nil, err
	}
	p.Bidirectional = true
	if c.prefix, err = New(d, p); err != nil {
		return nil, err
	}
	c.combine, err = NewCombine(d, p)
	return c, err
}

// CascadePlan is a launch of a cascade: a step for the prefix and one for the sequences' own keys.
type CascadePlan struct{ Prefix, Suffix *kernel.StepData }

// Plan lays out a launch: prefix's Keys and Table are the shared keys (its Queries are ignored), those of the sequences
// their own; a query beyond its own keys sees the whole prefix. Otherwise it is as Attention.Plan.
func (c *Cascade) Plan(prefix Sequence, sequences []Sequence, splitSpan int) (p CascadePlan, err error) {
	if p.Suffix, err = c.suffix.Plan(sequences, splitSpan); err != nil {
		return p, err
	}
	prefix.Queries = len(p.Suffix.Tokens)
	if p.Prefix, err = c.prefix.Plan([]Sequence{prefix}, splitSpan); err != nil {
		return p, fmt.Errorf("cascade: prefix: %w", err)
	}
	return p, nil
}

// PartialBytes returns the sizes of the two launches' buffers of partial results.
func (c *Cascade) PartialBytes(p CascadePlan) (prefix, suffix uint64) {
	return c.prefix.PartialBytes(len(p.Prefix.Decode)), c.suffix.PartialBytes(len(p.Suffix.Decode))
}

// CascadeBindings are a cascade's buffers, bound.
type CascadeBindings struct {
	prefix, suffix *Bindings
	combine        *gpu.BindGroup
}

// Bind binds the operands of both launches. The suffix's Out and LSE take the result, the prefix's are scratch of the same
// shapes.
func (c *Cascade) Bind(prefix, suffix Operands) (*CascadeBindings, error) {
	b := &CascadeBindings{}
	var err error
	if b.prefix, err = c.prefix.Bind(prefix); err != nil {
		return nil, err
	}
	if b.suffix, err = c.suffix.Bind(suffix); err != nil {
		return nil, err
	}
	b.combine, err = c.combine.Bind(suffix.Step, suffix.Out, suffix.LSE, prefix.Out, prefix.LSE)
	return b, err
}

// Record records the two launches and their merge.
func (c *Cascade) Record(rec *gpu.Recorder, b *CascadeBindings, p CascadePlan) {
	c.prefix.Record(rec, b.prefix, p.Prefix)
	c.suffix.Record(rec, b.suffix, p.Suffix)
	c.combine.Record(rec, b.combine, len(p.Suffix.Tokens))
}
