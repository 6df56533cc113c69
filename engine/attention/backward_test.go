package attention

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/reference"
)

// Sequences of one token, of equal and unequal numbers of queries and keys, without queries and without keys.
var backwardPairs = [][][2]int{
	{{1, 33}, {70, 70}, {0, 9}, {40, 20}},
	{{45, 81}, {12, 0}, {90, 20}},
	{{113, 203}},
}

func TestBackward(t *testing.T) {
	o := backwardOptions{
		dims: []int{8, 64, 111, 256}, heads: [][2]int{{8, 8}, {8, 2}, {6, 1}},
		variants: []string{"baseline"}, pairs: backwardPairs,
	}
	cases := o.covering(2)
	if everything() {
		o.dims = []int{32, 40, 59, 64, 80, 96, 111, 128, 160, 192, 256}
		o.variants = BackwardTiles(gputest.Device(t).Info(), Params{HeadDim: maxBackwardDim})
		o.pairs = [][][2]int{{{1, 239}}, {{3, 799}}, {{127, 513}}, {{113, 203}}, {{108, 256}}}
		cases = append(o.covering(2), o.covering(3)...)
	}
	if caseShare() == 1 { // sinks beyond the window of queries that stand before the first key
		cases = append(cases, backwardCase{pairs: backwardPairs[1], params: Params{HeadDim: 8, Heads: 2, KVHeads: 1, Bidirectional: true,
			Window: 30, Sinks: 5, Variant: "baseline"}})
	}
	for i, c := range cases {
		t.Run(fmt.Sprintf("%d %v", i, c), func(t *testing.T) {
			s := newBackwardScene(t, c)
			s.forward()
			s.bind().run()
			s.check()
		})
	}
}

// Each named tile, on adapters that have the memory.
func TestBackwardTiles(t *testing.T) {
	for n, shape := range backwardShapes[1:] {
		for i, c := range []backwardCase{
			{params: Params{HeadDim: 64, Heads: 4, KVHeads: 2, Window: 30, Sinks: 5, Dropout: Dropout{P: 0.25}}},
			{params: Params{HeadDim: 111, Heads: 4, KVHeads: 1, ALiBi: true, Softcap: 2}},
			{params: Params{HeadDim: 256, Heads: 2, KVHeads: 2, Mask: AdditiveMask}, heads: 2},
		} {
			skip := (n+i)%2 > 0
			if caseShare() > 1 {
				skip = i > 0 || n%2 > 0
			}
			if skip && !everything() {
				continue
			}
			dim := c.params.HeadDim
			c.params.Variant, c.pairs = shape.name, [][2]int{{1, 33}, {130, 140}, {0, 9}, {40, 20}}
			t.Run(c.String(), func(t *testing.T) {
				s := newBackwardScene(t, c)
				if info := s.dev.Info(); info.Limits.MaxComputeWorkgroupStorageSize < uint32(newBackwardTile(shape, dim).memory()) {
					t.Skipf("adapter %s has %d bytes of workgroup memory", info.Name, info.Limits.MaxComputeWorkgroupStorageSize)
				}
				s.forward()
				s.bind().run()
				s.check()
			})
		}
	}
}

// The backward pass from the forward pass's own output and LSE.
func TestBackwardOfForward(t *testing.T) {
	for i, c := range []backwardCase{
		{pairs: backwardPairs[0], params: Params{HeadDim: 64, Heads: 8, KVHeads: 2}},
		{pairs: backwardPairs[1], heads: 4, params: Params{HeadDim: 59, Heads: 4, KVHeads: 4, Window: 30, Sinks: 5, ALiBi: true,
			Softcap: 2, Mask: AdditiveMask, Dropout: Dropout{P: 0.25}}},
	} {
		if caseShare() > 1 && i == 0 { // the other has all options
			continue
		}
		t.Run(c.String(), func(t *testing.T) {
			s := newBackwardScene(t, c)
			s.attend().run()
			s.check()
		})
	}
}

// The gradients are what a loss does when one input moves a little.
func TestBackwardDifferences(t *testing.T) {
	onTheFirstHost(t) // the others compare with the reference, TestBackwardOfForward all options at once
	s := newBackwardScene(t, backwardCase{pairs: [][2]int{{5, 7}}, heads: 2, params: Params{HeadDim: 8, Heads: 2, KVHeads: 1,
		Window: 4, Sinks: 1, ALiBi: true, Softcap: 1.5, Mask: AdditiveMask, Dropout: Dropout{P: 0.2}, Scale: 0.6, Variant: "baseline"}})
	s.forward()
	s.bind().run()
	seq := s.sequences[0]
	q, k, v := cast[float64](seq.q), cast[float64](seq.k), cast[float64](seq.v)
	loss := func() (sum float64) {
		out, _ := reference.Attention(q, k, v, seq.referenceOptions)
		for i, f := range out {
			sum += f * float64(seq.dOut[i])
		}
		return sum
	}
	for i, side := range []struct {
		x   []float64
		got []float32
	}{{q, seq.dq}, {k, seq.dk}, {v, seq.dv}} {
		for j, x := range side.x {
			const h = 1e-5
			side.x[j] = x + h
			up := loss()
			side.x[j] = x - h
			down := loss()
			side.x[j] = x
			require.InDelta(t, (up-down)/(2*h), side.got[j], 2e-5, "%s at %d", gradientNames[i], j)
		}
	}
}

// Queries that see nothing, and keys that no query sees, have no gradient.
func TestBackwardUnseen(t *testing.T) {
	s := newBackwardScene(t, backwardCase{pairs: [][2]int{{40, 20}, {3, 90}}, params: Params{HeadDim: 8, Heads: 2, KVHeads: 1, Window: 10, Variant: "baseline"}})
	s.forward()
	s.bind().run()
	s.check()
	require.Equal(t, make([]float32, 20*2*8), s.sequences[0].dq[:20*2*8])
	require.NotContains(t, s.sequences[0].dq[21*2*8:], float32(0)) // the first of the others sees one key, whatever it asks
	unseen := 90 - 3 - 10 + 1
	require.Equal(t, make([]float32, unseen*8), s.sequences[1].dk[:unseen*8])
	require.Equal(t, make([]float32, unseen*8), s.sequences[1].dv[:unseen*8])
	require.NotContains(t, s.sequences[1].dv[unseen*8:], float32(0))

	// Nor has a query whose LSE says so.
	s.sequences[1].lse[3] = EmptyLSE
	s.bind().run()
	require.Equal(t, make([]float32, 8), s.sequences[1].dq[3*8:4*8])
	require.NotContains(t, s.sequences[1].dq[4*8:], float32(0))
}

func TestBackwardBits(t *testing.T) {
	onTheFirstHost(t)
	s := newBackwardScene(t, backwardCase{pairs: backwardPairs[0], params: Params{HeadDim: 32, Heads: 6, KVHeads: 1, Dropout: Dropout{P: 0.1}}})
	s.forward()
	r := s.bind()
	r.run()
	for range 10 {
		before := make([]backwardSequence, len(s.sequences))
		for i, seq := range s.sequences {
			before[i] = *seq
		}
		r.run()
		for i, seq := range s.sequences {
			require.Equal(t, [][]float32{before[i].dq, before[i].dk, before[i].dv}, [][]float32{seq.dq, seq.dk, seq.dv})
		}
	}
}

// Tiles keep their limits and share out all rows and columns, whatever the head dim.
func TestBackwardTileLimits(t *testing.T) {
	for dim := 1; dim <= maxBackwardDim; dim++ {
		for _, shape := range append(backwardShapes, backwardDeep) {
			tile := newBackwardTile(shape, dim)
			name := fmt.Sprintf("%s, head dim %d", shape.name, dim)
			most := 48 << 10
			if shape.name == "baseline" {
				most = 16 << 10
			}
			columns := (dim + 3) / 4
			require.LessOrEqual(t, tile.memory(), most, name)
			require.LessOrEqual(t, tile.tx*tile.ty, 256, name)
			require.LessOrEqual(t, tile.tc*tile.to, tile.tx*tile.ty, name)
			require.Equal(t, tile.own(), 4*tile.to*tile.quads, name)
			require.GreaterOrEqual(t, tile.tc*tile.columns, columns, name)
			require.GreaterOrEqual(t, tile.slabs*tile.slab, columns, name)
			require.LessOrEqual(t, tile.slab, tile.stride(), name)
			require.Zero(t, tile.walked()%tile.depth, name)
			if tile.swizzle {
				require.Zero(t, tile.tx%swizzled+tile.ty%swizzled, name)
			}
		}
	}
}

func TestBackwardRefuses(t *testing.T) {
	dev := newBackwardScene(t, backwardCase{params: Params{HeadDim: 8, Heads: 2, KVHeads: 1}}).dev
	good := Params{HeadDim: 8, Heads: 2, KVHeads: 1, QStride: 16, OutStride: 16, Scale: 1, Contiguous: true, LSE: true}
	for _, c := range []struct {
		message string
		change  func(*Params)
	}{
		{"Contiguous", func(p *Params) { p.Contiguous, p.BlockSize = false, 16 }},
		{"LSE", func(p *Params) { p.LSE = false }},
		{"q8", func(p *Params) { p.KVType = 3 }},
		{`no variant "huge"; there are baseline, tile64x64x256`, func(p *Params) { p.Variant = "huge" }},
		{"window", func(p *Params) { p.Window = -1 }},
	} {
		p := good
		c.change(&p)
		_, err := NewBackward(dev, p)
		require.ErrorContains(t, err, c.message)
	}
	b, err := NewBackward(dev, good)
	require.NoError(t, err)
	_, err = b.Plan([]Sequence{{Queries: 1, Keys: 1}, {Queries: -1, Keys: 2}})
	require.ErrorContains(t, err, "sequence 1")
	_, err = b.Bind(Gradients{})
	require.Error(t, err)

	small := gpu.AdapterInfo{Name: "small", Limits: gpu.Limits{MaxComputeWorkgroupStorageSize: 16 << 10}}
	require.Equal(t, []string{"baseline"}, BackwardTiles(small, good))
	good.Variant = "tile128x64"
	_, err = good.backwardTile(small)
	require.ErrorContains(t, err, "workgroup memory")
}
