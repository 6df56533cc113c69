package model

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"quire/engine/attention"
	"quire/engine/breath"
	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/program"
)

// GraphOptions fix what a graph is compiled for.
type GraphOptions struct {
	KVType        kernel.KVType
	BlockSize     int
	Blocks        int  // of the KV cache, the null block included
	States        int  // slots for sequences' states, the null slot included
	Keeps         bool // steps may keep states behind any of their tokens
	MaxTokens     int  // of one step
	MaxOutputs    int  // rows of logits of one step
	MaxSeqs       int  // of one step
	Context       int  // tokens of one sequence
	DecodeItems   int  // the most of attention's decode items of one step, as far as a binding has room for them
	Variant       string
	Tuning        *attention.Tuning
	Deterministic bool
	Results       gpu.View   // what is drawn, [output][kernel.ResultWords]; for plans that guess
	Ahead         []gpu.View // where steps are written that are recorded behind others
	Late          bool       // kernels that a model may do without wait until there are rows for them, and for Complete
	Tested        bool       // kernels are tested before they are used
	Room          func()     // called once the caches are made, before kernels are; nil: nobody wants to know
	Baseline      []string   // groups of kernels, such as kernel.GroupProducts, that take their baseline whatever Variant says
}

// Graph is a plan on a device: its operations in order, bound to weights, caches and activations.
type Graph struct {
	*program.Program
	plan    *Plan
	options GraphOptions
	weights *Weights

	step, lanes gpu.View
	tables      map[*Rope]gpu.View
	routed      map[*choices]routed
	rooms       map[*adaptable]*room
	linears     []*linear
	headed      map[*headTail][]*linear // the products that make rows of q, k and v
	placing     *kernel.LoRAPlace       // of adapters; nil without room for any
	K, V        []*gpu.Buffer           // of each layer of a KV group
	States      []*gpu.Buffer           // of each layer that keeps one: [slot][words]
	logits      gpu.View
	guesses     gpu.View // a word an output
	drawn, kept int      // operations before tokens are drawn, and before what only guesses need
	closed      int      // before the last attention, behind which a step that asks nothing does nothing
	asked       int      // before those of the rows alone that something is asked of; 0: there are none
	keep        func(rec *gpu.Recorder, s *kernel.StepData)
	copies      []func(rec *gpu.Recorder, copies int)
	ahead       *kernel.Ahead
	aheadBinds  []*gpu.BindGroup // of GraphOptions.Ahead

	lists         []ItemList
	attentions    map[attention.Params]*attention.Attention
	tested        []kernel.SelfTested
	linearVariant string
	attendVariant string

	owned []interface{ Release() } // kernels that hold memory of their own

	look        *Look // at the step that is recorded, or nil
	tokenLayers int   // most tokens times layers of one submission; 0: any number
	firstAlone  bool  // the first layer is one
	lacks       bool  // there were rows for late kernels that have not been made
}

// ItemList is one of the lists of items that a step's rows become: for layers of the same heads.
type ItemList struct {
	*attention.Attention // the first; the others have the same items
	KVHeads, HeadDim     int
	Room                 int // decode items that the partial results have room for, where one of them is part of a row

	all []*attention.Attention
}

// Shares reports whether rows may share keys now. Late kernels for them begin to compile the first time that it is asked.
func (l ItemList) Shares() bool {
	all := true
	for _, a := range l.all {
		all = a.Shares() && all
	}
	return all
}

// NewGraph allocates caches and activations and starts compiling; the weights need not be loaded yet. step and lanes are the
// runner's: the step buffer, the lanes' last tokens; tables are of the plan's Ropes. Bind completes the graph.
func NewGraph(d *gpu.Device, p *Plan, w *Weights, o GraphOptions, step, lanes gpu.View, tables []gpu.View) (*Graph, error) {
	g := &Graph{Program: program.New(d, ""), plan: p, options: o, weights: w, step: step, lanes: lanes,
		tables: map[*Rope]gpu.View{}, routed: map[*choices]routed{}, rooms: map[*adaptable]*room{}, headed: map[*headTail][]*linear{}, attentions: map[attention.Params]*attention.Attention{}, lists: make([]ItemList, len(p.lists))}
	for i, rope := range p.Ropes {
		g.tables[rope] = tables[i]
	}
	var err error
	g.linearVariant, g.attendVariant, err = variants(o.Variant)
	g.Fail(err)
	if slices.Contains(o.Baseline, kernel.GroupProducts) {
		g.linearVariant = "baseline"
	}
	if slices.Contains(o.Baseline, kernel.GroupAttention) {
		g.attendVariant = "baseline"
	}
	var caches []program.Want
	for range p.GroupLayers() {
		words := int(g.layout(0).Bytes(o.Blocks) / 4)
		caches = append(caches, program.Want{Label: "K cache", Words: words}, program.Want{Label: "V cache", Words: words})
	}
	for _, s := range p.states {
		caches = append(caches, program.Want{Label: "states", Words: o.States * s.words})
	}
	for i, v := range g.Buffers(caches) {
		switch kv := 2 * p.GroupLayers(); {
		case i >= kv:
			g.States = append(g.States, v.Buffer)
		case i%2 == 0:
			g.K = append(g.K, v.Buffer)
		default:
			g.V = append(g.V, v.Buffer)
		}
	}
	if o.Room != nil && g.Err() == nil {
		o.Room()
	}
	g.addAhead()
	g.addTables()
	g.addCopies()
	var work breath.Breath
	for _, do := range p.work {
		if g.Err() == nil {
			do(g)
		}
		work.Take()
	}
	g.drawn = g.Len()
	for _, work := range p.drafting {
		if g.Err() == nil {
			work(g)
		}
	}
	if err := g.Allocate(); err != nil {
		g.Release()
		return nil, err
	}
	return g, nil
}

// layout is the form of K, and of V, in a KV group.
func (g *Graph) layout(group int) kernel.KVLayout {
	return g.plan.KVLayouts(g.options.BlockSize, g.options.KVType)[group]
}

// addAhead adds what takes steps to where they are read.
func (g *Graph) addAhead() {
	if len(g.options.Ahead) == 0 {
		return
	}
	var err error
	if g.ahead, err = kernel.NewAhead(g.Device()); err != nil {
		g.Fail(err)
		return
	}
	g.Await(g.ahead)
	for _, room := range g.options.Ahead {
		g.Add(func() error {
			bound, err := g.ahead.Bind(room, g.step)
			g.aheadBinds = append(g.aheadBinds, bound)
			return err
		}, nil)
	}
}

// RecordAhead records that the step follows whose words were written to one of GraphOptions.Ahead.
func (g *Graph) RecordAhead(rec *gpu.Recorder, n, words int) {
	g.ahead.Record(rec, g.aheadBinds[n], words)
}

// addTables adds what brings block tables up to date, before anything reads them.
func (g *Graph) addTables() {
	k, err := kernel.NewTables(g.Device())
	if err != nil {
		g.Fail(err)
		return
	}
	g.Await(k)
	var bound *gpu.BindGroup
	g.Add(func() (err error) {
		bound, err = k.Bind(g.step)
		return err
	}, nil)
	g.keep = func(rec *gpu.Recorder, s *kernel.StepData) { k.Record(rec, bound, s.Runs) }
}

// addCopies adds the copies of blocks, which come before all operations of a step.
func (g *Graph) addCopies() {
	kernels := map[int]*kernel.CopyBlocks{} // by KV group
	for _, l := range g.plan.kv {
		k := kernels[l.group]
		if k == nil {
			var err error
			if k, err = kernel.NewCopyBlocks(g.Device(), g.layout(l.group), l.group); err != nil {
				g.Fail(err)
				return
			}
			kernels[l.group] = k
			g.Await(k)
		}
		var bound *gpu.BindGroup
		g.Add(func() (err error) {
			bound, err = k.Bind(g.step, g.K[l.place].All(), g.V[l.place].All())
			return err
		}, nil)
		g.copies = append(g.copies, func(rec *gpu.Recorder, copies int) { k.Record(rec, bound, copies) })
	}
}

// view gives the memory of rows.
func (g *Graph) view(r rows) gpu.View { return g.scratch(r.label, r.count(g), r.width) }

func (r rows) count(g *Graph) int {
	switch {
	case r.outputs:
		return g.options.MaxOutputs
	case r.pooled:
		return g.options.MaxSeqs
	}
	return g.options.MaxTokens * max(r.each, 1)
}

// scratch views rows of a width that share memory with those of the same label and width: what lies between two rows stays
// zero, as products need it.
func (g *Graph) scratch(label string, count, width int) gpu.View {
	return g.Scratch(fmt.Sprintf("%s of %d", label, width), count*kernel.RowStride(width))
}

// product records a product. An RMSNorm of x is done on the way.
func (g *Graph) product(p product) {
	x, y, norm := g.view(p.x), g.view(p.y), p.x.norm
	if p.y.outputs {
		g.logits = y
	}
	gather := p.y.outputs
	var normed gpu.View
	switch {
	case norm != nil && norm.bias != nil:
		x, norm, gather = g.layerNorm(p.x, p.y.outputs, p.y.of), nil, false
	case norm != nil:
		normed = g.scratch("normed", p.y.count(g), p.x.width)
	}
	var rounded gpu.View
	room := 0
	if g.linearVariant == "packed" {
		room = p.y.count(g)
		rounded = g.Scratch(fmt.Sprintf("rounded of %d", p.x.width), kernel.RoundedWords(p.x.width, room))
	}
	mWord, most := kernel.WordTokens, 0
	switch {
	case p.y.outputs:
		mWord = kernel.WordOutputs
	case p.y.pooled:
		mWord = kernel.WordPools
	}
	if p.y.outputs || p.y.pooled {
		most = p.y.count(g)
	}
	var adapters *kernel.LoRAParams
	var added gpu.View
	var adapt func(rec *gpu.Recorder, s *kernel.StepData, m int, many bool)
	if p.adaptable != nil {
		if adapters, added, adapt = g.adapt(&p, x, norm, gather, mWord); adapters == nil {
			return
		}
	}
	var parts gpu.View
	views := func() kernel.LinearViews {
		v := kernel.LinearViews{Step: g.step, X: g.Resolve(x), Y: g.Resolve(y), Adapters: added}
		if p.bias != nil {
			v.Bias = g.weights.vector[p.bias].All()
		}
		if p.tail != nil && p.tail.kvLayer != nil {
			h := p.tail.heads
			_, table := g.storing(h)
			v.Heads = kernel.HeadViews{Table: table, K: g.K[h.place].All(), V: g.V[h.place].All()}
			if h.bias != nil {
				v.Heads.Bias = g.weights.vector[h.bias].All()
			}
		}
		if norm != nil {
			v.Norm, v.Normed = g.weights.vector[norm.weight].All(), g.Resolve(normed)
		}
		if room > 0 {
			v.Rounded = g.Resolve(rounded)
		}
		if parts.Size > 0 {
			v.Parts = g.Resolve(parts)
		}
		return v
	}
	var all []kernel.LinearParams
	offset := 0
	for _, m := range p.weights {
		params := kernel.LinearParams{
			Matrix: g.weights.matrix[m], XStride: kernel.RowStride(p.x.width), YStride: kernel.RowStride(p.y.width), YOffset: offset, MWord: mWord, MaxRows: most, Room: room,
			Norm: norm != nil, Bias: p.bias != nil, Scale: p.scale, Activated: p.activated, Cap: p.cap, Add: p.add, Gated: p.gated, Gather: gather, Adapters: adapters, AdaptersAt: offset, Variant: g.linearVariant, Deterministic: g.options.Deterministic, Late: g.options.Late,
		}
		if norm != nil {
			params.Eps, params.Stream = norm.eps, g.plan.stream
		}
		if p.tail != nil && p.tail.kvLayer != nil {
			rope, _ := g.storing(p.tail.heads)
			params.Heads = &kernel.HeadTail{RopeStoreParams: rope}
		}
		all = append(all, params)
		offset += m.Rows
	}
	kernel.AgreeOnHeads(g.Device().Limits(), all)
	for i := range all {
		if words := all[i].PartsWords(g.Device().Info(), p.y.count(g)); words > 0 {
			all[i].PartsRoom = p.y.count(g)
			if v := g.Scratch("parts of sums", words); v.Size > parts.Size {
				parts = v
			}
		}
	}
	told := false // what adapters were told last
	for i, params := range all {
		params.Row, params.Tiles = g.options.Tuning.Row(params.RowMatrix()), g.options.Tuning.TilesOf(params.TileMatrix())
		l := g.linear(params, views)
		if p.tail != nil {
			g.headed[p.tail] = append(g.headed[p.tail], l)
		}
		// Few adapters change the head, which is large: until one does, it is multiplied as if there were none.
		alone := l
		if adapters != nil && p.y.outputs && !g.options.Deterministic {
			params.Adapters = nil
			alone = g.linear(params, views)
		}
		if l == nil || alone == nil {
			return
		}
		g.Add(nil, func(rec *gpu.Recorder, s *kernel.StepData) {
			now, rows := l, p.y.of(s)
			if adapters != nil && !g.rooms[p.adaptable].used {
				now = alone
			}
			if l.stored = false; rows < 1 {
				return
			}
			way := now.Way(now.bound, rows)
			g.lacks = g.lacks || way.Late
			if adapt != nil && s.Adapted() {
				// Matrices of other sizes may go other ways, which find the norm themselves or do not.
				if many := way.Many(); i == 0 || many != told {
					adapt(rec, s, rows, many)
					told = many
				}
			}
			l.stored = now.RecordBy(way, rec, now.bound, rows)
		})
	}
}

// linear is a matrix product that is bound with the graph's buffers.
type linear struct {
	*kernel.Linear
	bound  *kernel.LinearBind
	views  func() kernel.LinearViews
	stored bool // what was recorded last has stored its rows of q, k and v
}

// linear makes one; nil where that has failed.
func (g *Graph) linear(p kernel.LinearParams, views func() kernel.LinearViews) *linear {
	l, err := kernel.NewLinear(g.Device(), p)
	if err != nil {
		g.Fail(err)
		return nil
	}
	g.Await(l)
	made := &linear{Linear: l, views: views}
	g.linears = append(g.linears, made)
	g.Add(func() (err error) {
		made.bound, err = l.Bind(views())
		return err
	}, nil)
	return made
}

// join records h = activation(gate) ⊙ up, of whose rows it takes what follows an offset.
func (g *Graph) join(gate, up rows, offset int, h rows, a kernel.Activation) {
	s, err := kernel.NewGLU(g.Device(), kernel.GLUParams{Width: h.width, GStride: kernel.RowStride(gate.width), UStride: kernel.RowStride(up.width), UOffset: offset,
		HStride: kernel.RowStride(h.width), MWord: kernel.WordTokens, Activation: a})
	if err != nil {
		g.Fail(err)
		return
	}
	g.Await(s)
	from, with, to := g.view(gate), g.view(up), g.view(h)
	var bound *gpu.BindGroup
	g.Add(func() (err error) {
		bound, err = s.Bind(g.step, g.Resolve(from), g.Resolve(with), g.Resolve(to))
		return err
	}, func(rec *gpu.Recorder, d *kernel.StepData) { s.Record(rec, bound, len(d.Tokens)) })
}

// Bind waits for every kernel to compile, tells progress of each, and binds the buffers.
func (g *Graph) Bind(ctx context.Context, progress func(done, total int64)) error {
	return g.Finish(ctx, progress)
}

// Lists returns the lists of items that a step's rows become.
func (g *Graph) Lists() []ItemList { return g.lists }

// Sharing returns the KV groups of the layers whose rows may share keys.
func (g *Graph) Sharing() []int {
	var groups []int
	for p, a := range g.attentions {
		if a.MayShare() && !slices.Contains(groups, p.Group) {
			groups = append(groups, p.Group)
		}
	}
	sort.SliceStable(groups, func(i, j int) bool { return groups[i] < groups[j] })
	return groups
}

// Logits returns the buffer of logits, once it is bound: a row of kernel.RowStride(Vocabulary) floats an output.
func (g *Graph) Logits() *gpu.Buffer { return g.Resolve(g.logits).Buffer }

// SplitSubmissions bounds how many tokens times layers one submission computes; 0 leaves a step whole.
func (g *Graph) SplitSubmissions(tokenLayers int) { g.tokenLayers = tokenLayers }

// SplitFirst has the first layer of steps be a submission of its own, or no longer.
func (g *Graph) SplitFirst(on bool) { g.firstAlone = on }

// split ends a submission before a layer, where those since the last one make up as much as one may compute.
func (g *Graph) split(rec *gpu.Recorder, layer, tokens int) {
	if g.firstAlone && layer == 1 || g.tokenLayers > 0 && layer%max(1, g.tokenLayers/max(tokens, 1)) == 0 {
		rec.Split()
	}
}

// Record records a step, from its tables and copies to its logits; look, unless it is nil, is what is to be read of it on the way.
func (g *Graph) Record(rec *gpu.Recorder, s *kernel.StepData, look *Look) {
	g.look = look
	g.keep(rec, s)
	if len(s.Copies) > 0 {
		for _, record := range g.copies {
			record(rec, len(s.Copies))
		}
	}
	g.recordForward(rec, s)
}

// Release gives caches and activations back.
func (g *Graph) Release() {
	g.Program.Release()
	for _, a := range g.attentions {
		a.Release()
	}
	for _, k := range g.owned {
		k.Release()
	}
}
