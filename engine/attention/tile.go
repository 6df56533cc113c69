package attention

import "quire/engine/kernel"

// tile is a workgroup's share of attention, inside the limits that every adapter keeps: 16 KiB of workgroup memory and
// 256 invocations. An invocation owns two query rows and two keys of the tile, so a tile is rows × 2·keyThreads.
type tile struct {
	rows       int // query rows
	keyThreads int // invocations along the keys
	slabs      int // pieces in which K and V go through workgroup memory
	slab       int // columns of four elements in a slab
}

// slabColumns bounds a slab's width.
const slabColumns = 16

func newTile(headDim, rows, keyThreads int) tile {
	columns := (headDim + 3) / 4
	slabs := (columns + slabColumns - 1) / slabColumns
	return tile{rows: rows, keyThreads: keyThreads, slabs: slabs, slab: (columns + slabs - 1) / slabs}
}

func prefillTile(headDim int) tile {
	switch {
	case headDim <= 64:
		return newTile(headDim, 16, 16)
	case headDim <= 128:
		return newTile(headDim, 16, 8)
	}
	return newTile(headDim, 8, 8)
}

// decodeTile has as many rows as query heads share a KV head, so far as the prefill tile has them.
func decodeTile(headDim, headsPerKV int) tile {
	t := prefillTile(headDim)
	rows := 4
	for rows < headsPerKV && rows < t.rows {
		rows *= 2
	}
	return newTile(headDim, rows, t.keyThreads)
}

// keys returns the keys of a tile.
func (t tile) keys() int { return 2 * t.keyThreads }

// stride is the distance in columns of a slab's keys in workgroup memory: odd, so that neighbouring keys lie in
// different banks.
func (t tile) stride() int { return t.slab | 1 }

func (t tile) columnsEach() int { return (t.slab + t.keyThreads - 1) / t.keyThreads }

// memory returns the bytes of workgroup memory.
func (t tile) memory() int {
	return 16*t.rows*t.slabs*t.slab + 16*t.keys()*t.stride() + 8*t.rows*t.keyThreads + 8*t.rows/2*t.keyThreads
}

func (t tile) consts() []kernel.Const {
	return []kernel.Const{
		{Name: "BQ", Value: t.rows}, {Name: "BK", Value: t.keys()}, {Name: "TX", Value: t.keyThreads}, {Name: "TY", Value: t.rows / 2},
		{Name: "SLABS", Value: t.slabs}, {Name: "SLAB", Value: t.slab}, {Name: "SLAB_STRIDE", Value: t.stride()},
		{Name: "SLAB_COLUMNS", Value: t.columnsEach()}, {Name: "OUT_COLUMNS", Value: t.slabs * t.columnsEach()},
		{Name: "Q_TILE", Value: t.rows * t.slabs * t.slab}, {Name: "KV_TILE", Value: t.keys() * t.stride()},
		{Name: "P_TILE", Value: t.rows * t.keyThreads}, {Name: "MAX_TILE", Value: t.rows / 2 * t.keyThreads},
	}
}
