package attend

import (
	"context"

	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

const blockSize = 16

// flash is flash attention over the sequences of a batch at once. Decode reads K and V from blocks, as models do; otherwise
// they lie without gaps.
type flash struct {
	store
	c         Case
	attention *attention.Attention
	operands  attention.Operands
	bound     *attention.Bindings
	step      *kernel.StepData
}

func newFlash(d *gpu.Device, c Case) (*flash, error) {
	p := c.params()
	a, err := attention.New(d, p)
	if err != nil {
		return nil, err
	}
	f := &flash{store: store{device: d}, c: c, attention: a}
	tokens, keys := c.Batch*c.queries, c.Batch*c.Length
	cache := kernel.KVLayout{HeadDim: c.HeadDim, KVHeads: c.KVHeads, BlockSize: 1, Type: p.KVType}
	if !p.Contiguous {
		cache.BlockSize = blockSize
		keys = 1 + c.Batch*c.blocks()
	}
	q, out := f.floats("q", tokens*c.Heads*c.HeadDim), f.floats("out", tokens*c.Heads*c.HeadDim)
	k, v := f.bytes("k", cache.Bytes(keys)), f.bytes("v", cache.Bytes(keys))
	if f.err == nil { // what fits bindings is within a plan's offsets too
		f.step, f.err = a.Plan(c.sequences(), c.span)
	}
	if f.err != nil {
		f.release()
		return nil, f.err
	}
	step := f.words("step", f.step.AppendWords(nil))
	partials := f.bytes("partials", a.PartialBytes(len(f.step.Decode)))
	walks := partials
	if n := a.WalkBytes(len(f.step.Prefill)); n > 0 {
		walks = f.bytes("walks", n)
	}
	lse := partials
	if p.LSE {
		lse = f.floats("LSE", tokens*c.Heads)
	}
	f.noise(false, q)
	f.noise(p.KVType != kernel.KVF32, k, v)
	if f.err != nil {
		f.release()
		return nil, f.err
	}
	f.operands = attention.Operands{Step: step.All(), Q: q.All(), K: k.All(), V: v.All(), Out: out.All(), Partials: partials.All(), LSE: lse.All(), Walks: walks.All()}
	return f, nil
}

// params are flash attention's. The backward pass starts from its LSE.
func (c Case) params() attention.Params {
	return attention.Params{
		HeadDim: c.HeadDim, Heads: c.Heads, KVHeads: c.KVHeads, BlockSize: blockSize, KVType: c.kvType(), Contiguous: c.Kind != Decode,
		QStride: c.Heads * c.HeadDim, OutStride: c.Heads * c.HeadDim, Scale: c.scale(), Bidirectional: !c.Causal,
		LSE: c.Kind == Backward, Variant: c.Variant, MaxKeys: max(c.queries, c.Length)}
}

// blocks is how many blocks a sequence fills.
func (c Case) blocks() int { return (c.Length + blockSize - 1) / blockSize }

func (c Case) sequences() []attention.Sequence {
	var all []attention.Sequence
	for i := range c.Batch {
		s := attention.Sequence{Queries: c.queries, Keys: c.Length}
		if c.Kind == Decode {
			for b := range c.blocks() {
				s.Table = append(s.Table, uint32(1+i*c.blocks()+b))
			}
		}
		all = append(all, s)
	}
	return all
}

func (f *flash) wait(ctx context.Context) error { return f.attention.Wait(ctx) }

func (f *flash) bind() (err error) {
	f.bound, err = f.attention.Bind(f.operands)
	return err
}

func (f *flash) record(rec *gpu.Recorder) {
	f.attention.Record(rec, f.bound, f.step)
}

func (f *flash) kernel() string { return f.attention.Chosen(f.step) }
