//go:build !js

package gpu

import "strings"

// subgroupSizes are the smallest and the largest subgroups of the vendors' GPUs, by their PCI or Khronos number.
var subgroupSizes = map[uint32][2]uint32{
	0x10de:  {32, 32}, // NVIDIA
	0x106b:  {32, 32}, // Apple
	0x1002:  {32, 64}, // AMD
	0x8086:  {8, 32},  // Intel
	0x13b5:  {4, 16},  // Arm
	0x10005: {4, 16},  // Mesa, on the CPU above all
}

// setSubgroups sets the sizes of an adapter's subgroups, which wgpu-native does not tell: by its vendor's number, and on
// Metal, which has none, by its name. Where the vendor is unknown, kernels go without subgroups.
func setSubgroups(info *AdapterInfo, vendor uint32) {
	if info.Backend == "metal" && strings.HasPrefix(info.Name, "Apple") {
		vendor = 0x106b
	}
	sizes := subgroupSizes[vendor]
	info.SubgroupMin, info.SubgroupMax = sizes[0], sizes[1]
}
