package bench

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/quant"
)

// BenchmarkHybridConversation is a conversation of 16,384 tokens with a qwen35-2b: its second turn goes on from the last snapshot.
func BenchmarkHybridConversation(b *testing.B) {
	shape, err := FindShape("qwen35-2b")
	require.NoError(b, err)
	r, err := NewRandom(shape, quant.Q4_0)
	require.NoError(b, err)
	e, err := engine.Open(context.Background(), gpu.ReaderSource(r, r.Size()), engine.Options{GPU: adapter, Context: 20_000})
	require.NoError(b, err)
	defer e.Close()
	info := e.Info()
	b.Logf("%s: %d slots of %d KiB for states", info.Adapter.Name, info.StateSlots, info.StateBytes/uint64(info.StateSlots+1)>>10)
	for turn := range b.N {
		var told []int32
		say := func(n int) engine.Result {
			for range n {
				told = append(told, int32(10+(len(told)*7919+turn)%5000))
			}
			s, err := e.Submit(context.Background(), engine.Request{Prompt: told, MaxTokens: 32, IgnoreEnd: true})
			require.NoError(b, err)
			result := s.Result()
			require.NoError(b, result.Err)
			told = append(told, result.IDs...)
			return result
		}
		first, second := say(16_384), say(50)
		stats := e.Stats()
		b.Logf("first token after %.1f ms, then after %.1f ms with %d tokens cached; %d snapshots, %d MiB", 1e3*first.Figures.TimeToFirst.Seconds(),
			1e3*second.Figures.TimeToFirst.Seconds(), second.Figures.CachedTokens, stats.Snapshots, uint64(stats.Snapshots)*(info.StateBytes/uint64(info.StateSlots+1))>>20)
		b.ReportMetric(first.Figures.TimeToFirst.Seconds()/second.Figures.TimeToFirst.Seconds(), "x-sooner")
	}
}
