package engine

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/tests/testdata"
)

// A named variant is what runs, whatever tuning found.
func TestVariant(t *testing.T) {
	tuning := attention.NewTuning(gputest.Device(t).Info())
	tuning.Tiles = []attention.Best{{HeadDim: 256, Prefill: "baseline", Decode: "split32"}}
	split := tuning.AsChosen("split32", gputest.Device(t).Info())
	tests := []struct{ variant, takes, leaves string }{
		{"baseline", "baseline", split},
		{"", split, "tile16x16"},
		{"tile16x16", "tile16x16", split},
	}
	if runsFew() {
		tests = tests[:1]
	}
	for _, c := range tests {
		e := openModel(t, "tiny-tales", Options{Variant: c.variant, Tunings: attention.Tunings{tuning}, MaxSeqs: 2, Context: 64})
		names := strings.Split(e.Info().Variant, ", ")
		require.Contains(t, names, c.takes)
		require.NotContains(t, names, c.leaves)
		r := submit(t, e, Request{Prompt: testPrompts(1)[0], MaxTokens: 3, IgnoreEnd: true}).Result()
		require.Equal(t, FinishLength, r.Reason)
	}
	f, size := testdata.Open(t, "models/tiny-tales.gguf")
	_, err := Open(context.Background(), gpu.ReaderSource(f, size), Options{Variant: "warp"})
	require.ErrorIs(t, err, ErrBadRequest)
	require.ErrorContains(t, err, `variant: no variant "warp"; there are baseline`)
}
