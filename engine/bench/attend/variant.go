package attend

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/kernel"
)

// checkVariants returns an ErrPlan that names a variant of which no adapter knows.
func (p Plan) checkVariants() error {
	for _, v := range p.Variants {
		for name := range strings.SplitSeq(v, "+") {
			if v != "" && !attention.IsVariant(name) {
				return fmt.Errorf("%w: no variant %q; there are %s, or some joined by +", ErrPlan, name, strings.Join(attention.Variants(), ", "))
			}
		}
	}
	all := allBackward()
	for _, v := range p.BackwardVariants {
		if v != "" && !slices.Contains(all, v) {
			return fmt.Errorf("%w: the backward pass has no variant %q; there are %s", ErrPlan, v, strings.Join(all, ", "))
		}
	}
	return nil
}

// allBackward lists the backward pass's variants: those of an adapter that lacks nothing.
func allBackward() []string {
	all := gpu.AdapterInfo{}
	all.Limits.MaxComputeWorkgroupStorageSize = math.MaxInt32
	return attention.BackwardTiles(all, Case{Kind: Backward, HeadDim: 1, Heads: 1, KVHeads: 1, KVType: kernel.KVF32.String()}.params())
}

// lacks returns an error that says what the adapter lacks for flash attention's variant.
func (c Case) lacks(info gpu.AdapterInfo) error {
	switch {
	case c.Method != Flash:
		return nil
	case c.Kind == Backward:
		return c.params().RunsBackward(info)
	default:
		return c.params().Runs(info)
	}
}

// checkAdapter returns an ErrPlan where none of the cases that run flash attention forward, or none backward, run on the
// adapter.
func checkAdapter(cases []Case, info gpu.AdapterInfo) error {
	for _, backward := range []bool{false, true} {
		var first error
		runs := false
		for _, c := range cases {
			if c.Method != Flash || (c.Kind == Backward) != backward {
				continue
			}
			if err := c.lacks(info); err == nil {
				runs = true
			} else if first == nil {
				first = err
			}
		}
		if first != nil && !runs {
			return fmt.Errorf("%w: %w; leave the variant out for what suits the adapter, or name baseline", ErrPlan, first)
		}
	}
	return nil
}
