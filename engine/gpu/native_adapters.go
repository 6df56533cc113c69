//go:build !js

package gpu

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// rankAdapters sorts adapters best first and numbers them. best names the types in order of preference.
func rankAdapters[A any](adapters []A, info func(A) *AdapterInfo, power PowerPreference) {
	best := []string{"discrete", "integrated", "virtual", "unknown", "cpu"}
	if power == LowPower {
		best = []string{"integrated", "discrete", "virtual", "unknown", "cpu"}
	}
	slices.SortStableFunc(adapters, func(a, b A) int {
		return slices.Index(best, info(a).Type) - slices.Index(best, info(b).Type)
	})
}

// pickAdapter returns the place of the adapter that the options name in a list that is sorted for HighPerformance.
func pickAdapter(list []AdapterInfo, o Options) (int, error) {
	if len(list) == 0 {
		return 0, fmt.Errorf("%w: %s", ErrNoAdapter, driverAdvice())
	}
	if o.Adapter == "" {
		order := make([]int, len(list))
		for i := range order {
			order[i] = i
		}
		rankAdapters(order, func(i int) *AdapterInfo { return &list[i] }, o.Power)
		return order[0], nil
	}
	if i, err := strconv.Atoi(o.Adapter); err == nil && i >= 0 && i < len(list) {
		return i, nil
	}
	names := make([]string, len(list))
	for i, a := range list {
		if strings.Contains(strings.ToLower(a.Name), strings.ToLower(o.Adapter)) {
			return i, nil
		}
		names[i] = fmt.Sprintf("%d: %s (%s, %s)", i, a.Name, a.Backend, a.Type)
	}
	return 0, fmt.Errorf("%w: none is called %q; the list has %s", ErrNoAdapter, o.Adapter, strings.Join(names, ", "))
}

func driverAdvice() string {
	switch runtime.GOOS {
	case "linux":
		return "install a Vulkan driver for the GPU, or mesa-vulkan-drivers to run on the CPU"
	case "windows":
		return "install a graphics driver with Direct3D 12 or Vulkan"
	}
	return "this machine offers no GPU that this program can use"
}
