package model

import (
	"context"
	"math"

	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// GraphOptions fix what a graph is compiled for.
type GraphOptions struct {
	KV            kernel.KVLayout
	Blocks        int // of the KV cache, the null block included
	MaxTokens     int // of one step
	MaxOutputs    int // rows of logits of one step
	MaxSeqs       int // of one step
	Context       int // tokens of one sequence
	DecodeItems   int // the most of attention's decode items of one step, as far as a binding has room for them
	Variant       string
	Tuning        *attention.Tuning
	Deterministic bool
}

// Stride rounds a width in floats up to what activations' rows are apart.
func Stride(width int) int { return (width + 31) &^ 31 }

// Graph is a model's kernels in order, bound to its weights, caches and activations.
type Graph struct {
	config  *Config
	options GraphOptions
	device  *gpu.Device

	buffers []*gpu.Buffer
	K, V    []*gpu.Buffer // a layer each
	logits  *gpu.Buffer
	views   views

	embed     *kernel.Embed
	embedBind []*gpu.BindGroup
	layers    []layer
	head      *kernel.Linear
	headBind  *kernel.LinearBind
	attention *attention.Attention
	rope      *kernel.RopeStore
	copies    *kernel.CopyBlocks
	swiglu    *kernel.SwiGLU
	kernels   []waiter

	linearVariant string
	decodeItems   int // that the partial results have room for

	tokenLayers int // most tokens times layers of one submission; 0: any number
}

// views are the activations: rows of a token each, Stride apart.
type views struct {
	step, lanes, table                              gpu.View
	x, normed, qkv, attended, gate, up, ffn, logits gpu.View
	partials, walks                                 gpu.View
}

// waiter is anything whose kernels compile in the background.
type waiter interface{ Wait(context.Context) error }

type layer struct {
	qkv, gateUp         []*kernel.Linear
	qkvBind, gateUpBind []*kernel.LinearBind
	rope                *kernel.RopeStore
	ropeBind            *gpu.BindGroup
	attendBind          *attention.Bindings
	out, down           *kernel.Linear
	outBind, downBind   *kernel.LinearBind
	swigluBind          *gpu.BindGroup
	copyBind            *gpu.BindGroup
}

// NewGraph allocates caches and activations and starts compiling. step, lanes and table are the runner's: the step
// buffer, the lanes' last tokens, RoPE's table. Bind completes the graph.
func NewGraph(d *gpu.Device, p *Plan, w *Weights, o GraphOptions, step, lanes, table gpu.View) (g *Graph, err error) {
	c := p.Config
	g = &Graph{config: c, options: o, device: d}
	defer func() {
		if err != nil {
			g.Release()
		}
	}()
	g.views = views{step: step, lanes: lanes, table: table}
	if err = g.allocate(p); err != nil {
		return g, err
	}
	if g.embed, err = kernel.NewEmbed(d, kernel.EmbedParams{Matrix: w.matrix[&p.Embedding], XStride: Stride(c.Width)}); err != nil {
		return g, err
	}
	var attend string
	if g.linearVariant, attend, err = variants(o.Variant); err != nil {
		return g, err
	}
	g.attention, err = attention.New(d, attention.Params{
		HeadDim: c.HeadDim, Heads: c.Heads, KVHeads: c.KVHeads, BlockSize: o.KV.BlockSize, KVType: o.KV.Type,
		QStride: g.qkvStride(), OutStride: Stride(c.Heads * c.HeadDim), Scale: float32(1 / math.Sqrt(float64(c.HeadDim))),
		Variant: attend, Tuning: o.Tuning, Deterministic: o.Deterministic, MaxKeys: o.Context,
	})
	if err != nil {
		return g, err
	}
	if g.copies, err = kernel.NewCopyBlocks(d, o.KV, 0); err != nil {
		return g, err
	}
	g.kernels = append(g.kernels, g.embed, g.attention, g.copies)
	for i := range p.Layers {
		if err = g.addLayer(&p.Layers[i], w); err != nil {
			return g, err
		}
	}
	head := w.matrix[&p.Embedding]
	if p.Head != nil {
		head = w.matrix[p.Head]
	}
	g.head, err = g.linear(kernel.LinearParams{
		Matrix: head, XStride: Stride(c.Width), YStride: Stride(c.Vocabulary), MWord: kernel.WordOutputs,
		Norm: true, Eps: c.NormEps, Gather: true,
	})
	return g, err
}

func (g *Graph) qkvStride() int {
	return Stride((g.config.Heads + 2*g.config.KVHeads) * g.config.HeadDim)
}

// allocate makes the caches and activations.
func (g *Graph) allocate(p *Plan) error {
	c, o, v := g.config, g.options, &g.views
	split := false // gate and up apart in some layer
	for i := range p.Layers {
		split = split || len(p.Layers[i].GateUp) > 1
	}
	floats := func(label string, rows, width int, to *gpu.View) error {
		return g.buffer(label, 4*uint64(rows)*uint64(Stride(width)), to)
	}
	type activation struct {
		label       string
		rows, width int
		to          *gpu.View
	}
	activations := []activation{
		{"residual", o.MaxTokens, c.Width, &v.x},
		{"normed", max(o.MaxTokens, o.MaxOutputs), c.Width, &v.normed},
		{"qkv", o.MaxTokens, (c.Heads + 2*c.KVHeads) * c.HeadDim, &v.qkv},
		{"attended", o.MaxTokens, c.Heads * c.HeadDim, &v.attended},
		{"ffn", o.MaxTokens, c.FFN, &v.ffn},
		{"logits", o.MaxOutputs, c.Vocabulary, &v.logits},
	}
	if split {
		activations = append(activations, activation{"gate", o.MaxTokens, c.FFN, &v.gate}, activation{"up", o.MaxTokens, c.FFN, &v.up})
	}
	for _, a := range activations {
		if err := floats(a.label, a.rows, a.width, a.to); err != nil {
			return err
		}
	}
	g.logits = v.logits.Buffer
	for range c.Layers {
		var k, value gpu.View
		if err := g.buffer("K cache", o.KV.Bytes(o.Blocks), &k); err != nil {
			return err
		}
		if err := g.buffer("V cache", o.KV.Bytes(o.Blocks), &value); err != nil {
			return err
		}
		g.K, g.V = append(g.K, k.Buffer), append(g.V, value.Buffer)
	}
	return nil
}

func (g *Graph) buffer(label string, size uint64, to *gpu.View) error {
	b, err := g.device.NewBuffer(label, size, gpu.Storage)
	if err != nil {
		return err
	}
	g.buffers = append(g.buffers, b)
	*to = b.All()
	return nil
}

// linear makes a matrix product with the graph's variant.
func (g *Graph) linear(p kernel.LinearParams) (*kernel.Linear, error) {
	p.Variant, p.Deterministic = g.linearVariant, g.options.Deterministic
	l, err := kernel.NewLinear(g.device, p)
	if err == nil {
		g.kernels = append(g.kernels, l)
	}
	return l, err
}

func (g *Graph) addLayer(p *Layer, w *Weights) (err error) {
	c := g.config
	var l layer
	offset := 0
	for i := range p.QKV {
		m := w.matrix[&p.QKV[i]]
		q, err := g.linear(kernel.LinearParams{Matrix: m, XStride: Stride(c.Width), YStride: g.qkvStride(), YOffset: offset,
			MWord: kernel.WordTokens, Norm: true, Eps: c.NormEps})
		if err != nil {
			return err
		}
		l.qkv = append(l.qkv, q)
		offset += m.Rows
	}
	if l.rope, err = kernel.NewRopeStore(g.device, kernel.RopeStoreParams{
		Layout: g.options.KV, Heads: c.Heads, Stride: g.qkvStride(), RotaryDim: c.RotaryDim, Adjacent: !c.HalfSplit, Bias: p.Bias != nil,
		Residual: Stride(c.Width),
	}); err != nil {
		return err
	}
	g.kernels = append(g.kernels, l.rope)
	if l.out, err = g.linear(kernel.LinearParams{Matrix: w.matrix[&p.Out], XStride: Stride(c.Heads * c.HeadDim), YStride: Stride(c.Width),
		MWord: kernel.WordTokens, Add: true}); err != nil {
		return err
	}
	fused := len(p.GateUp) == 1
	for i := range p.GateUp {
		gateUp, err := g.linear(kernel.LinearParams{Matrix: w.matrix[&p.GateUp[i]], XStride: Stride(c.Width), YStride: Stride(c.FFN),
			MWord: kernel.WordTokens, Norm: true, Eps: c.NormEps, SwiGLU: fused})
		if err != nil {
			return err
		}
		l.gateUp = append(l.gateUp, gateUp)
	}
	if !fused && g.swiglu == nil {
		if g.swiglu, err = kernel.NewSwiGLU(g.device, kernel.SwiGLUParams{Width: c.FFN, GStride: Stride(c.FFN), UStride: Stride(c.FFN),
			HStride: Stride(c.FFN), MWord: kernel.WordTokens}); err != nil {
			return err
		}
		g.kernels = append(g.kernels, g.swiglu)
	}
	if l.down, err = g.linear(kernel.LinearParams{Matrix: w.matrix[&p.Down], XStride: Stride(c.FFN), YStride: Stride(c.Width),
		MWord: kernel.WordTokens, Add: true}); err != nil {
		return err
	}
	g.layers = append(g.layers, l)
	return nil
}

// DecodeItems returns how many of attention's decode items a step may have where one of them is part of a row.
func (g *Graph) DecodeItems() int { return g.decodeItems }

// Bind waits for every kernel to compile, tells progress of each, and binds the buffers.
func (g *Graph) Bind(ctx context.Context, p *Plan, w *Weights, progress func(done, total int64)) (err error) {
	for i, k := range g.kernels {
		if err := k.Wait(ctx); err != nil {
			return err
		}
		if progress != nil {
			progress(int64(i+1), int64(len(g.kernels)))
		}
	}
	v := &g.views
	if n := g.attention.WalkBytes(g.attention.MaxPrefillItems(g.options.MaxTokens, g.options.MaxSeqs)); n > 0 {
		if err := g.buffer("attention walks", n, &v.walks); err != nil {
			return err
		}
	}
	if !g.options.Deterministic {
		g.decodeItems = min(g.options.DecodeItems, g.attention.MaxDecodeItems())
		if err := g.buffer("attention partials", g.attention.PartialBytes(g.decodeItems), &v.partials); err != nil {
			return err
		}
	}
	if g.embedBind, err = g.embed.Bind(v.step, v.lanes, v.x); err != nil {
		return err
	}
	for i := range g.layers {
		if err := g.bindLayer(i, &p.Layers[i], w); err != nil {
			return err
		}
	}
	g.headBind, err = g.head.Bind(kernel.LinearViews{Step: v.step, X: v.x, Y: v.logits, Norm: w.vector[&p.Norm].All(), Normed: v.normed})
	return err
}

func (g *Graph) bindLayer(i int, p *Layer, w *Weights) (err error) {
	l, v := &g.layers[i], &g.views
	k, value := g.K[i].All(), g.V[i].All()
	norm := w.vector[&p.AttentionNorm].All()
	for _, q := range l.qkv {
		b, err := q.Bind(kernel.LinearViews{Step: v.step, X: v.x, Y: v.qkv, Norm: norm, Normed: v.normed})
		if err != nil {
			return err
		}
		l.qkvBind = append(l.qkvBind, b)
	}
	var more []gpu.View
	if p.Bias != nil {
		more = append(more, w.vector[p.Bias].All())
	}
	if l.ropeBind, err = l.rope.Bind(v.step, v.qkv, v.table, k, value, append(more, v.x)...); err != nil {
		return err
	}
	if l.attendBind, err = g.attention.Bind(attention.Operands{Step: v.step, Q: v.qkv, K: k, V: value, Out: v.attended, Partials: v.partials,
		Walks: v.walks}); err != nil {
		return err
	}
	if l.outBind, err = l.out.Bind(kernel.LinearViews{Step: v.step, X: v.attended, Y: v.x}); err != nil {
		return err
	}
	norm = w.vector[&p.FFNNorm].All()
	targets := []gpu.View{v.ffn}
	if len(l.gateUp) > 1 {
		targets = []gpu.View{v.gate, v.up}
		if l.swigluBind, err = g.swiglu.Bind(v.step, v.gate, v.up, v.ffn); err != nil {
			return err
		}
	}
	for j, gateUp := range l.gateUp {
		b, err := gateUp.Bind(kernel.LinearViews{Step: v.step, X: v.x, Y: targets[j], Norm: norm, Normed: v.normed})
		if err != nil {
			return err
		}
		l.gateUpBind = append(l.gateUpBind, b)
	}
	if l.downBind, err = l.down.Bind(kernel.LinearViews{Step: v.step, X: v.ffn, Y: v.x}); err != nil {
		return err
	}
	l.copyBind, err = g.copies.Bind(v.step, k, value)
	return err
}

// Attention returns the attention whose items a step's rows become.
func (g *Graph) Attention() *attention.Attention { return g.attention }

// Logits returns the buffer of logits: a row of Stride(Vocabulary) floats an output.
func (g *Graph) Logits() *gpu.Buffer { return g.logits }

// SplitSubmissions bounds how many tokens times layers one submission computes; 0 leaves a step whole.
func (g *Graph) SplitSubmissions(tokenLayers int) { g.tokenLayers = tokenLayers }

// Record records a step, from its copies to its logits.
func (g *Graph) Record(rec *gpu.Recorder, s *kernel.StepData) {
	tokens := len(s.Tokens)
	if len(s.Copies) > 0 {
		for i := range g.layers {
			g.copies.Record(rec, g.layers[i].copyBind, len(s.Copies))
		}
	}
	g.embed.Record(rec, g.embedBind, tokens)
	every := len(g.layers) // layers of one submission
	if g.tokenLayers > 0 {
		every = max(1, g.tokenLayers/max(tokens, 1))
	}
	for i := range g.layers {
		if i > 0 && i%every == 0 {
			rec.Split()
		}
		l := &g.layers[i]
		for j, q := range l.qkv {
			q.Record(rec, l.qkvBind[j], tokens)
		}
		l.rope.Record(rec, l.ropeBind, tokens)
		g.attention.Record(rec, l.attendBind, s)
		l.out.Record(rec, l.outBind, tokens)
		for j, gateUp := range l.gateUp {
			gateUp.Record(rec, l.gateUpBind[j], tokens)
		}
		if l.swigluBind != nil {
			g.swiglu.Record(rec, l.swigluBind, tokens)
		}
		l.down.Record(rec, l.downBind, tokens)
	}
	g.head.Record(rec, g.headBind, len(s.Outputs))
}

// Release gives caches and activations back.
func (g *Graph) Release() {
	for _, b := range g.buffers {
		b.Release()
	}
	g.buffers = nil
	if g.attention != nil {
		g.attention.Release()
	}
}
