//go:build !js

package gpu

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSubgroupsOfVendors(t *testing.T) {
	for _, c := range []struct {
		info     AdapterInfo
		vendor   uint32
		min, max uint32
	}{
		{AdapterInfo{Name: "NVIDIA H200", Backend: "vulkan"}, 0x10de, 32, 32},
		{AdapterInfo{Name: "Apple M3", Backend: "metal"}, 0, 32, 32},
		{AdapterInfo{Name: "AMD Radeon Pro", Backend: "metal"}, 0, 0, 0},
		{AdapterInfo{Name: "unheard of", Backend: "vulkan"}, 0xffff, 0, 0},
	} {
		setSubgroups(&c.info, c.vendor)
		assert.Equal(t, [2]uint32{c.min, c.max}, [2]uint32{c.info.SubgroupMin, c.info.SubgroupMax}, c.info.Name)
	}
}
