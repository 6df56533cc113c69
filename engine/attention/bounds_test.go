package attention

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
)

// A window or sinks longer than any sequence are no window.
func TestEndlessWindow(t *testing.T) {
	for _, p := range []Params{{Window: math.MaxInt32}, {Window: math.MaxInt32, Bidirectional: true}, {Window: 3, Sinks: math.MaxInt32}} {
		if caseShare() > 1 && !p.Bidirectional { // whose window ends on both sides
			continue
		}
		t.Run(fmt.Sprintf("%+v", p), func(t *testing.T) {
			p.HeadDim, p.Heads, p.KVHeads, p.Contiguous = 8, 2, 1, true
			l := newLaunch(t, launchCase{pairs: [][2]int{{30, 12}, {20, 70}}, params: p})
			l.run()
			l.check()
		})
	}
}

// Partial results are bounded by what a binding holds, not by what was asked for.
func TestMaxDecodeItems(t *testing.T) {
	dev := gputest.Device(t)
	for _, p := range []Params{{HeadDim: 128, Heads: 40, KVHeads: 40}, {HeadDim: 64, Heads: 32, KVHeads: 8}} {
		p.BlockSize, p.Scale, p.Variant = 16, 1, "baseline"
		p.QStride, p.OutStride = p.Heads*p.HeadDim, p.Heads*p.HeadDim
		a, err := New(dev, p)
		require.NoError(t, err)
		limit := min(dev.Limits().MaxStorageBufferBindingSize, dev.Limits().MaxBufferSize)
		items := a.MaxDecodeItems()
		require.LessOrEqual(t, a.PartialBytes(items), limit)
		require.Greater(t, a.PartialBytes(items+1), min(limit, a.PartialBytes(math.MaxInt32)))
	}
}

// Sequences may share blocks: their keys together are no bound.
func TestPlanCountsSharedBlocksOnce(t *testing.T) {
	p := Params{HeadDim: 128, Heads: 8, KVHeads: 8, BlockSize: 16, KVType: kernel.KVF16, QStride: 1024, OutStride: 1024, Scale: 1}
	many := make([]Sequence, 40)
	for i := range many {
		many[i] = Sequence{Queries: 1, Keys: 131072, Table: make([]uint32, 131072/16)}
	}
	_, err := p.layOut(many)
	require.NoError(t, err)
	p.Contiguous, p.KVType = true, kernel.KVF32
	_, err = p.layOut(many)
	require.ErrorContains(t, err, "32-bit offsets")
}

func TestMaskHidesWhatIsFarBelow(t *testing.T) {
	low := []float32{float32(math.Inf(-1)), -math.MaxFloat32, -2e37}
	m, err := NewMask(AdditiveMask, 1, 1, 4, func(_, _, key int) (float32, bool) {
		if key < 3 {
			return low[key], true
		}
		return -1e37, true
	})
	require.NoError(t, err)
	require.Equal(t, uint32(0b1000), m.words[4], "only the last key is visible")
	for _, add := range []float32{float32(math.NaN()), float32(math.Inf(1)), math.MaxFloat32} {
		_, err := NewMask(AdditiveMask, 1, 1, 4, func(_, _, key int) (float32, bool) { return add, key == 2 })
		require.ErrorContains(t, err, "query 0, key 2")
	}
}
