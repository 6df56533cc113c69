//go:build !js

package gpu

// #include "native_replay.h"
import "C"

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
)

const (
	primaryBackends = 1<<0 | 1<<2 | 1<<3 // Vulkan, Metal, Direct3D 12
	glBackend       = 1 << 1
)

type foundAdapter struct {
	ref  C.Adapter
	info AdapterInfo
}

// enumerated is the machine's adapters, found once: drivers load slowly, and some do not survive being loaded again and
// again.
var enumerated = sync.OnceValue(func() []foundAdapter {
	quietMesa()
	found := adaptersOf(primaryBackends)
	if len(found) == 0 {
		found = adaptersOf(glBackend) // a card that has both would be listed twice
	}
	rankAdapters(found, func(a foundAdapter) *AdapterInfo { return &a.info }, HighPerformance)
	for i := range found {
		found[i].info.Index = i
	}
	return found
})

// quietMesa leaves out Mesa's choice of a default card where there is no desktop: it looks for a Wayland display and
// complains on standard error that there is none, and the choice is made here anyway.
func quietMesa() {
	if runtime.GOOS == "linux" && os.Getenv("XDG_RUNTIME_DIR") == "" && os.Getenv("MESA_VK_DEVICE_SELECT") == "" {
		_ = os.Setenv("NODEVICE_SELECT", "1") // fails for names that cannot be set only
	}
}

func adaptersOf(backends uint32) []foundAdapter {
	instance := C.quireInstance(C.uint32_t(backends))
	if instance == nil {
		return nil
	}
	options := C.EnumerateOptions{backends: C.Flags(backends)}
	count := C.wgpuInstanceEnumerateAdapters(instance, &options, nil)
	if count == 0 {
		C.wgpuInstanceRelease(instance)
		return nil
	}
	refs := make([]C.Adapter, count)
	count = C.wgpuInstanceEnumerateAdapters(instance, &options, &refs[0])
	found := make([]foundAdapter, 0, count)
	for _, ref := range refs[:count] {
		found = append(found, foundAdapter{ref, adapterInfo(ref)})
	}
	return found
}

func adapterInfo(ref C.Adapter) AdapterInfo {
	facts := new(C.AdapterFacts)
	C.quireAdapterFacts(ref, facts)
	l := &facts.limits
	info := AdapterInfo{
		Name: C.GoString(&facts.name[0]), Vendor: C.GoString(&facts.vendor[0]), Driver: C.GoString(&facts.driver[0]),
		Backend: "unknown", Type: "unknown",
		Limits: Limits{
			MaxBufferSize:                     uint64(l.maxBufferSize),
			MaxStorageBufferBindingSize:       uint64(l.maxStorageBufferBindingSize),
			MaxStorageBuffersPerShaderStage:   uint32(l.maxStorageBuffersPerShaderStage),
			MinStorageBufferOffsetAlignment:   uint32(l.minStorageBufferOffsetAlignment),
			MaxComputeWorkgroupStorageSize:    uint32(l.maxComputeWorkgroupStorageSize),
			MaxComputeInvocationsPerWorkgroup: uint32(l.maxComputeInvocationsPerWorkgroup),
			MaxComputeWorkgroupSizeX:          uint32(l.maxComputeWorkgroupSizeX),
			MaxComputeWorkgroupsPerDimension:  uint32(l.maxComputeWorkgroupsPerDimension),
		},
	}
	backends := map[C.uint32_t]string{3: "d3d11", 4: "d3d12", 5: "metal", 6: "vulkan", 7: "opengl", 8: "opengles"}
	if name, ok := backends[facts.backend]; ok {
		info.Backend = name
	}
	types := map[C.uint32_t]string{1: "discrete", 2: "integrated", 3: "cpu"}
	if name, ok := types[facts._type]; ok {
		info.Type = name
	}
	if facts.f16 != 0 {
		info.Features |= FeatureF16
	}
	if facts.subgroups != 0 {
		info.Features |= FeatureSubgroups
		setSubgroups(&info, uint32(facts.vendorID))
	}
	if facts.timestamps != 0 {
		info.Features |= FeatureTimestamps
	}
	return info
}

func listAdapters(ctx context.Context) ([]AdapterInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found := enumerated()
	list := make([]AdapterInfo, len(found))
	for i, a := range found {
		list[i] = a.info
	}
	return list, nil
}

func openBackend(ctx context.Context, o Options, ev events) (backend, error) {
	list, err := listAdapters(ctx)
	if err != nil {
		return nil, err
	}
	i, err := pickAdapter(list, o)
	if err != nil {
		return nil, err
	}
	info := list[i]
	info.Features &^= o.Disable
	var features [3]C.uint32_t
	count := 0
	for _, f := range []struct {
		ours Feature
		name C.uint32_t
	}{{FeatureTimestamps, C.featureTimestamps}, {FeatureF16, C.featureF16}, {FeatureSubgroups, C.featureSubgroups}} {
		if info.Features.Has(f.ours) {
			features[count] = f.name
			count++
		}
	}
	failure := new(C.Failure)
	session := C.quireOpen(enumerated()[i].ref, &features[0], C.size_t(count), failure)
	if session == nil {
		return nil, fmt.Errorf("gpu: %s gives no device: %w", info.Name, errors.New(C.GoString(&failure.text[0])))
	}
	n := &native{
		adapter: info, events: ev, session: session, period: float64(C.quirePeriod(session)),
		reads: map[int32]*reading{}, stages: map[int32]*C.Mapping{}, compile: make(chan struct{}, runtime.NumCPU()),
	}
	n.buffers.what, n.kernels.what, n.groups.what = "buffer", "kernel", "bind group"
	return n, nil
}
