package train

import (
	"math"

	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// attending is causal attention over a step's sequences, which all layers share: flash attention that keeps the LSE, and its
// backward pass, which starts from it.
type attending struct {
	forward                   *attention.Attention
	backward                  *attention.Backward
	forwardPlan, backwardPlan *kernel.StepData
	forwardStep, backwardStep gpu.View
	partials, walks, scratch  gpu.View
}

// attention lays attention out over so many sequences.
func (p *builder) attention(c Config, sequences int) *attending {
	if p.Err() != nil {
		return nil
	}
	params := attention.Params{
		HeadDim: c.HeadDim, Heads: c.Heads, KVHeads: c.KVHeads, KVType: kernel.KVF32, Contiguous: true, LSE: true,
		QStride: c.Heads * c.HeadDim, OutStride: c.Heads * c.HeadDim, Scale: float32(1 / math.Sqrt(float64(c.HeadDim))),
		MaxKeys: c.Length,
	}
	rows := make([]attention.Sequence, sequences)
	for i := range rows {
		rows[i] = attention.Sequence{Queries: c.Length, Keys: c.Length}
	}
	a := &attending{}
	var err error
	if a.forward, err = attention.New(p.Device(), params); err == nil {
		a.forwardPlan, err = a.forward.Plan(rows, 0)
	}
	if err == nil {
		a.backward, err = attention.NewBackward(p.Device(), params)
	}
	if err == nil {
		a.backwardPlan, err = a.backward.Plan(rows)
	}
	if err != nil {
		p.Fail(err)
		return nil
	}
	a.forwardStep, a.backwardStep = p.stepBuffer(a.forwardPlan), p.stepBuffer(a.backwardPlan)
	a.partials = p.scratch(max(4, int(a.forward.PartialBytes(len(a.forwardPlan.Decode))/4)))
	a.walks = p.scratch(max(4, int(a.forward.WalkBytes(len(a.forwardPlan.Prefill))/4)))
	a.scratch = p.scratch(int(a.backward.ScratchBytes(sequences*c.Length) / 4))
	return a
}

// stepBuffer writes a launch's plan to the GPU.
func (p *builder) stepBuffer(d *kernel.StepData) gpu.View {
	words := d.AppendWords(nil)
	view := p.Buffer("attention plan", len(words))
	if p.Err() == nil {
		p.Fail(view.Buffer.Upload(0, appendWords(nil, words)))
	}
	return view
}

// attend appends layer l's attention.
func (g *graph) attend(l *layer) {
	a := g.attending
	var bound *attention.Bindings
	g.add(func() (err error) {
		bound, err = a.forward.Bind(attention.Operands{Step: a.forwardStep, Q: l.q.View, K: l.k.View, V: l.v.View,
			Out: l.attended.View, Partials: g.Resolve(a.partials), Walks: g.Resolve(a.walks), LSE: l.lse})
		return err
	}, func(rec *gpu.Recorder) {
		a.forward.Record(rec, bound, a.forwardPlan)
	})
}

// attendBackward appends its backward pass: dq, dk and dv from dout.
func (g *graph) attendBackward(l *layer) {
	a := g.attending
	var bound *attention.BackwardBindings
	g.add(func() (err error) {
		bound, err = a.backward.Bind(attention.Gradients{Step: a.backwardStep, Q: l.q.View, K: l.k.View, V: l.v.View, Out: l.attended.View,
			LSE: l.lse, DOut: g.dout.View, DQ: g.dq.View, DK: g.dk.View, DV: g.dv.View, Scratch: g.Resolve(a.scratch)})
		return err
	}, func(rec *gpu.Recorder) { a.backward.Record(rec, bound, a.backwardPlan) })
}
