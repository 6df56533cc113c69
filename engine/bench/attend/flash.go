package attend

import (
	"context"

	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

const blockSize = 16

// flash is flash attention over the sequences of a batch at once, whose K and V lie in blocks.
type flash struct {
	store
	attention       *attention.Attention
	step            *gpu.Buffer
	q, k, v         *gpu.Buffer
	out, partials   *gpu.Buffer
	bound           *attention.Bindings
	prefill, decode int // items
	merges          int
}

func newFlash(d *gpu.Device, c Case) (*flash, error) {
	a, err := attention.New(d, attention.Params{
		HeadDim: c.HeadDim, Heads: c.Heads, KVHeads: c.KVHeads, BlockSize: blockSize, KVType: c.kvType(),
		QStride: c.Heads * c.HeadDim, OutStride: c.Heads * c.HeadDim, Scale: c.scale(), Variant: c.Variant})
	if err != nil {
		return nil, err
	}
	f := &flash{store: store{device: d}, attention: a}
	blocks := (c.Length + blockSize - 1) / blockSize
	s := kernel.StepData{Tokens: make([]uint32, c.Batch*c.queries), Positions: make([]uint32, c.Batch*c.queries), Slots: make([][]int32, 1)}
	lengths := make([]int, c.Batch)
	for i := range lengths {
		lengths[i] = c.Length
	}
	span := attention.ChooseSplit(lengths, c.KVHeads, computeUnits(d))
	for i := range c.Batch {
		row := kernel.StepRow{First: uint32(i * c.queries), Count: uint32(c.queries), Start: uint32(c.Length - c.queries)}
		for b := range blocks {
			row.Tables[0] = append(row.Tables[0], uint32(1+i*blocks+b))
		}
		s.Rows = append(s.Rows, row)
		a.AppendRow(&s, i, c.queries, c.Length-c.queries, span)
	}
	f.prefill, f.decode, f.merges = len(s.Prefill), len(s.Decode), len(s.Merges)
	f.step = f.words("step", s.AppendWords(nil))
	queries := c.Batch * c.queries * c.Heads * c.HeadDim
	cache := kernel.KVLayout{HeadDim: c.HeadDim, KVHeads: c.KVHeads, BlockSize: blockSize, Type: c.kvType()}.Bytes(1 + c.Batch*blocks)
	f.q, f.out = f.floats("q", queries), f.floats("out", queries)
	f.k, f.v = f.bytes("k", cache), f.bytes("v", cache)
	f.partials = f.bytes("partials", a.PartialBytes(f.decode))
	f.noise(false, f.q)
	f.noise(c.kvType() != kernel.KVF32, f.k, f.v)
	if f.err != nil {
		f.release()
		return nil, f.err
	}
	return f, nil
}

func (f *flash) wait(ctx context.Context) error { return f.attention.Wait(ctx) }

func (f *flash) bind() (err error) {
	f.bound, err = f.attention.Bind(f.step.All(), f.q.All(), f.k.All(), f.v.All(), f.out.All(), f.partials.All())
	return err
}

func (f *flash) record(rec *gpu.Recorder) {
	f.attention.Record(rec, f.bound, f.prefill, f.decode, f.merges)
}

// computeUnits guesses, as the runner does.
func computeUnits(d *gpu.Device) int {
	if d.Info().Type == "cpu" {
		return 4
	}
	return 64
}
