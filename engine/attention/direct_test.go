package attention

import (
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// Decode straight from memory, with all that hides and changes scores; with head dims whose keys are shared by as many
// invocations as the adapter's subgroups have for certain.
func TestDirectDecode(t *testing.T) {
	info := gputest.Device(t).Info()
	var names []string
	for _, s := range tiles {
		if s.direct {
			names = append(names, s.name)
		}
	}
	pairs := [][2]int{{1, 239}, {1, 1}, {2, 130}, {1, 700}, {3, 2}}
	ran := 0
	for i, p := range []Params{
		{HeadDim: 32, Heads: 8, KVHeads: 2, KVType: kernel.KVF16},
		{HeadDim: 30, Heads: 3, KVHeads: 1, KVType: kernel.KVF16, LSE: true},
		{HeadDim: 24, Heads: 9, KVHeads: 3, Contiguous: true, Window: 50, Sinks: 5, Softcap: 50},
		{HeadDim: 8, Heads: 12, KVHeads: 1, KVType: kernel.KVBF16, ALiBi: true, Mask: AdditiveMask},
		{HeadDim: 32, Heads: 8, KVHeads: 1, KVType: kernel.KVF16, Window: 70}, // more rows than 32 KiB hold at once, where subgroups are small
		{HeadDim: 64, Heads: 32, KVHeads: 8, KVType: kernel.KVF16, Window: 100},
		{HeadDim: 59, Heads: 4, KVHeads: 4, KVType: kernel.KVQ8, Mask: BooleanMask, LSE: true},
		{HeadDim: 128, Heads: 8, KVHeads: 1, KVType: kernel.KVQ8, Bidirectional: true, Dropout: Dropout{P: 0.2}},
		{HeadDim: 128, Heads: 8, KVHeads: 2, KVType: kernel.KVBF16, Contiguous: true},
		{HeadDim: 256, Heads: 2, KVHeads: 2, QType: kernel.KVF16},
		// One row, or two, whose scores several invocations of a key share.
		{HeadDim: 30, Heads: 2, KVHeads: 1, KVType: kernel.KVQ8, Softcap: 50, Mask: AdditiveMask, LSE: true},
		{HeadDim: 32, Heads: 2, KVHeads: 2, Contiguous: true, Bidirectional: true, ALiBi: true, Dropout: Dropout{P: 0.2}},
	} {
		if caseShare() > 1 && (i < 2 || i == 4) { // the others have every option
			continue
		}
		p.Variant = names[i%len(names)]
		for _, other := range orders() {
			c := launchCase{params: p, pairs: pairs, span: 96, otherOrder: other}
			t.Run(c.String(), func(t *testing.T) {
				if directLanes(p.HeadDim) > info.SubgroupLanes() {
					_, err := New(gputest.Device(t), withStrides(p))
					require.ErrorContains(t, err, "share a key")
					return
				}
				l := newLaunch(t, c)
				l.run()
				l.check()
				ran++
			})
		}
	}
	if info.SubgroupLanes() >= 4 {
		require.GreaterOrEqual(t, ran, min(4, 16/caseShare()))
	}
}

// A direct tile takes fewer rows at a time where the adapter's workgroup memory does not hold all, and gives way where it holds
// none.
func TestDirectDecodeFits(t *testing.T) {
	adapter := func(lanes uint32, memory uint32) gpu.AdapterInfo {
		return gpu.AdapterInfo{Type: "integrated", Features: gpu.FeatureSubgroups, SubgroupMin: lanes, SubgroupMax: lanes,
			Limits: gpu.Limits{MaxComputeWorkgroupStorageSize: memory, MaxComputeInvocationsPerWorkgroup: 256}}
	}
	for _, c := range []struct {
		info        gpu.AdapterInfo
		dim, heads  int
		name        string
		rows, bytes int
	}{
		{adapter(32, 48<<10), 64, 8, "direct128x4", 8, 8448},
		{adapter(8, 32<<10), 64, 8, "direct128x4", 4, 16896},
		{adapter(4, 32<<10), 32, 8, "direct128x4", 4, 17408},
		{adapter(32, 16<<10), 256, 8, "direct128x4", 2, 8256},
		{adapter(8, 32<<10), 128, 8, "split32", 8, 0},
	} {
		got, err := withStrides(Params{HeadDim: c.dim, Heads: c.heads, KVHeads: 1}).choose(c.info)
		require.NoError(t, err)
		require.Equal(t, c.name, got.decode.name)
		require.Equal(t, c.rows, got.decode.rows)
		if got.decode.direct {
			tile, err := got.decode.tile(c.dim, int(c.info.Limits.MaxComputeWorkgroupStorageSize), false)
			require.NoError(t, err)
			require.Equal(t, c.bytes, tile.memory())
		}
	}
	_, err := withStrides(Params{HeadDim: 64, Heads: 8, KVHeads: 1, Variant: "direct128x4+f16"}).choose(gpu.AdapterInfo{Features: gpu.FeatureF16})
	require.ErrorContains(t, err, "stage in f32")
}
