//go:build !js

package gpu

// subgroupSizes are the smallest and the largest subgroups of the vendors' GPUs, by their PCI or Khronos number:
// wgpu-native does not tell an adapter's. Where the vendor is unknown, kernels go without subgroups.
var subgroupSizes = map[uint32][2]uint32{
	0x10de:  {32, 32}, // NVIDIA
	0x106b:  {32, 32}, // Apple
	0x1002:  {32, 64}, // AMD
	0x8086:  {8, 32},  // Intel
	0x13b5:  {4, 16},  // Arm
	0x10005: {4, 16},  // Mesa on the CPU
}
