package attention

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// Every tile that the adapter has room for, plain, through subgroups and in f16 where it has them, with odd and even head
// dims, and what hides keys.
func TestTiles(t *testing.T) {
	info := gputest.Device(t).Info()
	few := info.Type == "cpu" && !everything() // software adapters take long to compile tiles
	var repeated []string                      // on hosts that repeat the first one's kernels
	if few && caseShare() > 1 {
		repeated = []string{"tile16x16", "wide64x64", "split32"} // a tile of each text
		if info.Backend == "webgpu" {
			repeated = repeated[:1]
		}
	}
	ways := []string{""}
	if !few && info.SubgroupLanes() > 0 {
		ways = append(ways, "+subgroup")
	}
	if !few && info.Features.Has(gpu.FeatureF16) {
		ways = append(ways, "+f16")
	}
	pairs := [][2]int{{1, 239}, {5, 130}, {70, 150}, {33, 20}}
	for i, c := range []Params{
		{HeadDim: 64, Heads: 8, KVHeads: 2, KVType: kernel.KVF16, Contiguous: true},
		{HeadDim: 128, Heads: 4, KVHeads: 4, Window: 50, Sinks: 5, Softcap: 50},
		{HeadDim: 111, Heads: 6, KVHeads: 1, ALiBi: true, Mask: BooleanMask, Contiguous: true},
	} {
		prefill, decode := Tiles(info, c)
		require.Contains(t, prefill, "tile16x16")
		for n, name := range append(prefill, decode[1:]...) {
			if strings.HasPrefix(name, "matrix") || few && (n == 0 || i > 0 && (n-1)%3 != i) || repeated != nil && (i > 0 || !slices.Contains(repeated, name)) {
				continue
			}
			for _, way := range ways {
				if way == "+f16" && (strings.HasPrefix(name, "wide") || strings.HasPrefix(name, "square") || strings.HasPrefix(name, "direct")) {
					continue // they stage in f32
				}
				c.Variant = name + way
				t.Run(fmt.Sprintf("%s head dim %d", c.Variant, c.HeadDim), func(t *testing.T) {
					l := newLaunch(t, launchCase{params: c, pairs: pairs, span: 64})
					l.run()
					l.check()
				})
			}
		}
	}
}

// Workgroup memory of f16, where the adapter has it.
func TestHalfStaging(t *testing.T) {
	dev := gputest.Device(t)
	pairs := [][2]int{{1, 239}, {3, 250}, {70, 150}, {33, 20}}
	for _, c := range []Params{
		{HeadDim: 64, Heads: 8, KVHeads: 2, KVType: kernel.KVF16, Variant: "f16"},
		{HeadDim: 59, Heads: 4, KVHeads: 4, Window: 50, ALiBi: true, Contiguous: true, Variant: "f16+tile32x32"},
		{HeadDim: 128, Heads: 6, KVHeads: 1, Bidirectional: true, Softcap: 50, Dropout: Dropout{P: 0.2}, Variant: "f16+tile64x64"},
	} {
		t.Run(fmt.Sprintf("%s head dim %d", c.Variant, c.HeadDim), func(t *testing.T) {
			if !dev.Features().Has(gpu.FeatureF16) {
				_, err := New(dev, withStrides(c))
				require.ErrorContains(t, err, "f16")
				return
			}
			l := newLaunch(t, launchCase{params: c, pairs: pairs, span: 64})
			l.run()
			l.check()
		})
	}
}

// Rows' maxima and sums through subgroups: of as many invocations as share a row, and of fewer.
func TestSubgroups(t *testing.T) {
	dev := gputest.Device(t)
	for _, name := range []string{"tile16x16", "tile64x32", "split64"} {
		if caseShare() > 1 && name == "tile64x32" {
			continue
		}
		p := Params{HeadDim: 64, Heads: 8, KVHeads: 2, Variant: name + "+subgroup"}
		t.Run(name, func(t *testing.T) {
			info := dev.Info()
			prefill, decode := Tiles(info, p)
			switch {
			case info.SubgroupLanes() == 0:
				_, err := New(dev, withStrides(p))
				require.ErrorContains(t, err, "subgroup")
			case slices.Contains(append(prefill, decode...), name):
				l := newLaunch(t, launchCase{params: p, pairs: [][2]int{{1, 90}, {70, 150}, {33, 20}}, span: 64})
				l.run()
				l.check()
			}
		})
	}
}

func withStrides(p Params) Params {
	p.QStride, p.OutStride, p.BlockSize, p.Scale = p.Heads*p.HeadDim, p.Heads*p.HeadDim, 16, 1
	return p
}

// The adapter decides by its type: software keeps the baseline, a large GPU takes large tiles.
func TestDefaultTiles(t *testing.T) {
	info := gpu.AdapterInfo{Type: "discrete", Limits: gpu.Limits{MaxComputeWorkgroupStorageSize: 48 << 10, MaxComputeInvocationsPerWorkgroup: 1024}}
	lanes := info
	lanes.Features, lanes.SubgroupMin, lanes.SubgroupMax = gpu.FeatureSubgroups, 32, 32
	for dim, want := range map[int][2]string{32: {"tile64x64x256", "split64"}, 64: {"wide64x64x256", "split64"}, 111: {"square128x128", "split32"},
		256: {"wide64x64x256", "split32"}} {
		p := withStrides(Params{HeadDim: dim, Heads: 8, KVHeads: 2})
		c, err := p.choose(info)
		require.NoError(t, err)
		require.Equal(t, want, [2]string{c.prefill.name, c.decode.name}, "head dim %d", dim)
		c, err = p.choose(lanes)
		require.NoError(t, err)
		require.Equal(t, [2]string{want[0], "direct128x4"}, [2]string{c.prefill.name, c.decode.name}, "head dim %d with subgroups", dim)
		p.Tuning = &Tuning{Plain: true}
		c, err = p.choose(lanes)
		require.NoError(t, err)
		require.Equal(t, want, [2]string{c.prefill.name, c.decode.name}, "head dim %d with subgroups that are wrong", dim)
	}
	info.Type = "cpu"
	c, err := withStrides(Params{HeadDim: 64, Heads: 8, KVHeads: 2}).choose(info)
	require.NoError(t, err)
	require.Equal(t, "baseline", c.prefill.name)
	require.Equal(t, "baseline", c.decode.name)
}
