package gpu

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSubgroupLanes(t *testing.T) {
	for _, c := range []struct {
		features Feature
		min      uint32
		want     int
	}{
		{FeatureSubgroups, 32, 32}, {FeatureSubgroups, 128, 128}, {FeatureSubgroups, 4, 4},
		{FeatureSubgroups, 2, 0}, {FeatureSubgroups, 24, 0}, {FeatureSubgroups, 0, 0}, {FeatureF16, 32, 0},
	} {
		assert.Equal(t, c.want, AdapterInfo{Features: c.features, SubgroupMin: c.min, SubgroupMax: 128}.SubgroupLanes(), "%+v", c)
	}
}
