package attend

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
)

// Both clocks time all of a launch, whatever is between its dispatches.
func TestClocks(t *testing.T) {
	d := gputest.Device(t)
	c := Case{Kind: Backward, Method: standardNamed, Length: 70, queries: 70, HeadDim: 32, Heads: 2, KVHeads: 1, Batch: 1, Causal: true, KVType: "f32"}
	l := ready(t, d, c)
	stamps := d.Features().Has(gpu.FeatureTimestamps)
	got, err := timeLaunch(context.Background(), d, stamps, l.record)
	require.NoError(t, err)
	var rec gpu.Recorder
	l.record(&rec)
	assert.Equal(t, rec.Dispatches(), got.dispatches)
	assert.Positive(t, got.wall)
	assert.Positive(t, got.launches)
	if stamps && d.Info().Backend != "webgpu" {
		assert.Positive(t, got.gpu)
	}
}

// What takes longer than all repeats may is timed by the same clock, once.
func TestClocksOfLongLaunches(t *testing.T) {
	d := gputest.Device(t)
	was := longest
	defer func() { longest = was }()
	longest = 0
	c := Case{Kind: Forward, Method: standardNamed, Length: 70, queries: 70, HeadDim: 32, Heads: 1, KVHeads: 1, Batch: 1, Causal: true, KVType: "f32"}
	stamps := d.Features().Has(gpu.FeatureTimestamps)
	l := ready(t, d, c)
	got, err := timeLaunch(context.Background(), d, stamps, func(rec *gpu.Recorder) {
		for range 10 { // a browser's clock may tick every millisecond
			l.record(rec)
		}
	})
	require.NoError(t, err)
	assert.Equal(t, 1, got.launches)
	assert.Positive(t, got.wall)
	if stamps && d.Info().Backend != "webgpu" {
		assert.Positive(t, got.gpu)
	}
}

func TestMedian(t *testing.T) {
	assert.Equal(t, 2.0, median([]float64{9, 1, 2}))
	assert.Equal(t, 3.0, median([]float64{1, 9, 2, 3}))
}
