package attend

import (
	"context"

	"quire/engine/attention"
	"quire/engine/gpu"
)

// standard is standard attention over the sequences of a batch, one after another.
type standard struct {
	store
	c         Case
	attention *attention.Standard
	q, k, v   *gpu.Buffer
	out       *gpu.Buffer // forward
	dOut      *gpu.Buffer // backward, as the gradients
	grads     [3]*gpu.Buffer
	forward   []*attention.StandardBindings
	backward  []*attention.StandardBackwardBindings
}

func newStandard(d *gpu.Device, c Case) (*standard, error) {
	s := &standard{store: store{device: d}, c: c}
	queries, keys := c.Batch*aligned(c.queries*c.Heads*c.HeadDim), c.Batch*aligned(c.Length*c.KVHeads*c.HeadDim)
	s.q, s.k, s.v, s.out = s.floats("q", queries), s.floats("k", keys), s.floats("v", keys), s.floats("out", queries)
	s.noise(false, s.q, s.k, s.v)
	if c.Kind == Backward {
		s.dOut = s.floats("dO", queries)
		s.grads = [3]*gpu.Buffer{s.floats("dQ", queries), s.floats("dK", keys), s.floats("dV", keys)}
		s.noise(false, s.dOut)
	}
	variant := ""
	if d.Info().Type == "cpu" {
		variant = "baseline" // tiles, where models on a software adapter in the tab do without to compile less
	}
	if s.err == nil {
		s.attention, s.err = attention.NewStandard(d, attention.StandardParams{
			Queries: c.queries, Keys: c.Length, HeadDim: c.HeadDim, Heads: c.Heads, KVHeads: c.KVHeads, Causal: c.Causal,
			Scale: c.scale(), Variant: variant, Backward: c.Kind == Backward})
	}
	if s.err != nil {
		s.store.release()
		return nil, s.err
	}
	return s, nil
}

// aligned rounds floats up so that every sequence begins where a binding may.
func aligned(floats int) int { return (floats + 63) / 64 * 64 }

func (s *standard) wait(ctx context.Context) error { return s.attention.Wait(ctx) }

func (s *standard) bind() error {
	for i := range s.c.Batch {
		part := func(b *gpu.Buffer) gpu.View {
			size := b.Size() / uint64(s.c.Batch)
			return b.Slice(uint64(i)*size, size)
		}
		f, err := s.attention.Bind(part(s.q), part(s.k), part(s.v), part(s.out))
		if err != nil {
			return err
		}
		s.forward = append(s.forward, f)
		if s.c.Kind != Backward {
			continue
		}
		b, err := s.attention.BindBackward(f, part(s.q), part(s.k), part(s.v), attention.StandardGradients{
			DOut: part(s.dOut), DQ: part(s.grads[0]), DK: part(s.grads[1]), DV: part(s.grads[2])})
		if err != nil {
			return err
		}
		s.backward = append(s.backward, b)
	}
	return nil
}

func (s *standard) record(rec *gpu.Recorder) {
	for _, b := range s.backward {
		s.attention.RecordBackward(rec, b)
	}
	if s.c.Kind == Backward {
		return
	}
	for _, b := range s.forward {
		s.attention.Record(rec, b)
	}
}

func (s *standard) kernel() string { return "matmul" }

func (s *standard) release() {
	s.attention.Release()
	s.store.release()
}
