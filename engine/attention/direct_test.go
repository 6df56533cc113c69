package attention

import (
	"testing"

	"github.com/stretchr/testify/require"

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
		{HeadDim: 64, Heads: 32, KVHeads: 8, KVType: kernel.KVF16, Window: 100},
		{HeadDim: 59, Heads: 4, KVHeads: 4, KVType: kernel.KVQ8, Mask: BooleanMask, LSE: true},
		{HeadDim: 128, Heads: 8, KVHeads: 1, KVType: kernel.KVQ8, Bidirectional: true, Dropout: Dropout{P: 0.2}},
		{HeadDim: 128, Heads: 8, KVHeads: 2, KVType: kernel.KVBF16, Contiguous: true},
		{HeadDim: 256, Heads: 2, KVHeads: 2, QType: kernel.KVF16},
	} {
		p.Variant = names[i%len(names)]
		c := launchCase{params: p, pairs: pairs, span: 96}
		t.Run(c.String(), func(t *testing.T) {
			if directLanes(p.HeadDim) > subgroupLanes(info) {
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
	if subgroupLanes(info) >= 4 {
		require.GreaterOrEqual(t, ran, 4)
	}
}
