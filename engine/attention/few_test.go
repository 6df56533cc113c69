package attention

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// Decode of few items, several workgroups each, of whole keys and of keys in spans, which the usual merge takes.
func TestFewItems(t *testing.T) {
	info := gputest.Device(t).Info()
	pairs := [][2]int{{1, 239}, {1, 1}, {2, 130}, {1, 700}, {3, 2}, {1, 0}}
	ran := 0
	for i, p := range []Params{
		{HeadDim: 32, Heads: 4, KVHeads: 2, KVType: kernel.KVF16},
		{HeadDim: 64, Heads: 8, KVHeads: 2, KVType: kernel.KVF16, QType: kernel.KVF16},
		{HeadDim: 24, Heads: 12, KVHeads: 1, KVType: kernel.KVBF16, Window: 150, Sinks: 5, Softcap: 50}, // an item with fewer rows than its workgroups
		{HeadDim: 32, Heads: 6, KVHeads: 2, KVType: kernel.KVF16, QType: kernel.KVF16},                  // odd numbers of rows of an item
		{HeadDim: 32, Heads: 5, KVHeads: 1, KVType: kernel.KVF16, LSE: true},
		{HeadDim: 32, Heads: 14, KVHeads: 2, KVType: kernel.KVF16, Window: 70},
		{HeadDim: 64, Heads: 6, KVHeads: 2, KVType: kernel.KVF16, QType: kernel.KVF16},
		{HeadDim: 128, Heads: 8, KVHeads: 2, KVType: kernel.KVF16, LSE: true},
		{HeadDim: 30, Heads: 3, KVHeads: 1, KVType: kernel.KVQ8, Mask: AdditiveMask, LSE: true},
		{HeadDim: 32, Heads: 4, KVHeads: 2, Contiguous: true, Bidirectional: true, ALiBi: true, Dropout: Dropout{P: 0.2}},
	} {
		p.Variant = "direct128x4"
		for _, span := range []int{1000, 96} { // of whole sequences, and of parts
			if directLanes(p.HeadDim) > info.SubgroupLanes() || caseShare() > 1 && (i > 0 || span > 96) {
				continue
			}
			for _, other := range orders() {
				c := launchCase{params: p, pairs: pairs, span: span, few: true, otherOrder: other}
				ran++
				t.Run(c.String(), func(t *testing.T) {
					l := newLaunch(t, c)
					l.run()
					l.check()
				})
			}
		}
	}
	if info.SubgroupLanes() >= 4 {
		require.Positive(t, ran)
	}
}

// Which models have the kernel, and with how many of an item's rows: those that it was measured for, on large GPUs.
func TestFewItemsTile(t *testing.T) {
	info := gpu.AdapterInfo{Type: "discrete", Features: gpu.FeatureSubgroups, SubgroupMin: 32, SubgroupMax: 32, Limits: gpu.Limits{MaxComputeWorkgroupStorageSize: 48 << 10, MaxComputeInvocationsPerWorkgroup: 1024}}
	integrated, plain := info, info
	integrated.Type, plain.Features = "integrated", 0
	for _, c := range []struct {
		dim, heads int // of one KV head
		info       gpu.AdapterInfo
		variant    string
		rows       int
	}{
		{64, 4, info, "", 1}, {64, 3, info, "", 1}, {64, 8, info, "", 1}, {128, 4, info, "", 2}, {32, 2, info, "", 1},
		{128, 2, info, "", 2}, {128, 3, info, "", 0}, {64, 1, info, "", 0}, {256, 8, info, "", 0}, {64, 4, info, "direct128x4", 0}, {64, 4, integrated, "", 0}, {64, 4, plain, "", 0},
	} {
		p := withStrides(Params{HeadDim: c.dim, Heads: c.heads, KVHeads: 1, Variant: c.variant})
		got, err := p.choose(c.info)
		require.NoError(t, err)
		require.Equal(t, c.rows, got.few.rows, "%+v", c)
		require.Equal(t, c.dim <= 64, p.mostFew() >= 8*8*4, "eight sequences of a llama's 8 KV heads of 4 rows")
	}
}

// Which kernel a step's items take, and that the self-test has both.
func TestFewItemsAreFew(t *testing.T) {
	onTheFirstHost(t)
	dev := gputest.Device(t)
	s := newScene(t, Params{HeadDim: 32, Heads: 8, KVHeads: 2, BlockSize: 16, MaxKeys: 900, Variant: "direct128x4"}, 64, []int{40, 130}, []int{1, 1})
	c, err := s.params.choose(dev.Info())
	if err != nil {
		t.Skip(err)
	}
	require.Zero(t, c.few, "a tile that is asked for by name takes all")
	c.few = s.params.fewFor(c.decode, dev.Info())
	s.attention, err = newOf(dev, s.params, c)
	require.NoError(t, err)
	for most, want := range map[int]string{2 * 3 * 4: "direct128x8", 2*3*4 - 1: "direct128x4"} {
		s.attention.few.most = most
		s.check(s.run(), 2, 1e-5)
		require.Len(t, s.last.Decode, 1+2)
		require.Contains(t, s.attention.Chosen(s.last), want)
	}
	passed := map[*gpu.Kernel]bool{}
	test, err := kernel.NewSelfTest(dev, passed)
	require.NoError(t, err)
	defer test.Release()
	require.NoError(t, s.attention.SelfTest(test))
	failures, err := test.Run(context.Background())
	require.NoError(t, err)
	require.Empty(t, failures)
	require.True(t, passed[s.attention.few.kernel])
	require.True(t, passed[s.attention.decode])
}
