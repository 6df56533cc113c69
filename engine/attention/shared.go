package attention

import (
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// Cascade in decode: where sequences of a step share the blocks of a prefix, the queries of all of them go through its keys
// as the rows of one item, so that K and V are read for a tile of queries instead of for each sequence. What comes of it
// lies where each sequence's own partial results are, and the usual merge takes both.

// leastShared is the fewest keys that are worth an item of their own.
const leastShared = 256

// Spans of shared keys: the least, and how many workgroups of a launch are wanted for each compute unit.
const (
	sharedSpan    = 128
	sharedPerUnit = 4
)

// mostShared is the most query rows of a token, for a KV head, whose keys are worth sharing where a direct tile takes them alone: with
// more, arithmetic bounds that as it does the prefill kernel, which then saves nothing.
const mostShared = 2

// pays reports whether rows that share keys gain by it.
func (a *Attention) pays() bool {
	return !a.decodeTile.spreads() || a.params.Heads/a.params.KVHeads <= mostShared
}

// shares reports whether rows may share keys: where what a query sees depends on its place beyond the causal order, or on its
// sequence, they may not.
func (p *Params) shares() bool {
	return p.Shared && !p.Deterministic && !p.Bidirectional && p.Window == 0 && !p.ALiBi && p.Mask == NoMask && p.Dropout.P == 0
}

// sharedShape is the prefill tile that items of shared keys take: a large one would stay half empty.
func (p Params) sharedShape(c choice) shape {
	if c.prefill.rows <= 64 {
		return c.prefill
	}
	for _, s := range tiles {
		if s.wide && s.rows == 64 {
			return s
		}
	}
	return c.prefill
}

// Sharing is how rows share keys.
type Sharing struct {
	span, spans int // of the shared keys
	apart       int // partial results of a token
	Partials    int // in all
}

// Share plans items of shared keys: so many rows of one token each that begin with so many equal keys, of which one has
// longest keys at most; splitSpan is ChooseSplit's. It is false where sharing would gain nothing.
func (a *Attention) Share(rows, keys, longest, splitSpan, computeUnits int) (s Sharing, ok bool) {
	if keys < leastShared || 2*rows*a.params.Heads/a.params.KVHeads < a.sharedTile.rows {
		return s, false
	}
	s = a.sharing(rows, keys, longest, splitSpan, computeUnits)
	return s, s.apart <= a.mergeMost
}

func (a *Attention) sharing(rows, keys, longest, splitSpan, computeUnits int) (s Sharing) {
	perToken := a.params.Heads / a.params.KVHeads
	tiles := (rows*perToken + a.sharedTile.rows - 1) / a.sharedTile.rows
	wanted := max(1, sharedPerUnit*computeUnits/(tiles*a.params.KVHeads))
	s.span = min(max((keys+wanted-1)/wanted, sharedSpan), a.sharedMost)
	tile := a.sharedTile.keys
	s.span = min((s.span+tile-1)/tile*tile, max(tile, a.sharedMost/tile*tile))
	s.spans = (keys + s.span - 1) / s.span
	_, own := a.spans(longest-keys, splitSpan)
	s.apart = s.spans + own
	s.Partials = rows * a.decodeTiles() * s.apart
	return s
}

// decodeTiles are the tiles of a token's query rows.
func (a *Attention) decodeTiles() int {
	return (a.params.Heads/a.params.KVHeads + a.decodeTile.rows - 1) / a.decodeTile.rows
}

// AppendShared appends the items of the rows [first, first+rows), of one token each, which share their first keys: those of
// the shared keys, and of each row its own. Share has planned it. All of the step's rows are there.
func (a *Attention) AppendShared(d *kernel.StepData, first, rows, keys, splitSpan int, s Sharing) {
	list := d.List(a.params.List)
	perToken := a.params.Heads / a.params.KVHeads
	to := list.Partials
	row := uint32(len(d.Rows) + len(d.SharedRows))
	d.SharedRows = append(d.SharedRows, kernel.StepRow{First: d.Rows[first].First, Count: uint32(rows), Start: uint32(keys), Lane: d.Rows[first].Lane, From: uint32(s.apart)})
	if len(d.Tables) > 0 {
		d.Tables = append(d.Tables, d.Tables[first])
	}
	for at := 0; at < rows*perToken; at += a.sharedTile.rows {
		for n := range s.spans {
			list.Shared = append(list.Shared, kernel.Item{Row: row, First: uint32(at), KeyBegin: uint32(n * s.span), KeyEnd: uint32(min(keys, (n+1)*s.span)),
				To: uint32(to + n)})
		}
	}
	for i := first; i < first+rows; i++ {
		longest := int(d.Rows[i].Start) + 1
		span, spans := a.spans(longest-keys, splitSpan)
		for flat := 0; flat < perToken; flat += a.decodeTile.rows {
			list.Merges = append(list.Merges, kernel.Merge{Row: uint32(i), First: uint32(to), Count: uint32(s.spans + spans), Flat: uint32(flat)})
			for n := range spans {
				list.Decode = append(list.Decode, kernel.Item{Row: uint32(i), First: uint32(flat), KeyBegin: uint32(keys + n*span),
					KeyEnd: uint32(min(longest, keys+(n+1)*span)), To: uint32(to + s.spans + n)})
			}
			to += s.apart
		}
	}
	list.Partials = to
}

// newShared composes the kernel of shared keys, where there may be any. With SharedLate it does not compile before rows share keys.
func (a *Attention) newShared(c choice) error {
	p := a.params
	if !p.shares() || !a.pays() {
		return nil
	}
	c.prefill = p.sharedShape(c)
	info := a.device.Info()
	t, err := c.prefill.tile(p.HeadDim, memoryLimit(info), c.f16)
	if err != nil {
		return err
	}
	p.LSE = false // the merge writes it
	spec := p.spec(t, c, info)
	if c.prefill.wide {
		spec = p.wideSpec(t, c, info, 1)
	}
	if c.prefill.square {
		spec = p.squareSpec(t, c, info)
	}
	spec = sharedSpec(spec, a.decodeTile.rows, p.List)
	w, err := p.whole(&spec, t.keys)
	if err != nil {
		return err
	}
	if a.sharedModule, err = kernel.Module(a.device, spec); err != nil {
		return err
	}
	a.sharedTile, a.sharedMost = t, w.most()
	if !p.SharedLate {
		a.shared = a.device.Kernel(a.sharedModule)
	}
	return nil
}

// sharedSpec has a prefill kernel take items of shared keys.
func sharedSpec(s kernel.Spec, splitRows, list int) kernel.Spec {
	for i := range s.Consts {
		if s.Consts[i].Name == "ITEMS_WORD" {
			s.Consts[i].Value = kernel.SharedWord(list)
		}
	}
	s.Consts = append(s.Consts, kernel.Const{Name: "SPLIT_ROWS", Value: splitRows})
	s.Slots["finish"], s.Slots["walk"] = "attention_shared", "walk_whole"
	s.Bindings = append(s.Bindings, gpu.ReadWrite)
	s.Variant += "+shared"
	return s
}

// MayShare reports whether rows may share keys, once the kernel for it has compiled.
func (a *Attention) MayShare() bool { return a.sharedModule != nil }

// Shares reports whether rows may share keys now. A late kernel begins to compile the first time that it is asked.
func (a *Attention) Shares() bool {
	switch {
	case a.sharedModule == nil:
		return false
	case a.shared == nil:
		a.shared = a.device.Kernel(a.sharedModule)
		return false
	case !a.shared.Ready():
		return false
	}
	for len(a.unshared) > 0 {
		if err := a.bindShared(a.unshared[0]); err != nil {
			a.sharedModule = nil // the step that comes next tells of a device that is lost
			return false
		}
		a.unshared = a.unshared[1:]
	}
	return true
}

func (a *Attention) bindShared(b *Bindings) (err error) {
	o := &b.operands
	b.shared, err = a.device.Bind(a.shared, o.Step, o.Q, o.K, o.V, o.Out, o.Partials)
	return err
}
