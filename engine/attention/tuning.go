package attention

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"quire/engine/gpu"
	"quire/engine/json"
	"quire/engine/kernel"
	"quire/shaders"
)

// Tuning is which tiles, of attention and of products, and which shapes of one row's products, are fastest on one adapter, as measured by quire tune. It changes
// what the adapter's own choice is, Params.Variant "" here and in package kernel, and never deterministic mode.
type Tuning struct {
	Adapter string `json:"adapter"`
	Backend string `json:"backend"`
	Driver  string `json:"driver"`
	Kernels string `json:"kernels"`         // hash of the kernels' text that was measured
	Plain   bool   `json:"plain,omitempty"` // subgroups give wrong results: the tiles were measured, and run, without
	Tiles   []Best `json:"tiles"`           // by rising head dim

	Products     []kernel.TunedRow  `json:"products,omitempty"`     // shapes of one row's products
	ProductTiles []kernel.TunedTile `json:"productTiles,omitempty"` // tiles of several rows'
}

// Best are the fastest tiles for a head dim, and for those below it down to the next.
type Best struct {
	HeadDim int    `json:"headDim"`
	Prefill string `json:"prefill"`          // see Tiles; of those that compute in f32
	Matrix  string `json:"matrix,omitempty"` // of the matrix variant's, where one is faster than Prefill
	Decode  string `json:"decode"`
	Units   int    `json:"units,omitempty"` // compute units that decode's spans are to fill, see ChooseSplit; 0: not known
}

// Tunings are those of several adapters.
type Tunings []Tuning

// ErrTunings is text that holds no tunings.
var ErrTunings = errors.New("no remembered tiles")

// tuningsFormat is the version of tunings' text.
const tuningsFormat = 2

type tuningsText struct {
	Format   int     `json:"quire_tuning"`
	Adapters Tunings `json:"adapters"`
}

// ParseTunings reads what Tunings.Text wrote. Text of another kind or version is an ErrTunings, to be told and passed over:
// nothing but speed is lost.
func ParseTunings(text []byte) (Tunings, error) {
	var t tuningsText
	if err := json.Unmarshal(text, &t); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTunings, err)
	}
	if t.Format != tuningsFormat {
		return nil, fmt.Errorf("%w: the text is of version %d, %d is understood", ErrTunings, t.Format, tuningsFormat)
	}
	for _, a := range t.Adapters {
		last := 0
		for _, b := range a.Tiles {
			if b.HeadDim <= last || b.Units < 0 {
				return nil, fmt.Errorf("%w: %s has a head dim of %d after %d, and %d units", ErrTunings, a.Adapter, b.HeadDim, last, b.Units)
			}
			last = b.HeadDim
		}
		for _, p := range a.ProductTiles {
			if err := p.Validate(); err != nil {
				return nil, fmt.Errorf("%w: %s, products of %s of %d × %d: %w", ErrTunings, a.Adapter, p.Type, p.Rows, p.Columns, err)
			}
		}
	}
	return t.Adapters, nil
}

// Text writes the tunings as JSON.
func (ts Tunings) Text() []byte {
	text, err := json.Marshal(tuningsText{tuningsFormat, ts})
	if err != nil {
		return nil // strings and numbers only: cannot be
	}
	return append(text, '\n')
}

// NewTuning begins a tuning of an adapter.
func NewTuning(info gpu.AdapterInfo) Tuning {
	return Tuning{Adapter: info.Name, Backend: info.Backend, Driver: info.Driver, Kernels: shaders.Hash()}
}

// same reports whether both are of one adapter, driver and text of kernels.
func (t Tuning) same(u Tuning) bool {
	return t.Adapter == u.Adapter && t.Backend == u.Backend && t.Driver == u.Driver && t.Kernels == u.Kernels
}

// For returns the adapter's tuning, or nil where there is none, or one of another driver or other kernels.
func (ts Tunings) For(info gpu.AdapterInfo) *Tuning {
	if len(ts) == 0 { // a hash of all kernels takes a tab longer than it has
		return nil
	}
	wanted := NewTuning(info)
	if i := slices.IndexFunc(ts, wanted.same); i >= 0 {
		return &ts[i]
	}
	return nil
}

// With returns the tunings with t in place of its adapter's others. What one of the same driver and kernels measured
// beyond t, other head dims, units and matrices, is kept, and so is a shape that was found among more of them.
func (ts Tunings) With(t Tuning) Tunings {
	i := slices.IndexFunc(ts, t.same)
	if i >= 0 && len(t.Tiles) == 0 {
		t.Plain = ts[i].Plain
	}
	if i >= 0 && ts[i].Plain == t.Plain {
		t.Tiles = mergeTiles(ts[i].Tiles, t.Tiles)
		t.Products = mergeRows(ts[i].Products, t.Products)
		t.ProductTiles = mergeProductTiles(ts[i].ProductTiles, t.ProductTiles)
	}
	return append(ts.Without(t.Adapter, t.Backend), t)
}

// mergeTiles replaces older tiles by newer ones of their head dims.
func mergeTiles(older, newer []Best) []Best {
	merged := slices.Clone(newer)
	for _, b := range older {
		i := slices.IndexFunc(newer, func(n Best) bool { return n.HeadDim == b.HeadDim })
		switch {
		case i < 0:
			merged = append(merged, b)
		case merged[i].Units == 0:
			merged[i].Units = b.Units
		}
	}
	slices.SortFunc(merged, func(a, b Best) int { return cmp.Compare(a.HeadDim, b.HeadDim) })
	return merged
}

// mergeRows replaces older shapes by newer ones of their matrices, but by no quick one that of a longer run.
func mergeRows(older, newer []kernel.TunedRow) []kernel.TunedRow {
	merged := slices.Clone(newer)
	for _, p := range older {
		i := slices.IndexFunc(newer, func(n kernel.TunedRow) bool { return n.RowMatrix == p.RowMatrix })
		switch {
		case i < 0:
			merged = append(merged, p)
		case newer[i].Quick && !p.Quick:
			merged[i] = p
		}
	}
	return merged
}

// mergeProductTiles replaces older tiles by newer ones of their matrices and numbers of rows.
func mergeProductTiles(older, newer []kernel.TunedTile) []kernel.TunedTile {
	merged := slices.Clone(newer)
	for _, p := range older {
		if !slices.ContainsFunc(newer, func(n kernel.TunedTile) bool { return n.TileMatrix == p.TileMatrix && n.Tokens == p.Tokens }) {
			merged = append(merged, p)
		}
	}
	return merged
}

// Without returns the tunings without an adapter's.
func (ts Tunings) Without(adapter, backend string) Tunings {
	return slices.DeleteFunc(slices.Clone(ts), func(u Tuning) bool { return u.Adapter == adapter && u.Backend == backend })
}

// best returns what was measured for a head dim, or nil.
func (t *Tuning) best(headDim int) *Best {
	if t == nil {
		return nil
	}
	i := slices.IndexFunc(t.Tiles, func(b Best) bool { return b.HeadDim >= headDim })
	if i < 0 {
		return nil
	}
	return &t.Tiles[i]
}

// Units returns the compute units that decode's spans are to fill for a head dim, or 0 where that is not known.
func (t *Tuning) Units(headDim int) int {
	if b := t.best(headDim); b != nil {
		return b.Units
	}
	return 0
}

// Row returns the shape that was measured for products of one row by such a matrix, or nil.
func (t *Tuning) Row(m kernel.RowMatrix) *kernel.RowShape {
	if t != nil {
		for i := range t.Products {
			if t.Products[i].RowMatrix == m {
				return &t.Products[i].RowShape
			}
		}
	}
	return nil
}

// TilesOf returns the tiles that were measured for products of several rows by such a matrix.
func (t *Tuning) TilesOf(m kernel.TileMatrix) (names kernel.TileNames) {
	if t != nil {
		for _, p := range t.ProductTiles {
			if i := slices.Index(kernel.TileRows[:], p.Tokens); i >= 0 && p.TileMatrix == m {
				names[i] = p.Tile
			}
		}
	}
	return names
}

// UnitsFor returns the compute units with which ChooseSplit gives a sequence of so many keys spans of about span.
func UnitsFor(span, keys, kvHeads int) int {
	return max(1, (keys+span-1)/span*kvHeads/groupsPerUnit)
}

// NeedsSubgroups reports whether a tile runs through subgroups only.
func NeedsSubgroups(tile string) bool {
	return slices.ContainsFunc(tiles, func(s shape) bool { return s.name == tile && s.direct })
}

// AsChosen returns the variant by which a tile runs where it is the adapter's own choice. The tuning may be nil.
func (t *Tuning) AsChosen(tile string, info gpu.AdapterInfo) string {
	if IsMatrix(tile) || !t.prefersSubgroups(info) {
		return tile
	}
	return tile + "+subgroup"
}

// prefersSubgroups reports whether the adapter's own choice goes through subgroups.
func (t *Tuning) prefersSubgroups(info gpu.AdapterInfo) bool {
	return info.Type != "cpu" && info.SubgroupLanes() > 0 && (t == nil || !t.Plain)
}

// adopt takes remembered tiles as far as they are known and the adapter still runs them for the parameters.
func (p Params) adopt(c *choice, b *Best, info gpu.AdapterInfo) {
	named := func(name string) (choice, bool) {
		if name == "" {
			return choice{}, false // which would ask the tuning again
		}
		p.Variant = name
		found, err := p.choose(info)
		return found, err == nil
	}
	if found, ok := named(b.Prefill); ok && found.prefill.name == b.Prefill {
		if found.prefill.name != c.prefill.name {
			c.many = shape{}
		}
		c.prefill = found.prefill
	}
	if found, ok := named(b.Decode); ok && found.decode.name == b.Decode && (!found.decode.direct || p.Tuning.prefersSubgroups(info)) {
		c.decode = found.decode
	}
	if found, ok := named(b.Matrix); ok && p.prefersMatrix(info) {
		c.matrix = found.matrix
	}
}
