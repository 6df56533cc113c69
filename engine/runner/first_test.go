package runner

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine/gpu"
)

// A first layer goes alone where that was measured to gain: prompts on a large GPU that waits for them.
func TestFirstAlone(t *testing.T) {
	for _, backend := range []string{"webgpu", "vulkan"} {
		large := gpu.AdapterInfo{Backend: backend, Type: "discrete"}
		assert.True(t, firstAlone(large, 0, 128))
		assert.False(t, firstAlone(large, 1, 128), "the GPU has work")
		assert.False(t, firstAlone(large, 0, 64), "sequences may all decode")
		assert.False(t, firstAlone(gpu.AdapterInfo{Backend: backend, Type: "cpu"}, 0, 128))
	}
}
