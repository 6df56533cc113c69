package engine

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

// The first token comes before kernels for a few sequences at once are compiled, which others stand in for.
func TestFirstTokenWaitsForFewerKernels(t *testing.T) {
	e := openModel(t, "tiny-tales", Options{NoSelfTest: true, MaxSeqs: 4, Context: 48, TokenBudget: 24})
	var late []*gpu.Kernel
	for _, k := range e.machine.device.Kernels() {
		if strings.Contains(k.Label(), "×2/") {
			assert.True(t, !k.Ready() || e.Info().Kernels.Reused > 0, k.Label()) // those of an earlier test, in the tab
			late = append(late, k)
		}
	}
	require.NotEmpty(t, late)
	good := submit(t, e, Request{Prompt: testPrompts(1)[0], MaxTokens: 2, IgnoreEnd: true}).Result()
	require.NoError(t, good.Err)
	for _, k := range late {
		require.NoError(t, k.Wait(context.Background()))
	}
	for _, s := range []*Stream{submit(t, e, Request{Prompt: testPrompts(1)[0], MaxTokens: 5, IgnoreEnd: true}), submit(t, e, Request{Prompt: testPrompts(2)[1], MaxTokens: 5, IgnoreEnd: true})} {
		require.NoError(t, s.Result().Err)
	}
}
