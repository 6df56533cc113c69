package attention

import (
	"fmt"

	"quire/engine/kernel"
)

// shape is what a tile's name stands for: query rows × keys, and how many invocations share them. An invocation owns
// rows/threadsY query rows, a multiple of 4, and keys/threadsX keys; in a direct shape a group of them has all rows.
type shape struct {
	name               string
	rows, keys         int
	threadsX, threadsY int
	decode             bool
	wide               bool // prefill through shaders/attention_wide.wgsl
	square             bool // prefill through shaders/attention_square.wgsl
	direct             bool // decode through shaders/attention_decode.wgsl: threadsX invocations, keys at a time in each group of lanes
	exchange           int  // invocations that a direct tile's adapter has in a subgroup
	spread             bool // direct: invocations that share a key may share its scores
	near               bool // and those next to each other exchange the most
	early              bool // direct: the first keys are read before the queries
}

// baselineMemory is the workgroup memory that every adapter has, namedMemory the most that a named tile takes, both in
// bytes: beyond it too few workgroups share a compute unit.
const (
	baselineMemory = 16 << 10
	namedMemory    = 48 << 10
)

// baseline returns the tiles that every adapter runs.
func (p Params) baseline() (prefill, decode shape) {
	prefill = shape{name: "baseline", rows: 16, keys: 32, threadsX: 16, threadsY: 4}
	if p.HeadDim > 128 {
		prefill.rows, prefill.threadsY = 8, 2
	}
	if p.HeadDim > 256 { // with no more of the output in an invocation's registers
		prefill.threadsX = 32
	}
	decode = shape{name: "baseline", keys: 32, threadsX: prefill.threadsX, decode: true}.rowsFor(p)
	if p.HeadDim > 128 && decode.rows > prefill.rows {
		decode.rows, decode.threadsY = prefill.rows, prefill.rows/4
	}
	return prefill, decode
}

// rowsFor gives a decode tile as many rows as query heads share a KV head, from 4 to 16; at most 8 in a direct one.
func (s shape) rowsFor(p Params) shape {
	if s.direct {
		s.rows, s.threadsY = min(p.Heads/p.KVHeads, 8), 1
		return s
	}
	s.rows = 4
	for s.rows < p.Heads/p.KVHeads && s.rows < 16 {
		s.rows *= 2
	}
	s.threadsY = s.rows / 4
	return s
}

// tile is a shape for a head dim: how K, V and Q go through workgroup memory.
type tile struct {
	shape
	columns int  // of four elements, of a row
	slabs   int  // pieces of K's columns, and of V's keys; a power of two
	wholeQ  bool // Q stays staged; without, its slab goes with K's
	both    bool // K and V are staged at once
	element int  // bytes of four staged elements
	lanes   int  // that share a key, of a direct tile
	piece   int  // keys of V that a square tile stages at a time
}

// tile lays a shape out: in as few slabs as memory bytes allow, with Q staged once where that leaves slabs wide.
func (s shape) tile(headDim, memory int, f16 bool) (tile, error) {
	switch {
	case s.direct:
		return s.directTile(headDim, memory)
	case s.wide:
		return s.wideTile(headDim, memory)
	case s.square:
		return s.squareTile(headDim, memory)
	}
	t := tile{shape: s, columns: (headDim + 3) / 4, slabs: 1, element: 16}
	if f16 {
		t.element = 8
	}
	if s.name == "baseline" {
		memory = baselineMemory
	}
	if s.decode && s.name != "baseline" {
		t.wholeQ, t.both = true, true
		if t.memory() <= memory {
			return t, nil
		}
		t.both = false
	}
	for _, t.wholeQ = range []bool{true, false} {
		for t.slabs = 1; t.slabs <= s.keys/t.parts() && t.slabs < 2*t.columns; t.slabs *= 2 {
			wide := t.slab() >= 8 || t.slabs == 1 || s.name == "baseline"
			if t.slab() <= 16 && t.memory() <= memory && (wide || !t.wholeQ) {
				return t, nil
			}
		}
	}
	return t, fmt.Errorf("attention: tile %s does not fit %d bytes of workgroup memory at head dim %d", s.name, memory, headDim)
}

func (t tile) threads() int { return t.threadsX * t.threadsY }

func (t tile) slab() int { return (t.columns + t.slabs - 1) / t.slabs }

// stride is the distance in columns of a slab's keys in workgroup memory: odd, so that neighbouring keys lie in
// different banks.
func (t tile) stride() int { return t.slab() | 1 }

// outThreads are the invocations along the keys that own different columns of the output; parts of them share a column.
// The baseline has one part: summing several takes software adapters long to compile.
func (t tile) outThreads() int { return min(t.threadsX, t.columns) }

func (t tile) parts() int {
	parts := 1
	for t.name != "baseline" && !t.wide && !t.square && 2*parts*t.outThreads() <= t.threadsX {
		parts *= 2
	}
	return parts
}

func (t tile) stages() int {
	if t.both {
		return 2
	}
	return 1
}

func (t tile) qSlabs() int {
	if t.wholeQ {
		return t.slabs
	}
	return 1
}

// memory returns the bytes of workgroup memory.
func (t tile) memory() int {
	quads := t.rows / 4
	switch {
	case t.wide:
		return t.wideMemory()
	case t.square:
		return t.squareMemory()
	case t.direct:
		return t.directMemory()
	}
	return t.element*(4*t.slab()*t.qSlabs()*quads+t.stages()*t.keys*t.stride()+t.keys*(quads|1)) + 16*t.threadsX*quads
}

// batch is how many loads an invocation has in flight.
func (t tile) batch() int {
	most := 4
	switch {
	case t.name == "baseline":
		return 1
	case t.decode:
		most = 8
	}
	return max(1, min(most, t.keys*t.slab()/t.threads()))
}

func (t tile) consts() []kernel.Const {
	return []kernel.Const{
		{Name: "TX", Value: t.threadsX}, {Name: "TY", Value: t.threadsY}, {Name: "RG", Value: t.rows / 4 / t.threadsY},
		{Name: "RK", Value: t.keys / t.threadsX}, {Name: "SLABS", Value: t.slabs}, {Name: "SLAB", Value: t.slab()},
		{Name: "SLAB_STRIDE", Value: t.stride()}, {Name: "Q_SLABS", Value: t.qSlabs()}, {Name: "STAGES", Value: t.stages()},
		{Name: "P_STRIDE", Value: t.rows/4 | 1}, {Name: "CX", Value: t.outThreads()}, {Name: "PARTS", Value: t.parts()},
		{Name: "RC", Value: (t.columns + t.outThreads() - 1) / t.outThreads()}, {Name: "BATCH", Value: t.batch()},
	}
}
