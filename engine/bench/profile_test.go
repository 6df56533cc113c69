package bench

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine"
)

func TestKernelsSince(t *testing.T) {
	before := []engine.KernelTime{{Kernel: "a", Dispatches: 4, Seconds: 40}, {Kernel: "b", Dispatches: 2, Seconds: 90}}
	for name, tt := range map[string]struct{ after, want []engine.KernelTime }{
		"the slowest first, what did not run not at all": {
			[]engine.KernelTime{{Kernel: "a", Dispatches: 5, Seconds: 50}, {Kernel: "b", Dispatches: 2, Seconds: 90}, {Kernel: "c", Dispatches: 1, Seconds: 30}},
			[]engine.KernelTime{{Kernel: "c", Dispatches: 1, Seconds: 30}, {Kernel: "a", Dispatches: 1, Seconds: 10}},
		},
		"a lost device counts from 0": {
			[]engine.KernelTime{{Kernel: "a", Dispatches: 6, Seconds: 60}, {Kernel: "b", Dispatches: 1, Seconds: 45}},
			[]engine.KernelTime{{Kernel: "a", Dispatches: 6, Seconds: 60}, {Kernel: "b", Dispatches: 1, Seconds: 45}},
		},
		"and may not have come to all": {
			[]engine.KernelTime{{Kernel: "a", Dispatches: 6, Seconds: 60}},
			[]engine.KernelTime{{Kernel: "a", Dispatches: 6, Seconds: 60}},
		},
	} {
		assert.Equal(t, tt.want, kernelsSince(before, tt.after), name)
	}
}
