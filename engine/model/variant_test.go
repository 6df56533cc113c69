package model

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVariants(t *testing.T) {
	for _, c := range []struct{ names, linear, attend, err string }{
		{"", "", "", ""},
		{"baseline", "baseline", "baseline", ""},
		{"subgroup", "subgroup", "subgroup", ""},
		{"baseline+subgroup", "subgroup", "baseline+subgroup", ""},
		{"tile128", "tile128", "", ""},
		{"tile16x16", "", "tile16x16", ""},
		{"matrix", "matrix", "matrix", ""},
		{"f32", "f32", "", ""},
		{"packed+tile16x16", "packed", "tile16x16", ""},
		{"tile128+tile16x16+split64+f16", "tile128", "tile16x16+split64+f16", ""},
		{"warp", "", "", `no variant "warp"; there are baseline, direct128x2,`},
		{"f16+", "", "", `no variant ""`},
	} {
		linear, attend, err := variants(c.names)
		if c.err != "" {
			require.ErrorContains(t, err, c.err, c.names)
			continue
		}
		require.NoError(t, err, c.names)
		require.Equal(t, []string{c.linear, c.attend}, []string{linear, attend}, c.names)
	}
}
