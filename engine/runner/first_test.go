package runner

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine/gpu"
)

// A first layer goes alone where that was measured to gain: prompts in the tab, on a large GPU that waits for them.
func TestFirstAlone(t *testing.T) {
	tab := gpu.AdapterInfo{Backend: "webgpu", Type: "discrete"}
	assert.True(t, firstAlone(tab, 0, 128))
	assert.False(t, firstAlone(tab, 1, 128), "the GPU has work")
	assert.False(t, firstAlone(tab, 0, 64), "sequences may all decode")
	assert.False(t, firstAlone(gpu.AdapterInfo{Backend: "webgpu", Type: "cpu"}, 0, 128))
	assert.False(t, firstAlone(gpu.AdapterInfo{Backend: "vulkan", Type: "discrete"}, 0, 128))
}
