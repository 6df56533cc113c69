//go:build !js

package attend

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/attention"
	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
)

func TestTune(t *testing.T) {
	var stages []string
	tuned, err := Tune(context.Background(), gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}, true, func(p Progress) {
		require.Equal(t, len(stages), p.Done)
		require.Less(t, p.Done, p.Total)
		stages = append(stages, p.Stage)
	})
	require.NoError(t, err)
	assert.Len(t, stages, len(tuned.Tried))
	best := map[Kind]*Tried{}
	for i, m := range tuned.Tried {
		assert.Empty(t, m.Skipped, m.Tile)
		assert.Positive(t, m.Seconds, m.Tile)
		if m.Best {
			assert.Nil(t, best[m.Kind])
			best[m.Kind] = &tuned.Tried[i]
		}
	}
	for _, m := range tuned.Tried {
		assert.GreaterOrEqual(t, m.Seconds, best[m.Kind].Seconds)
	}
	require.Len(t, tuned.Tuning.Tiles, 1)
	assert.Equal(t, attention.Best{HeadDim: 64, Prefill: best[Forward].Tile, Decode: best[Decode].Tile}, tuned.Tuning.Tiles[0])
	assert.Equal(t, tuned.Adapter, tuned.Tuning.Adapter)
}

// Where the baseline with subgroups does not come to what it does without, all tiles go without, and the tuning says so.
func TestTuneWithoutSubgroups(t *testing.T) {
	d := gputest.Device(t)
	if d.Features().Has(gpu.FeatureSubgroups) {
		t.Skip("subgroups are right on this adapter")
	}
	tuner := newTuner(d, true, func(Progress) {})
	tuner.info.Type, tuner.info.Features, tuner.info.SubgroupMin = "discrete", gpu.FeatureSubgroups, 32
	require.NoError(t, tuner.checkSubgroups(context.Background()))
	assert.True(t, tuner.found.Tuning.Plain)
	for _, c := range []Case{tuner.forward, tuner.step} {
		c.HeadDim, c.Variant = 64, "baseline"
		right := tuner.results[c.key()]
		require.NotEmpty(t, right)
		m, err := tuner.try(context.Background(), c)
		require.NoError(t, err, "subgroups are left out")
		assert.Positive(t, m.Seconds)

		tuner.results[c.key()] = make([]float32, len(right))
		_, err = tuner.try(context.Background(), c)
		require.ErrorContains(t, err, "differ", "the first result known is what later ones are held to")
	}
}

// Spans that all fail leave decode's units unknown.
func TestBest(t *testing.T) {
	slow, fast, skipped := &Tried{Tile: "a", Seconds: 2}, &Tried{Tile: "b", Seconds: 1}, &Tried{Tile: "c", Skipped: "too large"}
	assert.Same(t, fast, best([]*Tried{slow, skipped, fast}, anyTile))
	assert.Same(t, slow, best([]*Tried{slow, skipped, fast}, func(m *Tried) bool { return m.Tile != "b" }))
	assert.Nil(t, best([]*Tried{skipped}, anyTile))
	assert.Nil(t, best(nil, anyTile))
}

func TestAgree(t *testing.T) {
	nan := float32(0)
	nan /= nan
	base := []float32{1, -2, 0.5}
	for name, c := range map[string]struct {
		results []float32
		err     string
	}{
		"equal":       {base, ""},
		"f16":         {[]float32{1.001, -1.999, 0.5}, ""},
		"wrong":       {[]float32{1, -2, 0.6}, "differ"},
		"not numbers": {[]float32{1, nan, 0.5}, "not numbers"},
	} {
		t.Run(name, func(t *testing.T) {
			err := agree(base, c.results)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
		})
	}
}
