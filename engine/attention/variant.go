package attention

import (
	"fmt"
	"slices"
	"strings"

	"quire/engine/gpu"
)

// choice is what a variant's names, or the adapter, decide.
type choice struct {
	prefill, decode shape
	many            shape // of prefill, for many rows; without any: the same
	few             shape // of decode, for few items; without any: the same
	subgroup, f16   bool
	matrix          *matrixTile // in place of prefill
}

// Variants lists the names that Params.Variant may join.
func Variants() []string {
	names := append([]string{"baseline", "subgroup", "f16", "matrix"}, tileNames()...)
	for _, t := range matrixTiles {
		names = append(names, t.name)
	}
	return names
}

// IsVariant reports whether Params.Variant may name it.
func IsVariant(name string) bool { return slices.Contains(Variants(), name) }

// choose resolves the variant for an adapter.
func (p Params) choose(info gpu.AdapterInfo) (choice, error) {
	var c choice
	c.prefill, c.decode = p.baseline()
	if p.Variant == "" {
		if !p.Deterministic {
			p.adapt(&c, info)
		}
		return c, nil
	}
	for name := range strings.SplitSeq(p.Variant, "+") {
		i := slices.IndexFunc(tiles, func(s shape) bool { return s.name == name })
		switch {
		case name == "baseline":
		case name == "subgroup":
			c.subgroup = true
		case name == "f16":
			c.f16 = true
		case IsMatrix(name):
			var err error
			if c.matrix, err = p.matrixFor(name, info); err != nil {
				return c, err
			}
		case i >= 0 && tiles[i].decode:
			c.decode = tiles[i].rowsFor(p)
			if c.decode.direct {
				c.decode = c.decode.inSubgroups(p.HeadDim, info)
			}
		case i >= 0:
			c.prefill = tiles[i]
		default:
			return c, fmt.Errorf("attention: no variant %q; there are %s", name, strings.Join(Variants(), ", "))
		}
	}
	return c, p.fits(c, info)
}

// fits returns an error that says what the adapter lacks for a choice.
func (p Params) fits(c choice, info gpu.AdapterInfo) error {
	if c.f16 && !info.Features.Has(gpu.FeatureF16) {
		return fmt.Errorf("attention: variant f16: adapter %s has no f16 arithmetic", info.Name)
	}
	if c.f16 && (c.prefill.wide || c.prefill.square || c.decode.direct) {
		return fmt.Errorf("attention: variant f16: tiles %s and %s stage in f32", c.prefill.name, c.decode.name)
	}
	if c.subgroup && info.SubgroupLanes() == 0 {
		return fmt.Errorf("attention: variant subgroup: adapter %s has no subgroups of a known size", info.Name)
	}
	if lanes := directLanes(p.HeadDim); c.decode.direct && lanes > info.SubgroupLanes() {
		return fmt.Errorf("attention: tile %s: %d invocations share a key at head dim %d, adapter %s has subgroups of at least %d", c.decode.name,
			lanes, p.HeadDim, info.Name, info.SubgroupLanes())
	}
	for _, s := range []shape{c.prefill, c.decode} {
		t, err := s.tile(p.HeadDim, memoryLimit(info), c.f16)
		if err != nil {
			return err
		}
		if uint32(t.threads()) > max(info.Limits.MaxComputeInvocationsPerWorkgroup, 256) {
			return fmt.Errorf("attention: tile %s: %d invocations, adapter %s takes %d", s.name, t.threads(), info.Name, info.Limits.MaxComputeInvocationsPerWorkgroup)
		}
	}
	return nil
}
