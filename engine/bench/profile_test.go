package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine"
)

func TestKernelsSince(t *testing.T) {
	before := []engine.KernelTime{{Kernel: "a", Dispatches: 4, Nanoseconds: 40}, {Kernel: "b", Dispatches: 2, Nanoseconds: 90}}
	for name, tt := range map[string]struct{ after, want []engine.KernelTime }{
		"the slowest first, what did not run not at all": {
			[]engine.KernelTime{{Kernel: "a", Dispatches: 5, Nanoseconds: 50}, {Kernel: "b", Dispatches: 2, Nanoseconds: 90}, {Kernel: "c", Dispatches: 1, Nanoseconds: 30}},
			[]engine.KernelTime{{Kernel: "c", Dispatches: 1, Nanoseconds: 30}, {Kernel: "a", Dispatches: 1, Nanoseconds: 10}},
		},
		"a lost device counts from 0": {
			[]engine.KernelTime{{Kernel: "a", Dispatches: 6, Nanoseconds: 60}, {Kernel: "b", Dispatches: 1, Nanoseconds: 45}},
			[]engine.KernelTime{{Kernel: "a", Dispatches: 6, Nanoseconds: 60}, {Kernel: "b", Dispatches: 1, Nanoseconds: 45}},
		},
		"and may not have come to all": {
			[]engine.KernelTime{{Kernel: "a", Dispatches: 6, Nanoseconds: 60}},
			[]engine.KernelTime{{Kernel: "a", Dispatches: 6, Nanoseconds: 60}},
		},
	} {
		assert.Equal(t, tt.want, kernelsSince(before, tt.after), name)
	}
}
