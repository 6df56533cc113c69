package kernel

import (
	"fmt"

	"quire/engine/gpu"
	"quire/engine/quant"
)

// LinearVariants are the names that LinearParams.Variant takes. Without one the adapter's features decide, by unasked:
//
//	f32       sums and factors; on every adapter
//	f16       factors, and sums of eight products, in f16, all other sums in f32; large adapters that have it, for 17 to 32 rows
//	          and Q4_0's codes, which no sum of eight takes out of f16's range; for 65 to 384 rows of them
//	          sums are of 16, and for 5 to 8 two of 16 are added; by name of matrices of any size
//	matrix    subgroup matrices with factors in f16 and sums in f32, for many rows; large adapters that have them
//	packed    x rounded to 8 bits, and dot products of integers, for many rows; only by its name
//
// "baseline", "subgroup" and "tile128" are f32 too, with less than the adapter may have.
var LinearVariants = []string{"baseline", "f32", "f16", "matrix", "packed", "subgroup", "tile128"}

// unasked is the arithmetic beyond f32 that large adapters take without its name, where they have these features: what keeps golden logits
// within the tolerance of f16. On an H200 those of quire-tales, which may be off by 0.066, were so by 0.021 with f16 and by 0.015 with
// matrix; packed, which is none of these, has 0.29 (tests/golden/variants_test.go).
var unasked = map[string]gpu.Feature{
	"f16":    gpu.FeatureF16 | gpu.FeatureSubgroups,
	"matrix": gpu.FeatureF16 | gpu.FeatureSubgroups | gpu.FeatureSubgroupMatrix,
}

// Arithmetic is the part of a product's variant that other kernels know: "" for those that choose by the adapter.
func Arithmetic(variant string) string {
	switch variant {
	case "f32", "f16", "matrix", "packed":
		return ""
	}
	return variant
}

// matrixConfig is what products multiply subgroup matrices by.
var matrixConfig = gpu.MatrixConfig{Factor: "f16", Sum: "f32", M: 16, N: 16, K: 16}

// matrixMemory is the workgroup memory that they take at most, in bytes.
const matrixMemory = 20 << 10

// arithmetic is what a product may use of an adapter.
type arithmetic struct {
	subgroup       uint32 // over how many invocations sums may go; 0: none
	large          bool   // a GPU that wide tiles fill
	halves         bool   // f16
	tiled          bool   // and tiles in it
	matrix, packed bool
	named          bool // asked for: all that may be are multiplied so
	memory         int  // of a workgroup, in bytes
	invocations    int  // that a workgroup may have
}

func arithmeticOf(variant string, info gpu.AdapterInfo) (a arithmetic, err error) {
	switch variant {
	case "", "f32", "f16", "matrix", "packed", "subgroup":
		a.subgroup = subgroupSize(info)
		a.large = variant != "subgroup" && info.Type == "discrete"
	case "tile128":
		a.large = true
	case "baseline":
	default:
		return a, fmt.Errorf("linear: unknown variant %q", variant)
	}
	takes := func(name string) bool {
		needs, ok := unasked[name]
		return variant == name || variant == "" && a.large && ok && info.Features.Has(needs)
	}
	halves := info.Features.Has(gpu.FeatureF16|gpu.FeatureSubgroups) && a.subgroup > 0
	matrices := info.Features.Has(gpu.FeatureSubgroupMatrix|gpu.FeatureSubgroups|gpu.FeatureF16) && info.HasMatrix(matrixConfig) &&
		info.SubgroupMin == 32 && info.SubgroupMax == 32 && int(info.Limits.MaxComputeWorkgroupStorageSize) >= matrixMemory
	switch {
	case variant == "subgroup" && a.subgroup == 0, variant == "packed" && a.subgroup == 0:
		return a, fmt.Errorf("linear: variant %s: adapter %s has no subgroups of a known size", variant, info.Name)
	case variant == "packed" && !gpu.PackedDot():
		return a, fmt.Errorf("linear: variant packed: this browser, or this build's WebGPU library, has no dot products of packed integers")
	case variant == "f16" && !halves:
		return a, fmt.Errorf("linear: variant f16: adapter %s has no f16, or no subgroups of a known size", info.Name)
	case variant == "matrix" && !matrices:
		return a, fmt.Errorf("linear: variant matrix: adapter %s has no subgroup matrices of 16 × 16 in f16 with f32 sums, no subgroups of 32, or less than %d KiB of workgroup memory", info.Name, matrixMemory>>10)
	}
	a.memory, a.invocations = int(info.Limits.MaxComputeWorkgroupStorageSize), int(min(info.Limits.MaxComputeInvocationsPerWorkgroup, info.Limits.MaxComputeWorkgroupSizeX))
	a.halves, a.matrix = halves && takes("f16"), matrices && takes("matrix")
	a.packed, a.named = takes("packed"), variant == "matrix" || variant == "f16"
	a.tiled = a.halves && variant == "" && !a.matrix
	a.large = a.large || a.matrix || a.packed || variant == "f16"
	return a, nil
}

// packs says whether a type's weights are integers of 8 bits or fewer, with one minimum a strip at most.
func packs(t quant.Type) bool {
	switch t {
	case quant.F32, quant.F16, quant.BF16, quant.Q2_K:
		return false
	}
	return true
}

// matvecMost is the number of rows up to which matrix × vector kernels, eight rows at a time, beat tiles.
const matvecMost = 32

// matvecs are ways for so many rows at a time, the last of them for all up to most; 0: any number.
func matvecs(rows []int, subgroup uint32, most int) (ways []shape) {
	for i, m := range rows {
		w := matvecWay{m, m, subgroup}
		if i+1 == len(rows) {
			w.most = most
		}
		ways = append(ways, w)
	}
	return ways
}

// many are the ways of large GPUs, as measured on an H200: few rows share weights in registers, RMSNorm and what becomes of heads
// included, and a tile is taken where there are enough of them for all units.
func (a arithmetic) many(p *LinearParams) []shape {
	ways := matvecs([]int{1}, a.subgroup, 1)
	strips, few := a.strips(p)
	if few && a.named {
		ways = append(ways, strips)
	}
	for _, w := range a.splits(p) { // stand where no other's work may be left to them
		ways = append(ways, w)
	}
	if w, ok := a.halvesTiles(p); ok && w.parts == 1 {
		ways = append(ways, w.shape)
	}
	if w, ok := a.some(p); ok && w.parts == 1 {
		ways = append(ways, w.shape)
	}
	ways = append(ways, skinnyWay{skinnyShapeOf(p, 4, a.memory, a.subgroup), 4, 0, a.subgroup})
	if few && !a.named {
		ways = append(ways, strips)
	}
	ways = append(ways, skinnyWay{skinnyShapeOf(p, 8, a.memory, a.subgroup), 8, 0, a.subgroup})
	if a.matrix {
		fewest := 96
		if a.named {
			fewest = 0
		}
		ways = append(ways, matrixWay{2, 2, 4, 4, 2, int(a.subgroup), false, 192}, matrixWay{2, 2, 2, 4, 4, int(a.subgroup), false, fewest})
	}
	if a.packed && packs(p.Matrix.Type) && p.Room > 0 {
		ways = append(ways, packedWay{2, 1, 192}, packedWay{1, 1, 0})
	}
	ways = append(ways, skinnyWay{skinnyShapeOf(p, 16, a.memory, a.subgroup), 32, 192, a.subgroup})
	return append(ways, a.tiles()...)
}

// tiles are ways for many rows on large GPUs.
func (a arithmetic) tiles() []shape {
	return []shape{tileWay{tile: tile128, fewest: wideGroups, ahead: a.memory >= aheadMemory}, tileWay{tile: matmulTile}}
}
