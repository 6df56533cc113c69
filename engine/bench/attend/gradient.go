package attend

import (
	"context"

	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// gradient is flash attention's backward pass behind a forward pass that has run once.
type gradient struct {
	*flash
	backward *attention.Backward
	inputs   attention.Gradients
	gradient *attention.BackwardBindings
	plan     *kernel.StepData
}

func newGradient(d *gpu.Device, c Case) (*gradient, error) {
	forward := c
	forward.Variant = ""
	f, err := newFlash(d, forward)
	if err != nil {
		return nil, err
	}
	g := &gradient{flash: f}
	if g.backward, err = attention.NewBackward(d, c.params()); err == nil {
		g.plan, err = g.backward.Plan(c.sequences())
	}
	if err != nil {
		f.release()
		return nil, err
	}
	tokens, keys := c.Batch*c.queries, c.Batch*c.Length
	step := f.words("step of the gradients", g.plan.AppendWords(nil))
	dOut, dQ := f.floats("dO", tokens*c.Heads*c.HeadDim), f.floats("dQ", tokens*c.Heads*c.HeadDim)
	dK, dV := f.floats("dK", keys*c.KVHeads*c.HeadDim), f.floats("dV", keys*c.KVHeads*c.HeadDim)
	scratch := f.bytes("scratch", g.backward.ScratchBytes(tokens))
	f.noise(false, dOut)
	if f.err != nil {
		f.release()
		return nil, f.err
	}
	o := f.operands
	g.inputs = attention.Gradients{Step: step.All(), Q: o.Q, K: o.K, V: o.V, Out: o.Out, LSE: o.LSE,
		DOut: dOut.All(), DQ: dQ.All(), DK: dK.All(), DV: dV.All(), Scratch: scratch.All()}
	return g, nil
}

func (g *gradient) wait(ctx context.Context) error {
	if err := g.flash.wait(ctx); err != nil {
		return err
	}
	return g.backward.Wait(ctx)
}

// bind also runs the forward pass, whose output and LSE the backward pass reads.
func (g *gradient) bind() (err error) {
	if err = g.flash.bind(); err != nil {
		return err
	}
	if g.gradient, err = g.backward.Bind(g.inputs); err != nil {
		return err
	}
	var rec gpu.Recorder
	g.flash.record(&rec)
	return g.device.Submit(&rec)
}

func (g *gradient) record(rec *gpu.Recorder) { g.backward.Record(rec, g.gradient, g.plan) }

func (g *gradient) kernel() string { return g.backward.Chosen() }
