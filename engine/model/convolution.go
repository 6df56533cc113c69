package model

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// gatedConvolution is C ⊙ conv(B ⊙ x) of rows that hold B, C and x (LFM2's short convolution): channel by channel along the
// sequence, whose state is what went into it last.
func (b *builder) gatedConvolution(x rows, name string, taps int) rows {
	width := x.width / 3
	weight := b.newVector(b.label(name), width*taps)
	t := b.tensor(b.name(name + ".weight"))
	b.checkRows(t, width, taps)
	b.part(weight, t, 0, width*taps)
	state := b.state((taps - 1) * width)
	y := tokens("convolved", width)
	b.onDevice(func(g *Graph) {
		c, err := kernel.NewConvolution(g.Device(), kernel.ConvolutionParams{Channels: width, Taps: taps, Gated: true,
			XStride: kernel.RowStride(x.width), YStride: kernel.RowStride(y.width), SlotWords: state.words})
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(c)
		from, to := g.view(x), g.view(y)
		var bound *gpu.BindGroup
		g.Add(func() (err error) {
			bound, err = c.Bind(g.step, g.Resolve(from), g.weights.vector[weight].All(), gpu.View{}, g.states(state), g.Resolve(to))
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { c.Record(rec, bound, len(s.Tokens)) })
	})
	return y
}
