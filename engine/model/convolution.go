package model

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// gatedConvolution is C ⊙ conv(B ⊙ x) of rows that hold B, C and x (LFM2's short convolution).
func (b *builder) gatedConvolution(x rows, name string, taps int) rows {
	p := kernel.ConvolutionParams{Channels: x.width / 3, Taps: taps, Gated: true}
	return b.convolution(x, name, p, nil, b.state(p.StateWords()))
}

// convolve sends channels of x, from a place in its rows on, through the causal convolution of a name, with a bias where the file
// has one, and SiLU.
func (b *builder) convolve(x rows, at int, r recurrent, name string) rows {
	bias := b.biases(name+" bias", []string{name}, []int{r.channels()})
	p := kernel.ConvolutionParams{Channels: r.channels(), Taps: r.taps, XOffset: at, Bias: bias != nil, Activation: kernel.SiLU}
	return b.convolution(x, name, p, bias, r.state)
}

// convolution goes channel by channel along the sequence, whose state is what went into it last. p says which channels.
func (b *builder) convolution(x rows, name string, p kernel.ConvolutionParams, bias *Vector, state *stateLayer) rows {
	y := tokens("convolved", p.Channels)
	t := b.tensor(b.name(name + ".weight"))
	b.checkRows(t, p.Channels, p.Taps)
	weight := b.newVector(b.label(name), p.Channels*p.Taps)
	b.part(weight, t, 0, weight.Length)
	p.XStride, p.YStride, p.SlotWords = kernel.RowStride(x.width), kernel.RowStride(y.width), state.words
	b.onDevice(func(g *Graph) {
		p.Keeps = g.options.Keeps
		c, err := kernel.NewConvolution(g.Device(), p)
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(c)
		from, to := g.view(x), g.view(y)
		var bound *gpu.BindGroup
		g.Add(func() (err error) {
			var added gpu.View
			if bias != nil {
				added = g.weights.vector[bias].All()
			}
			bound, err = c.Bind(g.step, g.Resolve(from), g.weights.vector[weight].All(), added, g.states(state), g.Resolve(to))
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { c.Record(rec, bound, len(s.Tokens)) })
	})
	return y
}
