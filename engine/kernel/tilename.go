package kernel

import (
	"fmt"
	"slices"
)

// TileRows are the numbers of rows that tiles of products are measured with. Each stands for those below it, down to the one before, and the
// last for those above it, too.
var TileRows = [...]int{8, 32, 128, MostTileRows}

// MostTileRows is the last of TileRows.
const MostTileRows = 512

// TileNames are the tiles of a product for TileRows; "": the adapter's choice. Tiles differ in how workgroups share a product, never in the order
// in which a sum over K is made: the same comes of all, bit for bit.
//
//	tile64, tile128   as many rows of x and of W are a workgroup's
//	tile128ahead      and the next columns are fetched while some are multiplied
//	skinny4x64, …     so many rows of W are an invocation's, of so many in a workgroup; rows of x and lanes are the adapter's choice
type TileNames [len(TileRows)]string

// TileMatrix is what tiles are measured for.
type TileMatrix struct {
	RowMatrix
	Norm bool `json:"norm,omitempty"` // rows go through RMSNorm first
}

// TunedTile is the tile that was fastest.
type TunedTile struct {
	TileMatrix
	Tokens int    `json:"tokens"` // one of TileRows
	Tile   string `json:"tile"`
}

// TileMatrix tells products apart whose tiles may differ.
func (p *LinearParams) TileMatrix() TileMatrix { return TileMatrix{p.RowMatrix(), p.Norm} }

// Validate refuses what no tuning gives, by name.
func (t *TunedTile) Validate() error {
	class := slices.Index(TileRows[:], t.Tokens)
	switch {
	case class < 0:
		return fmt.Errorf("%d tokens, which no tile is measured with", t.Tokens)
	case !isTile(t.Tile) && skinnyNamed(skinnyShape{}, t.Tile) == nil:
		return fmt.Errorf("tile %q for %d tokens is not known", t.Tile, t.Tokens)
	}
	return nil
}

// rowsClass is the place in TileRows that stands for m rows.
func rowsClass(m int) int {
	i, _ := slices.BinarySearch(TileRows[:], m)
	return min(i, len(TileRows)-1)
}

var tileWays = map[string]tileWay{"tile64": {tile: matmulTile}, "tile128": {tile: tile128}, "tile128ahead": {tile: tile128, ahead: true}}

func isTile(name string) bool { _, ok := tileWays[name]; return ok }

// tileName is the way's among TileNames.
func tileName(s shape) string { return s.(interface{ name() string }).name() }

func (w tileWay) name() string {
	name := fmt.Sprintf("tile%d", w.tile)
	if w.ahead {
		name += "ahead"
	}
	return name
}

func (s skinnyShape) name() string { return fmt.Sprintf("skinny%dx%d", s.tile, s.workgroup) }

// skinnies are the shapes that sum as s does.
func skinnies(s skinnyShape) (list []skinnyShape) {
	for _, tile := range []int{4, 8} {
		for _, workgroup := range []int{64, 128, 256} {
			s.tile, s.workgroup = tile, workgroup
			list = append(list, s)
		}
	}
	return list
}

// skinnyNamed is the one of a name; nil: there is none.
func skinnyNamed(s skinnyShape, name string) *skinnyShape {
	for _, other := range skinnies(s) {
		if other.name() == name {
			return &other
		}
	}
	return nil
}

// tilesOf lists the ways that may be taken in place of an adapter's choice for so many rows; none where it has no other.
func (a arithmetic) tilesOf(p *LinearParams, own shape, class int) (list []shape) {
	switch own := own.(type) {
	case tileWay:
		for _, name := range []string{"tile64", "tile128", "tile128ahead"} {
			if w := tileWays[name]; !w.ahead || a.memory >= aheadMemory {
				list = append(list, w)
			}
		}
	case skinnyWay:
		if class != skinnyClass(own) {
			return nil
		}
		for _, s := range skinnies(own.skinnyShape) {
			if s.lanes <= s.workgroup && s.workgroup <= a.invocations && s.room(p, int(own.subgroup)) <= max(a.memory, baselineMemory) {
				own.skinnyShape = s
				list = append(list, own)
			}
		}
	}
	return list
}

// skinnyClass is what stands for the rows of the way; −1: nothing does, for its rows are fewer than tiles are measured with.
func skinnyClass(w skinnyWay) int {
	if w.rows < TileRows[0] {
		return -1
	}
	return rowsClass(w.most)
}

// tuned takes the tiles of p.Tiles that the adapter has and the product may take.
func (a arithmetic) tuned(p *LinearParams, all []shape) []shape {
	named := func(own shape, class int) shape {
		for _, s := range a.tilesOf(p, own, class) {
			if tileName(s) == p.Tiles[class] {
				return s
			}
		}
		return nil
	}
	all = slices.Clone(all)
	for i, s := range all {
		if own, ok := s.(skinnyWay); ok && skinnyClass(own) >= 0 {
			if t := named(own, skinnyClass(own)); t != nil {
				all[i] = t
			}
		}
	}
	first := slices.IndexFunc(all, func(s shape) bool { _, ok := s.(tileWay); return ok })
	if first < 0 {
		return all
	}
	var tiles []shape
	for class := range p.Tiles {
		t, ok := named(all[first], class).(tileWay)
		own := slices.IndexFunc(all[first:], func(s shape) bool { return s.takes(p, TileRows[class]) })
		if !ok || own >= 0 && tileName(all[first+own]) == t.name() { // fewer rows of a class may be the adapter's reason for another
			continue
		}
		i := slices.IndexFunc(tiles, func(s shape) bool { return s.(tileWay).name() == t.name() })
		if i < 0 {
			i, tiles = len(tiles), append(tiles, t)
		}
		t.classes = tiles[i].(tileWay).classes | 1<<class
		tiles[i] = t
	}
	return slices.Insert(all, first, tiles...)
}
