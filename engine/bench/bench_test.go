package bench

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
)

var adapter = gpu.Options{Adapter: os.Getenv("QUIRE_ADAPTER")}

func TestRunMeasuresEveryCombination(t *testing.T) {
	r, err := NewRandom(tiny, quant.Q4_0)
	require.NoError(t, err)
	var steps []string
	plan := Plan{Prompts: []int{8}, Gens: []int{3}, Batches: []int{1, 2}, Depths: []int{0, 32}, Schema: true, Repeat: 1}
	report, err := Run(context.Background(), gpu.ReaderSource(r, r.Size()), "tiny", "q4_0", engine.Options{GPU: adapter}, plan,
		func(s string) { steps = append(steps, s) })
	require.NoError(t, err)
	assert.Equal(t, "tiny", report.Shape)
	assert.Equal(t, "q4_0", report.Type)
	assert.Equal(t, "f16", report.KVType)
	assert.NotEmpty(t, report.Adapter)
	assert.Positive(t, report.Bandwidth)
	assert.Len(t, steps, 2+12)
	type combination struct {
		kind                      string
		prompt, gen, batch, depth int
		schema                    bool
	}
	var got []combination
	for _, m := range report.Results {
		got = append(got, combination{m.Kind, m.Prompt, m.Gen, m.Batch, m.Depth, m.Schema})
		assert.Positive(t, m.TokensPerSecond)
		assert.Positive(t, m.BandwidthShare)
		assert.Positive(t, m.DispatchesPerStep)
	}
	var want []combination
	for _, depth := range plan.Depths {
		for _, batch := range plan.Batches {
			want = append(want, combination{Prefill, 8, 0, batch, depth, false}, combination{Decode, 0, 3, batch, depth, false}, combination{Decode, 0, 3, batch, depth, true})
		}
	}
	assert.Equal(t, want, got)
}

func TestPrefillAtADepthComputesOnlyWhatIsNew(t *testing.T) {
	ctx := context.Background()
	r, err := NewRandom(tiny, quant.F16)
	require.NoError(t, err)
	src := gpu.ReaderSource(r, r.Size())
	o := engine.Options{GPU: adapter}
	b, err := newBench(src, &o, Plan{Prompts: []int{20}, Batches: []int{2}, Depths: []int{64}})
	require.NoError(t, err)
	b.engine, err = engine.Open(ctx, src, o)
	require.NoError(t, err)
	defer b.engine.Close()
	prefixes, err := b.fill(ctx, 2, 64)
	require.NoError(t, err)
	for range 2 {
		got, err := b.prefill(ctx, prefixes, 20)
		require.NoError(t, err)
		assert.Equal(t, 2*20, got.tokens)
	}
	b.shared = true
	prefixes, err = b.fill(ctx, 2, 64)
	require.NoError(t, err)
	assert.Equal(t, prefixes[0][:48], prefixes[1][:48])
	assert.NotEqual(t, prefixes[0][48:], prefixes[1][48:])
}

// What a prompt in chunks reads is counted as by hand: of the last layer's tensors and the head only what the last chunk reads.
func TestPrefillCountsWhatItReads(t *testing.T) {
	const (
		norm   = 4 * 64
		qkv    = (2*64 + 4) * (64 + 32 + 32) // in f16, and biases
		behind = 2*64*64 + norm + 2*3*64*96  // attention's output, and the feed-forward block
		head   = norm + 2*64*700
		kv     = 2 * 2 * 2 * 16 // of a token in a layer
		first  = norm + qkv + behind + kv*40 + norm + qkv
		second = norm + qkv + behind + kv*80 + norm + qkv
		third  = 2*(norm+qkv+behind+kv*100) + head
	)
	ctx := context.Background()
	r, err := NewRandom(tiny, quant.F16)
	require.NoError(t, err)
	src := gpu.ReaderSource(r, r.Size())
	o := engine.Options{GPU: adapter, TokenBudget: 40}
	b, err := newBench(src, &o, Plan{Prompts: []int{100}, Batches: []int{1}, Depths: []int{0}})
	require.NoError(t, err)
	b.engine, err = engine.Open(ctx, src, o)
	require.NoError(t, err)
	defer b.engine.Close()
	round, err := b.prefill(ctx, make([][]int32, 1), 100)
	require.NoError(t, err)
	assert.Equal(t, [2]int{3, 1}, [2]int{round.steps, round.asked})
	assert.InDelta(t, first+second+third, b.read(round), 0.5)
}

func TestRunRefusesWhatDoesNotFit(t *testing.T) {
	tests := []struct {
		name    string
		options engine.Options
		plan    Plan
		says    string
	}{
		{"over the model's context", engine.Options{}, Plan{Prompts: []int{600}, Batches: []int{1}, Depths: []int{0}}, "601 tokens of context, 512 are allowed"},
		{"over --ctx", engine.Options{Context: 100}, Plan{Prompts: []int{90}, Batches: []int{1}, Depths: []int{10}}, "101 tokens of context, 100 are allowed"},
		{"decode over the context", engine.Options{}, Plan{Gens: []int{100}, Batches: []int{1}, Depths: []int{450}}, "512 are allowed"},
		{"too many sequences", engine.Options{MaxSeqs: 4}, Plan{Prompts: []int{8}, Batches: []int{8}, Depths: []int{0}}, "a batch of 8 with 4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := NewRandom(tiny, quant.Q8_0)
			require.NoError(t, err)
			_, err = Run(context.Background(), gpu.ReaderSource(r, r.Size()), "tiny", "q8_0", tt.options, tt.plan, nil)
			require.ErrorIs(t, err, ErrPlan)
			assert.ErrorContains(t, err, tt.says)
		})
	}
}

func TestStatesOfAMeasurement(t *testing.T) {
	b := bench{kvSlots: 64, states: 1000}
	var o engine.Options
	require.NoError(t, b.fit(&o, Plan{Prompts: []int{32}, Batches: []int{1, 8}, Depths: []int{0}}, 512))
	assert.Equal(t, 8, o.MaxSeqs, "states are large: no more sequences than are measured")
	assert.GreaterOrEqual(t, o.StateMemory, uint64(3*8*1000), "of steps in flight and snapshots, too")
	o = engine.Options{MaxSeqs: 9, StateMemory: 5}
	require.NoError(t, b.fit(&o, Plan{Prompts: []int{32}, Batches: []int{8}, Depths: []int{0}}, 512))
	assert.Equal(t, [2]uint64{9, 5}, [2]uint64{uint64(o.MaxSeqs), o.StateMemory}, "what is asked for stays")
}

func TestRunListsWhereTheTimeGoes(t *testing.T) {
	d := gputest.Device(t)
	if !d.Features().Has(gpu.FeatureTimestamps) {
		t.Skip("the adapter has no timestamps")
	}
	r, err := NewRandom(tiny, quant.Q8_0)
	require.NoError(t, err)
	// A tab's clock ticks every 0.1 ms, and a step takes less than that for most of what is timed: only the sum of many has ticked.
	report, err := Run(context.Background(), gpu.ReaderSource(r, r.Size()), "tiny", "q8_0",
		engine.Options{GPU: adapter, Profile: true}, Plan{Prompts: []int{8}, Batches: []int{1}, Depths: []int{0}, Repeat: 100}, nil)
	require.NoError(t, err)
	kernels := report.Results[0].Kernels
	names := map[string]int{}
	for i, k := range kernels {
		names[strings.Split(k.Kernel, "/")[0]] += k.Dispatches
		assert.Positive(t, k.Seconds)
		assert.True(t, i == 0 || k.Seconds <= kernels[i-1].Seconds)
	}
	steps := names["embed"]
	assert.Equal(t, 1, steps, "kernels are timed once more, and not while the rates are measured")
	host := report.Results[0].HostStep
	require.NotNil(t, host)
	assert.EqualValues(t, len(report.Results[0].Samples), host.Steps)
	for name, took := range map[string]float64{"schedule": host.Schedule, "build": host.Build, "encode": host.Encode, "wait": host.Wait, "give": host.Give, "allocations": host.Allocations} {
		assert.Positive(t, took, name)
	}
	assert.Equal(t, runtime.GOOS == "js", host.Bridge > 0)
	assert.Equal(t, steps*tiny.Layers, names["attention"]+names["attention_decode"], "one a layer and step")
}
