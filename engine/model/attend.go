package model

import (
	"fmt"
	"math"
	"slices"

	"quire/engine/attention"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// span is what a layer's attention is like: its heads, and what they see.
type span struct {
	heads, kvHeads, headDim int
	scale                   float32 // of q·k
	softcap                 float32 // scores are bounded to ±softcap by tanh; 0: not
	window                  int     // a query sees so many tokens, itself included; 0: all before it
	rope                    *Rope   // nil: no positions
	bothWays                bool    // a query sees the tokens after it, too
	reach                   int     // both ways, a query sees tokens at most so far away; 0: all
	sinks                   *Vector // a logit a head that joins the softmax and has no value; nil: none
}

// attention is what the usual keys say: full attention without positions.
func (b *builder) attention() span {
	c := b.config
	causal, told := b.causal()
	return span{heads: c.Heads, kvHeads: c.KVHeads, headDim: c.HeadDim, scale: float32(c.Scale), bothWays: told && !causal}
}

// causal reads whether tokens see only those before them: a bool, or 0 or 1.
func (b *builder) causal() (causal, told bool) {
	key := b.key("attention.causal")
	v, told := b.file.Metadata.Get(key)
	causal = every(v.Any(), func(x any) bool { return x == true || x == 1.0 })
	if told && !causal && !every(v.Any(), func(x any) bool { return x == false || x == 0.0 }) {
		b.fail("%s is %s, and must be true or false", key, shown(v))
	}
	return causal, told
}

// seesAll is full attention without positions, both ways, of an architecture that has no other.
func (b *builder) seesAll() span {
	s := b.attention()
	if causal, _ := b.causal(); causal {
		b.fail("%s is true, and tokens of this architecture see those after them", b.key("attention.causal"))
	}
	s.bothWays = true
	return s
}

// rotated is full attention whose heads are turned, with all that the usual keys say of it.
func (b *builder) rotated(pairs bool) span {
	s := b.attention()
	s.rope = b.rope("rope.freq_base", pairs)
	b.scaleRope(s.rope)
	return s
}

// window reads what all layers see; 0 where no token is out of it.
func (b *builder) window() int {
	w := b.integer("attention.sliding_window", 0, 0, math.MaxInt32)
	if w >= b.config.Context {
		return 0
	}
	return w
}

// pattern tells which layers see a window only: a key's bool for each layer, or all but every n-th.
func (b *builder) pattern(key string, n int) []bool {
	local := make([]bool, b.config.Layers)
	whole := b.key(key)
	v, ok := b.file.Metadata.Get(whole)
	if !ok || v.Type != gguf.Array {
		n = b.integer(key, n, 0, math.MaxInt32)
		for i := range local {
			local[i] = n == 0 || i%n < n-1
		}
		return local
	}
	i := 0
	known := every(v.Any(), func(x any) bool {
		if i == len(local) {
			return false
		}
		switch x := x.(type) {
		case bool:
			local[i] = x
		case float64:
			local[i] = x != 0
		default:
			return false
		}
		i++
		return true
	})
	if !known || i != len(local) {
		b.fail("%s is %s, not a bool for each of %d layers", whole, shown(v), len(local))
	}
	return local
}

// kvLayer is where a layer keeps K and V: in the buffers that the layers of its place in all groups share.
type kvLayer struct {
	span
	layer        int // of the model
	group, place int
	list         int      // of attention's items
	owner        *kvLayer // the earlier layer whose K and V it reads; nil: its own
}

// heads are the rows of q, k and v of all heads, one after the other.
type heads struct {
	rows
	*kvLayer
	bias     *Vector   // still to be added
	residual rows      // the stream that they come from
	tail     *headTail // of their product, unless something comes between it and storing
	asked    bool      // see attendAsked
}

// headTail is what is left to do with a product's rows of q, k and v, and its own kernels may do for few rows; without a layer, nothing.
type headTail struct{ heads }

// stored says whether the product itself stores the rows of the step that is recorded.
func (g *Graph) stored(h heads) bool {
	made := g.headed[h.tail]
	return len(made) > 0 && !slices.ContainsFunc(made, func(l *linear) bool { return !l.stored })
}

// stored is how many heads of k and v follow those of q.
func (h heads) stored() int {
	if h.owner != nil {
		return 0
	}
	return h.kvHeads
}

// heads projects x to q, k and v, with what the file has of biases. There are as many as the layer has; they may lie in one
// tensor, attn_qkv. Without the name of v, what k's matrix gives is v, too, once headNorms has been there.
func (b *builder) heads(x rows, s span, q, k, v string) heads {
	s = b.inLayer(s)
	names := []string{q, k}
	lengths := []int{s.heads * s.headDim, s.kvHeads * s.headDim}
	h := heads{rows: tokens("qkv", lengths[0]+2*lengths[1]), kvLayer: &kvLayer{span: s, layer: b.at}, residual: x}
	if v != "" {
		names, lengths = append(names, v), append(lengths, lengths[1])
	}
	h.residual.norm = nil
	b.plan.kv = append(b.plan.kv, h.kvLayer)
	if b.plan.Whole = b.plan.Whole || s.bothWays; s.bothWays && s.window > 0 {
		b.fail("%s is false, and a window of %d tokens goes with causal attention only", b.key("attention.causal"), s.window)
	}
	h.bias = b.biases("qkv bias", names, lengths)
	if b.fusedHeads() {
		names, lengths = []string{fusedHeads}, []int{h.width}
		if h.bias == nil {
			h.bias = b.biases("qkv bias", names, lengths)
		}
	}
	if x.norm != nil && x.norm.bias == nil { // then x is the residual stream itself
		h.tail = &headTail{}
	}
	b.product(product{weights: b.stack("qkv", x.width, names, lengths), x: x, y: h.rows, tail: h.tail})
	return h
}

// fusedHeads is the tensor that q, k and v may lie in, one after the other.
const fusedHeads = "attn_qkv"

func (b *builder) fusedHeads() bool {
	_, ok := b.file.Tensor(b.name(fusedHeads + ".weight"))
	return ok
}

// queries projects x to q alone, for attention to what an earlier layer stored. Where q lies in one tensor with k and v, those are
// passed over.
func (b *builder) queries(x rows, s span, q string, owner *kvLayer) heads {
	s = b.inLayer(s)
	if s.form() != owner.form() {
		b.refuse("layer %d reads K and V of an earlier layer that has other heads", b.at)
	}
	names, lengths := []string{q}, []int{s.heads * s.headDim}
	h := heads{rows: tokens("q", lengths[0]), kvLayer: &kvLayer{span: s, layer: b.at, owner: owner}, residual: x}
	h.residual.norm = nil
	b.plan.shared = append(b.plan.shared, h.kvLayer)
	if b.fusedHeads() {
		t := b.tensor(b.name(fusedHeads + ".weight"))
		b.checkRows(t, lengths[0]+2*s.kvHeads*s.headDim, x.width)
		b.product(product{weights: []*Matrix{b.matrix(q, lengths[0], x.width, Part{Tensor: t, Rows: lengths[0], Stride: 1})}, x: x, y: h.rows})
		return h
	}
	b.product(product{weights: b.stack(q, x.width, names, lengths), x: x, y: h.rows})
	h.bias = b.biases("q bias", names, lengths)
	return h
}

// inLayer gives a span the heads that the layer has.
func (b *builder) inLayer(s span) span {
	if s.heads, s.kvHeads = b.config.Heads, b.config.KVHeads; s.kvHeads == 0 {
		b.fail("%s.attention.head_count_kv is 0 in layer %d, which has attention", b.arch, b.at)
		s.kvHeads = s.heads
	}
	return s
}

// attend rotates q and k by their positions (arXiv 2104.09864), stores k and v in the layer's blocks, and gives what the
// queries find there.
func (b *builder) attend(h heads) rows {
	out := tokens("attended", h.heads*h.headDim)
	if h.tail != nil {
		h.tail.heads = h
	}
	b.onDevice(func(g *Graph) {
		g.store(h)
		g.closed = g.Len()
		g.attend(h, out)
		if h.asked {
			g.takeAsked(h.residual, out)
		}
	})
	return out
}

// storing is what turns and stores heads, and the table of angles; where nothing turns, what is bound and not read.
func (g *Graph) storing(h heads) (p kernel.RopeStoreParams, table gpu.View) {
	p = kernel.RopeStoreParams{Layout: g.layout(h.group), Heads: h.heads, Group: h.group, Stride: kernel.RowStride(h.width), Bias: h.bias != nil, Queries: h.owner != nil,
		Residual: kernel.RowStride(h.residual.width)}
	if h.rope == nil {
		return p, g.step
	}
	p.RotaryDim, p.Adjacent, p.Growing = h.rope.Dim, h.rope.Adjacent, h.rope.Grow > 0
	return p, g.tables[h.rope]
}

// store records rotation, and storing where there is something to be stored, unless the product has done it.
func (g *Graph) store(h heads) {
	p, table := g.storing(h)
	r, err := kernel.NewRopeStore(g.Device(), p)
	if err != nil {
		g.Fail(err)
		return
	}
	g.Await(r)
	qkv, residual := g.view(h.rows), g.view(h.residual)
	var bound *gpu.BindGroup
	g.Add(func() (err error) {
		var more []gpu.View
		if h.bias != nil {
			more = append(more, g.weights.vector[h.bias].All())
		}
		bound, err = r.Bind(g.step, g.Resolve(qkv), table, g.K[h.place].All(), g.V[h.place].All(), append(more, g.Resolve(residual))...)
		return err
	}, func(rec *gpu.Recorder, s *kernel.StepData) {
		if !g.stored(h) {
			r.Record(rec, bound, len(s.Tokens))
		}
	})
}

// attend records attention.
func (g *Graph) attend(h heads, out rows) {
	o := &g.options
	window := h.window
	if h.bothWays && h.reach > 0 {
		window = h.reach + 1
	}
	p := attention.Params{
		HeadDim: h.headDim, Heads: h.heads, KVHeads: h.kvHeads, BlockSize: o.BlockSize, BlockPad: g.layout(h.group).Pad, KVType: o.KVType, Group: h.group, List: h.list,
		QStride: kernel.RowStride(h.width), OutStride: kernel.RowStride(out.width), Scale: h.scale, Softcap: h.softcap, Window: window, Bidirectional: h.bothWays,
		Variant: g.attendVariant, Tuning: o.Tuning, Deterministic: o.Deterministic, MaxKeys: o.Context, LSE: h.sinks != nil,
		Shared: h.window == 0 && !g.plan.mixed, SharedLate: o.Late && !o.Tested, ManyLate: o.Late,
	}
	a := g.flash(p)
	if a == nil {
		return
	}
	q, to := g.view(h.rows), g.view(out)
	var partials, walks gpu.View
	if n := a.WalkBytes(a.MaxPrefillItems(o.MaxTokens, o.MaxSeqs)); n > 0 {
		walks = g.Scratch("attention walks", int(n/4))
	}
	if !o.Deterministic {
		partials = g.Scratch("attention partials", int(a.PartialBytes(g.lists[h.list].Room)/4))
	}
	var lse gpu.View
	if p.LSE {
		lse = g.Scratch("attention LSE", o.MaxTokens*h.heads)
	}
	var bound *attention.Bindings
	g.Add(func() (err error) {
		bound, err = a.Bind(attention.Operands{Step: g.step, Q: g.Resolve(q), K: g.K[h.place].All(), V: g.V[h.place].All(), Out: g.Resolve(to),
			Partials: g.Resolve(partials), LSE: g.Resolve(lse), Walks: g.Resolve(walks)})
		return err
	}, func(rec *gpu.Recorder, s *kernel.StepData) {
		a.Record(rec, bound, s)
		g.lacks = a.Lacks(s) || g.lacks
	})
	if p.LSE {
		g.sink(p, h.sinks, lse, to)
	}
	g.seen(h, q, to)
}

// sink records that a logit a head joins the softmax of what attention gave.
func (g *Graph) sink(p attention.Params, logits *Vector, lse, out gpu.View) {
	s, err := attention.NewSinks(g.Device(), p)
	if err != nil {
		g.Fail(err)
		return
	}
	g.Await(s)
	var bound *gpu.BindGroup
	g.Add(func() (err error) {
		bound, err = s.Bind(g.step, g.Resolve(lse), g.weights.vector[logits].All(), g.Resolve(out))
		return err
	}, func(rec *gpu.Recorder, d *kernel.StepData) { s.Record(rec, bound, len(d.Tokens)) })
}

// flash gives the attention of these parameters: layers that are alike share one.
func (g *Graph) flash(p attention.Params) *attention.Attention {
	if a, ok := g.attentions[p]; ok || g.Err() != nil {
		return a
	}
	a, err := attention.New(g.Device(), p)
	if err != nil {
		g.Fail(err)
		return nil
	}
	g.Await(a)
	g.attentions[p] = a
	switch list := &g.lists[p.List]; {
	case list.Attention == nil:
		list.Attention, list.KVHeads, list.HeadDim = a, p.KVHeads, p.HeadDim
		if !p.Deterministic {
			list.Room = min(g.options.DecodeItems, a.MaxDecodeItems())
		}
	case !a.SameItems(list.Attention):
		g.Fail(fmt.Errorf("%w: layers whose attention differs in its tiles on this adapter", ErrUnsupported))
	}
	g.lists[p.List].all = append(g.lists[p.List].all, a)
	return a
}
