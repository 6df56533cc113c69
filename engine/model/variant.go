package model

import (
	"fmt"
	"slices"
	"strings"

	"quire/engine/attention"
	"quire/engine/kernel"
)

// CheckVariant says what is wrong with a variant's names.
func CheckVariant(names string) error {
	_, _, err := variants(names)
	return err
}

// variants parts a variant's names, joined by +, among the kernels that know them; "baseline" is for all. Kernels that know
// none of them choose by the adapter.
func variants(names string) (linear, attend string, err error) {
	if names == "" {
		return "", "", nil
	}
	var attends []string
	for name := range strings.SplitSeq(names, "+") {
		toLinear, toAttention := slices.Contains(kernel.LinearVariants, name), attention.IsVariant(name)
		if !toLinear && !toAttention {
			known := append(slices.Clone(kernel.LinearVariants), attention.Variants()...)
			slices.Sort(known)
			return "", "", fmt.Errorf("no variant %q; there are %s", name, strings.Join(slices.Compact(known), ", "))
		}
		if toLinear && (linear == "" || linear == "baseline") {
			linear = name
		}
		if toAttention {
			attends = append(attends, name)
		}
	}
	return linear, strings.Join(attends, "+"), nil
}
