//go:build !js

package cli

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
)

func TestBenchProfile(t *testing.T) {
	args := onAdapter("bench", "--prompt", "8", "--gen", "4", "--profile")
	r := quire(t, args...)
	if r.code != 0 {
		require.Contains(t, r.stderr, "a profile needs timestamp-query")
		t.Skip("the adapter has no timestamps")
	}
	assert.Regexp(t, `(?m)^pp8, batch 1: [\d.]+ ms on the GPU$`, r.stdout)
	assert.Regexp(t, `(?m)^tg4, batch 1: [\d.]+ ms on the GPU$`, r.stdout)
	assert.Regexp(t, `(?m)^  mat(?:vec|mul)\b.* +[\d.]+ ms +[\d.]+ % +\d+ dispatches +[\d.]+ µs each$`, r.stdout)
	assert.Regexp(t, `(?m)^  a step, µs: schedule \d+, build \d+, bridge 0, encode \d+, mask \d+, wait \d+, give \d+; [\d.]+ allocations of \d+ bytes, \d+ collections in \d+ steps$`, r.stdout)
	var report struct {
		Results []struct {
			Kernels []engine.KernelTime
			Host    map[string]float64 `json:"host_step"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(quire(t, append(args, "--json")...).ok(t).stdout), &report))
	require.Len(t, report.Results, 2)
	for _, m := range report.Results {
		require.NotEmpty(t, m.Kernels)
		for _, name := range []string{"steps", "schedule_us", "build_us", "encode_us", "wait_us", "give_us"} {
			assert.Positive(t, m.Host[name], name)
		}
		for i, k := range m.Kernels {
			assert.Positive(t, k.Dispatches, k.Kernel)
			assert.Positive(t, k.Seconds, k.Kernel)
			if i > 0 {
				assert.LessOrEqual(t, k.Seconds, m.Kernels[i-1].Seconds, "the slowest first")
			}
		}
	}
}
