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
	attention *attention.Attention
	operands  attention.Operands
	bound     *attention.Bindings
	step      kernel.StepData
}

func newFlash(d *gpu.Device, c Case) (*flash, error) {
	p := c.params()
	a, err := attention.New(d, p)
	if err != nil {
		return nil, err
	}
	f := &flash{store: store{device: d}, attention: a}
	tokens, keys := c.Batch*c.queries, c.Batch*c.Length
	cache := kernel.KVLayout{HeadDim: c.HeadDim, KVHeads: c.KVHeads, BlockSize: 1, Type: p.KVType}
	if !p.Contiguous {
		cache.BlockSize = blockSize
		keys = 1 + c.Batch*c.blocks()
	}
	f.lay(c)
	q, out := f.floats("q", tokens*c.Heads*c.HeadDim), f.floats("out", tokens*c.Heads*c.HeadDim)
	k, v := f.bytes("k", cache.Bytes(keys)), f.bytes("v", cache.Bytes(keys))
	partials := f.bytes("partials", a.PartialBytes(len(f.step.Decode)))
	step := f.words("step", f.step.AppendWords(nil))
	f.noise(false, q)
	f.noise(p.KVType != kernel.KVF32, k, v)
	if f.err != nil {
		f.release()
		return nil, f.err
	}
	f.operands = attention.Operands{Step: step.All(), Q: q.All(), K: k.All(), V: v.All(), Out: out.All(), Partials: partials.All()}
	return f, nil
}

// params are flash attention's.
func (c Case) params() attention.Params {
	return attention.Params{
		HeadDim: c.HeadDim, Heads: c.Heads, KVHeads: c.KVHeads, BlockSize: blockSize, KVType: c.kvType(), Contiguous: c.Kind != Decode,
		QStride: c.Heads * c.HeadDim, OutStride: c.Heads * c.HeadDim, Scale: c.scale(), Bidirectional: !c.Causal, Variant: c.Variant}
}

// blocks is how many blocks a sequence fills.
func (c Case) blocks() int { return (c.Length + blockSize - 1) / blockSize }

// lay lays the sequences out, one after another.
func (f *flash) lay(c Case) {
	s := &f.step
	s.Tokens, s.Positions, s.Slots = make([]uint32, c.Batch*c.queries), make([]uint32, c.Batch*c.queries), make([][]int32, 1)
	lengths := make([]int, c.Batch)
	for i := range lengths {
		lengths[i] = c.Length
	}
	span := attention.ChooseSplit(lengths, c.KVHeads, computeUnits(f.device))
	for i := range c.Batch {
		row := kernel.StepRow{First: uint32(i * c.queries), Count: uint32(c.queries), Start: uint32(c.Length - c.queries)}
		if c.Kind == Decode {
			for b := range c.blocks() {
				row.Tables[0] = append(row.Tables[0], uint32(1+i*c.blocks()+b))
			}
		} else {
			row.Tables[0] = []uint32{uint32(i * c.Length)}
		}
		s.Rows = append(s.Rows, row)
		f.attention.AppendRow(s, i, c.queries, c.Length-c.queries, span)
	}
	if !c.Causal {
		for i := range s.Prefill {
			s.Prefill[i].KeyEnd = uint32(c.Length)
		}
	}
}

func (f *flash) wait(ctx context.Context) error { return f.attention.Wait(ctx) }

func (f *flash) bind() (err error) {
	f.bound, err = f.attention.Bind(f.operands)
	return err
}

func (f *flash) record(rec *gpu.Recorder) {
	f.attention.Record(rec, f.bound, len(f.step.Prefill), len(f.step.Decode), len(f.step.Merges))
}

// computeUnits guesses, as the runner does.
func computeUnits(d *gpu.Device) int {
	if d.Info().Type == "cpu" {
		return 4
	}
	return 64
}
