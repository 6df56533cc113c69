package model

import (
	"math"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// recurrent is what a layer is like whose heads keep a state: as the ssm keys say, for gated delta nets and Mamba-2 alike.
type recurrent struct {
	taps          int // tokens that the convolution before it sees
	heads, value  int // of values
	keyHeads, key int // of keys and queries, which as many heads of values share
	tiled         bool
	state         *stateLayer
	stateAt       int // in a slot, behind what the convolution keeps
}

// recurrent reads the keys.
func (b *builder) recurrent() recurrent {
	r := recurrent{taps: b.need("ssm.conv_kernel", 2, 1<<6), key: b.need("ssm.state_size", 1, 1<<10), keyHeads: b.need("ssm.group_count", 1, 1<<12), heads: b.need("ssm.time_step_rank", 1, 1<<12)}
	inner := b.need("ssm.inner_size", 1, 1<<18)
	if b.reader.err != nil {
		return r
	}
	if inner%r.heads != 0 || r.heads%r.keyHeads != 0 {
		b.fail("%s.ssm.inner_size %d, ssm.time_step_rank %d and ssm.group_count %d do not divide into one another", b.arch, inner, r.heads, r.keyHeads)
	}
	r.value = inner / r.heads
	return r
}

func (r recurrent) inner() int { return r.heads * r.value }

// keys is how many elements the keys of all heads have, and the queries.
func (r recurrent) keys() int { return r.keyHeads * r.key }

// channels go through the convolution.
func (r recurrent) channels() int { return r.inner() + 2*r.keys() }

// stateful gives the layer that is described a state of its own.
func (b *builder) stateful(r recurrent) recurrent {
	conv := kernel.ConvolutionParams{Channels: r.channels(), Taps: r.taps}
	r.stateAt = (conv.StateWords() + 3) / 4 * 4
	r.state = b.state(r.stateAt + kernel.RecurrenceParams{Heads: r.heads, Value: r.value, Key: r.key}.StateWords())
	return r
}

// deltaNet is a gated delta net (arXiv 2412.06464) over convolved q, k and v, with its gates in rows of their own.
func (b *builder) deltaNet(x, gates rows, layout kernel.GateLayout, r recurrent) rows {
	p := kernel.RecurrenceParams{Delta: true, Tiled: r.tiled, KOffset: r.keys(), VOffset: 2 * r.keys(), Gates: layout, Scale: float32(1 / math.Sqrt(float64(r.key)))}
	return b.recur(x, gates, p, r, b.headVector(r, "ssm_a", "ssm_dt.bias"))
}

// mamba is Mamba-2 (arXiv 2405.21060) over convolved x, B and C, with Δ in rows of its own.
func (b *builder) mamba(x, gates rows, layout kernel.GateLayout, r recurrent) rows {
	p := kernel.RecurrenceParams{QOffset: r.inner() + r.keys(), KOffset: r.inner(), Gates: layout, Scale: 1}
	return b.recur(x, gates, p, r, b.headVector(r, "ssm_a", "ssm_dt.bias", "ssm_d"))
}

// headVector plans tensors of a number a head, one after the other.
func (b *builder) headVector(r recurrent, names ...string) *Vector {
	v := b.newVector(b.label("heads"), len(names)*r.heads)
	for i, name := range names {
		b.part(v, b.tensor(b.name(name)), i*r.heads, r.heads)
	}
	return v
}

// recur walks the rows of a step with their sequences' states.
func (b *builder) recur(x, gates rows, p kernel.RecurrenceParams, r recurrent, heads *Vector) rows {
	y := tokens("answers", r.inner())
	p.Heads, p.KeyHeads, p.Key, p.Value = r.heads, r.keyHeads, r.key, r.value
	p.XStride, p.YStride, p.Gates.Stride = kernel.RowStride(x.width), kernel.RowStride(y.width), kernel.RowStride(gates.width)
	p.StateAt = r.stateAt
	b.onDevice(func(g *Graph) {
		p.SlotWords, p.MaxTokens, p.Variant = r.state.words, g.options.MaxTokens, g.normVariant()
		p.Chunked, p.Keeps = !g.options.Deterministic, g.options.Keeps
		k, err := kernel.NewRecurrence(g.Device(), p)
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(k)
		g.owned = append(g.owned, k)
		from, gate, to := g.view(x), g.view(gates), g.view(y)
		var pairs gpu.View
		if n := k.PairWords(p.MaxTokens); n > 0 {
			pairs = g.Scratch("pairs of tokens", n)
		}
		var bound kernel.RecurrenceBind
		g.Add(func() (err error) {
			bound, err = k.Bind(kernel.RecurrenceViews{Step: g.step, X: g.Resolve(from), Gates: g.Resolve(gate), Heads: g.weights.vector[heads].All(),
				State: g.states(r.state), Y: g.Resolve(to), Pairs: g.Resolve(pairs)})
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { k.Record(rec, bound, s) })
	})
	return y
}

// gatedNorm normalises rows of a recurrence group by group and gates them by z, which lies at a place in its rows; p says the
// groups.
func (b *builder) gatedNorm(x, z rows, at int, p kernel.GatedNormParams, name string) {
	weight := b.newVector(b.label(name), p.Weights)
	b.part(weight, b.tensor(b.name(name+".weight")), 0, weight.Length)
	p.XStride, p.ZStride, p.ZOffset, p.Eps = kernel.RowStride(x.width), kernel.RowStride(z.width), at, b.rmsEps()
	b.onDevice(func(g *Graph) {
		p.Variant = g.normVariant()
		n, err := kernel.NewGatedNorm(g.Device(), p)
		if err != nil {
			g.Fail(err)
			return
		}
		g.Await(n)
		rows, gates := g.view(x), g.view(z)
		var bound *gpu.BindGroup
		g.Add(func() (err error) {
			bound, err = n.Bind(g.step, g.Resolve(rows), g.Resolve(gates), g.weights.vector[weight].All())
			return err
		}, func(rec *gpu.Recorder, s *kernel.StepData) { n.Record(rec, bound, len(s.Tokens)) })
	})
}
