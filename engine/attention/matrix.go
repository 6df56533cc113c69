package attention

import (
	"fmt"
	"slices"
	"strings"

	"quire/engine/gpu"
	"quire/engine/kernel"
)

// matrixTile is a workgroup's share of the matrix variant: f16 products with f32 sums in fragments of 16 × 16. A subgroup
// owns 16·fragments query rows and walks keys in tiles.
type matrixTile struct {
	name      string
	subgroups int // of a workgroup
	fragments int // of 16 query rows, of a subgroup
	keys      int // 16, 32 or 64
}

// matrixTiles are the tiles of the matrix variant: query rows × keys, × subgroups where they are not 4. More fragments read K and
// V less often, from more registers.
var matrixTiles = []matrixTile{
	{name: "matrix128x32", subgroups: 4, fragments: 2, keys: 32},
	{name: "matrix128x32x8", subgroups: 8, fragments: 1, keys: 32},
	{name: "matrix64x32", subgroups: 4, fragments: 1, keys: 32},
	{name: "matrix64x64", subgroups: 4, fragments: 1, keys: 64},
}

// IsMatrix reports whether a tile is the matrix variant's, which rounds Q, K, V and the weights to f16.
func IsMatrix(tile string) bool { return strings.HasPrefix(tile, "matrix") }

// side is that of a fragment.
const side = 16

// matrixConfig is what the fragments' library multiplies.
var matrixConfig = gpu.MatrixConfig{Factor: "f16", Sum: "f32", M: side, N: side, K: side}

// maxPieces is how many pieces of Q's and the output's columns attention_matrix.wgsl spells out.
const maxPieces = 8

func (t matrixTile) rows() int { return side * t.fragments * t.subgroups }

func depth(headDim int) int { return (headDim + side - 1) / side }

// memory returns the bytes of workgroup memory: halves of K and V, and of P; floats of S, and what is told of rows and subgroups.
func (t matrixTile) memory(headDim int) int {
	halves := 2*t.keys*(side*depth(headDim)+8) + t.rows()*(t.keys+8)
	marks := (t.subgroups + 3) / 4 * 4
	return 2*halves + 4*(t.rows()*(t.keys+4)+t.rows()+marks)
}

// pieces returns in how many pieces Q and O go through workgroup memory.
func (t matrixTile) pieces(headDim int) int {
	return (side*depth(headDim) + t.keys - 1) / t.keys
}

// check returns an error that says what the adapter lacks for the tile.
func (t matrixTile) check(p Params, info gpu.AdapterInfo) error {
	lanes := t.subgroups * int(info.SubgroupMax)
	switch {
	case !info.Features.Has(gpu.FeatureSubgroupMatrix|gpu.FeatureSubgroups|gpu.FeatureF16) || !info.HasMatrix(matrixConfig):
		return fmt.Errorf("attention: variant %s: adapter %s has no subgroup matrices of 16 × 16 in f16 with f32 sums", t.name, info.Name)
	case info.SubgroupMin != info.SubgroupMax || info.SubgroupMax < side || info.SubgroupMax > 4*side:
		return fmt.Errorf("attention: variant %s: adapter %s has subgroups of %d to %d, one size from 16 to 64 is needed",
			t.name, info.Name, info.SubgroupMin, info.SubgroupMax)
	case 2*side*t.fragments < int(info.SubgroupMax):
		return fmt.Errorf("attention: variant %s: more than two of adapter %s's %d lanes would share a row", t.name, info.Name, info.SubgroupMax)
	case p.Deterministic:
		return fmt.Errorf("attention: variant %s: rows of a tile are rescaled together, deterministic mode needs baseline", t.name)
	case t.memory(p.HeadDim) > memoryLimit(info):
		return fmt.Errorf("attention: variant %s: %d bytes of workgroup memory at head dim %d, adapter %s takes %d",
			t.name, t.memory(p.HeadDim), p.HeadDim, info.Name, memoryLimit(info))
	case lanes > int(max(info.Limits.MaxComputeInvocationsPerWorkgroup, 256)):
		return fmt.Errorf("attention: variant %s: %d invocations, adapter %s takes %d", t.name, lanes, info.Name,
			info.Limits.MaxComputeInvocationsPerWorkgroup)
	case t.pieces(p.HeadDim) > maxPieces:
		return fmt.Errorf("attention: variant %s: head dim %d is too large for its tile", t.name, p.HeadDim)
	}
	return nil
}

// matrixFor resolves a name of the matrix variant: a tile's, or "matrix" for what suits the head dim and fits the adapter.
func (p Params) matrixFor(name string, info gpu.AdapterInfo) (*matrixTile, error) {
	names := []string{name}
	if name == "matrix" {
		names = []string{"matrix64x32"}
		if p.HeadDim > 64 && p.HeadDim <= 128 {
			names = []string{"matrix128x32x8", "matrix64x32"}
		}
	}
	var err error
	for _, name := range names {
		i := slices.IndexFunc(matrixTiles, func(t matrixTile) bool { return t.name == name })
		if i < 0 {
			return nil, fmt.Errorf("attention: no variant %q; there are matrix and %s", name, strings.Join(matrixNames(), ", "))
		}
		t := matrixTiles[i]
		if err = t.check(p, info); err == nil {
			return &t, nil
		}
	}
	return nil, err
}

func matrixNames() []string {
	var names []string
	for _, t := range matrixTiles {
		names = append(names, t.name)
	}
	return names
}

// prefersMatrix reports whether the matrix variant is taken unasked where a tuning found it faster, and right: where K and V
// are f16 anyway, so that nothing but Q and the weights is rounded further.
func (p Params) prefersMatrix(info gpu.AdapterInfo) bool {
	if p.KVType != kernel.KVF16 || p.Deterministic {
		return false
	}
	_, err := p.matrixFor("matrix", info)
	return err == nil
}

// matrixSpec specialises shaders/attention_matrix.wgsl for subgroups of the given size. plain takes the emulation of the
// fragments, which any adapter runs.
func (p Params) matrixSpec(t matrixTile, subgroup int, plain bool) kernel.Spec {
	rows := side * t.fragments
	rowLanes := min(subgroup, rows)
	s := p.itemSpec("attention_matrix", t.name, kernel.WordPrefillItems, []kernel.Const{
		{Name: "SUBGROUP", Value: subgroup}, {Name: "SUBGROUPS", Value: t.subgroups}, {Name: "WORKGROUP", Value: subgroup * t.subgroups},
		{Name: "FRAGMENTS", Value: t.fragments}, {Name: "ROWS", Value: rows}, {Name: "BK", Value: t.keys},
		{Name: "ROW_LANES", Value: rowLanes}, {Name: "LANES_A_ROW", Value: subgroup / rowLanes}, {Name: "ROWS_EACH", Value: rows / rowLanes},
		{Name: "BQ", Value: t.rows()}, {Name: "PARTS", Value: t.fragments * depth(p.HeadDim)},
		{Name: "FETCHES", Value: (t.keys*2*depth(p.HeadDim) + subgroup*t.subgroups - 1) / (subgroup * t.subgroups)},
		{Name: "DEPTH", Value: depth(p.HeadDim)}, {Name: "KEY_PARTS", Value: t.keys / side}, {Name: "KEYS_EACH", Value: t.keys * rowLanes / subgroup},
		{Name: "PIECES", Value: t.pieces(p.HeadDim)},
	}...)
	s.Slots["fragments"] = "attention_fragments_subgroup"
	s.Unrolled, s.Needs = true, gpu.FeatureF16|gpu.FeatureSubgroups|gpu.FeatureSubgroupMatrix
	// Subgroup matrices are GPUs' own, whose drivers count no turns.
	s.Most, s.MaxTurns = []kernel.Const{{Name: "TILES", Value: 1}}, -1
	if p.KVType == kernel.KVF16 && p.HeadDim%8 == 0 {
		s.Slots["eight"] = "matrix_kv_f16"
	} else {
		s.Slots["eight"], s.Slots["kv"] = "matrix_kv_any", p.kvLibrary()
	}
	if plain {
		s.Slots["fragments"] = "attention_fragments_plain"
		s.Variant, s.Needs, s.Unrolled = "matrix_plain", 0, false
	}
	p.keepLSE(&s)
	return s
}
