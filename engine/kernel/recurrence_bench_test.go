package kernel

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
)

// BenchmarkRecurrence walks rows with the states of a gated delta net and of a Mamba-2 of about 2 billion weights, as prefill
// (one row) and decode (rows of one token) do, one by one and by chunks.
func BenchmarkRecurrence(b *testing.B) {
	for _, c := range []recurrenceCase{
		{delta: true, heads: 16, keyHeads: 16, tiled: true, key: 128, value: 128},
		{delta: true, heads: 32, keyHeads: 16, tiled: true, key: 128, value: 128},
		{delta: false, heads: 48, keyHeads: 1, key: 128, value: 64},
	} {
		for _, counts := range [][]int{{512}, {128, 128, 128, 128}, {1}, {1, 1, 1, 1, 1, 1, 1, 1}} {
			for _, variant := range []string{"baseline", "subgroup", "chunked"} {
				if variant == "chunked" && counts[0] == 1 {
					continue
				}
				b.Run(fmt.Sprintf("delta=%t/heads%d/%d·%d/%s", c.delta, c.heads, len(counts), counts[0], variant), func(b *testing.B) {
					c.counts = counts
					benchRecurrence(b, c, variant)
				})
			}
		}
	}
}

func benchRecurrence(b *testing.B, c recurrenceCase, variant string) {
	r := newRig(b)
	if variant == "subgroup" && subgroupSize(r.dev.Info()) == 0 {
		b.Skip("no subgroups")
	}
	run := r.recurrenceData(c)
	p := &run.params
	p.Variant, p.Chunked = variant, variant == "chunked"
	if p.Chunked {
		p.Variant = ""
	}
	k, err := NewRecurrence(r.dev, *p)
	require.NoError(b, err)
	b.Cleanup(k.Release)
	flat := func(label string, x []float32) gpu.View { return r.rows(label, x, len(x), len(x), 0).All() }
	bind, err := k.Bind(RecurrenceViews{Step: r.step(run.step), X: flat("x", run.x), Gates: flat("gates", run.gates), Heads: flat("heads", run.heads),
		State: flat("state", run.states), Y: r.buffer("y", make([]byte, 4*len(run.step.Tokens)*p.YStride)).All(),
		Pairs: r.buffer("pairs", make([]byte, 4*max(1, k.PairWords(len(run.step.Tokens))))).All()})
	require.NoError(b, err)
	reps := 16
	if r.dev.Info().Type == "cpu" {
		reps = 1
	}
	var rec gpu.Recorder
	for range reps {
		k.Record(&rec, bind, &run.step)
	}
	walk := func() {
		require.NoError(b, r.dev.Submit(&rec))
		require.NoError(b, r.dev.Idle(context.Background()))
	}
	walk()
	for b.Loop() {
		walk()
	}
	seconds := b.Elapsed().Seconds() / float64(b.N*reps)
	b.ReportMetric(seconds*1e6, "µs/layer")
	b.ReportMetric(seconds*1e6/math.Max(1, float64(len(run.step.Tokens))), "µs/token")
}
