package attention

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/reference"
)

// standardScene is standard attention on random inputs.
type standardScene struct {
	testing.TB
	dev           *gpu.Device
	params        StandardParams
	q, k, v, dOut []float32
}

func newStandardScene(t testing.TB, p StandardParams) *standardScene {
	p.Scale = float32(1 / math.Sqrt(float64(p.HeadDim)))
	if p.Variant == "" {
		p.Variant = "baseline"
	}
	s := &standardScene{TB: t, dev: gputest.Device(t), params: p}
	rng := rand.New(rand.NewPCG(5, uint64(p.Queries)))
	for _, x := range []struct {
		to *[]float32
		n  int
	}{{&s.q, p.Queries * p.Heads}, {&s.k, p.Keys * p.KVHeads}, {&s.v, p.Keys * p.KVHeads}, {&s.dOut, p.Queries * p.Heads}} {
		*x.to = make([]float32, x.n*p.HeadDim)
		for i := range *x.to {
			(*x.to)[i] = float32(rng.NormFloat64())
		}
	}
	return s
}

func (s *standardScene) buffer(label string, x []float32) gpu.View {
	b, err := s.dev.NewBuffer(label, uint64(4*len(x)), gpu.Storage)
	require.NoError(s, err)
	s.Cleanup(b.Release)
	data := make([]byte, 4*len(x))
	for i, f := range x {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(f))
	}
	require.NoError(s, b.Upload(0, data))
	return b.All()
}

// input makes a buffer that is NaN past its data, which must not leak.
func (s *standardScene) input(label string, x []float32) gpu.View {
	for range 32 * s.params.Heads * s.params.HeadDim {
		x = append(x, float32(math.NaN()))
	}
	return s.buffer(label, x)
}

// filled makes a buffer of a number that no result has.
func (s *standardScene) filled(label string, n int) gpu.View {
	x := make([]float32, n)
	for i := range x {
		x[i] = 12345
	}
	return s.buffer(label, x)
}

func (s *standardScene) read(v gpu.View) []float32 {
	data := make([]byte, v.Size)
	require.NoError(s, v.Buffer.Read(context.Background(), 0, data))
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

// run gives the output and, where the parameters ask for the backward pass, the gradients.
func (s *standardScene) run() [][]float32 {
	p := s.params
	a, err := NewStandard(s.dev, p)
	require.NoError(s, err)
	s.Cleanup(a.Release)
	require.NoError(s, a.Wait(context.Background()))
	q, k, v, out := s.input("q", s.q), s.input("k", s.k), s.input("v", s.v), s.filled("out", len(s.q))
	b, err := a.Bind(q, k, v, out)
	require.NoError(s, err)
	views := []gpu.View{out}
	var rec gpu.Recorder
	a.Record(&rec, b)
	if p.Backward {
		g := StandardGradients{s.input("dO", s.dOut), s.filled("dQ", len(s.q)), s.filled("dK", len(s.k)), s.filled("dV", len(s.v))}
		back, err := a.BindBackward(b, q, k, v, g)
		require.NoError(s, err)
		a.RecordBackward(&rec, back)
		views = append(views, g.DQ, g.DK, g.DV)
	}
	require.NoError(s, s.dev.Submit(&rec))
	var results [][]float32
	for _, v := range views {
		results = append(results, s.read(v))
	}
	require.NoError(s, s.dev.Err())
	return results
}

func expectStandard[T reference.Float](s *standardScene) [][]T {
	cast := func(x []float32) []T {
		out := make([]T, len(x))
		for i, f := range x {
			out[i] = T(f)
		}
		return out
	}
	p := reference.AttentionParams{Heads: s.params.Heads, KVHeads: s.params.KVHeads, HeadDim: s.params.HeadDim, Causal: s.params.Causal,
		Window: s.params.Window, Scale: float64(s.params.Scale), Softcap: float64(s.params.Softcap)}
	q, k, v := cast(s.q), cast(s.k), cast(s.v)
	out, _ := reference.Attention(q, k, v, p)
	results := [][]T{out}
	if s.params.Backward {
		dq, dk, dv := reference.AttentionBackward(q, k, v, cast(s.dOut), p)
		results = append(results, dq, dk, dv)
	}
	return results
}

// agree asserts the rule of accuracy for what run gives.
func (s *standardScene) agree(got [][]float32) {
	s.Helper()
	want, plain := expectStandard[float64](s), expectStandard[float32](s)
	for i, name := range []string{"out", "dQ", "dK", "dV"}[:len(got)] {
		var allowed, worst float64
		for j, w := range want[i] {
			allowed = max(allowed, math.Abs(float64(plain[i][j])-w))
			e := math.Abs(float64(got[i][j]) - w)
			require.False(s, math.IsNaN(e), "%s has NaN at %d", name, j)
			worst = max(worst, e)
		}
		times := 2.0
		if i > 0 {
			times = 3
		}
		assert.LessOrEqual(s, worst, times*allowed+1e-5, name)
	}
}

func TestStandard(t *testing.T) {
	for i, p := range []StandardParams{
		{Queries: 113, Keys: 203, HeadDim: 40, Heads: 2, KVHeads: 1, Causal: true},
		{Queries: 65, Keys: 64, HeadDim: 59, Heads: 2, KVHeads: 2, Backward: true},
		{Queries: 203, Keys: 113, HeadDim: 64, Heads: 1, KVHeads: 1, Causal: true, Softcap: 2},
		{Queries: 1, Keys: 239, HeadDim: 64, Heads: 4, KVHeads: 2, Causal: true},
		{Queries: 70, Keys: 70, HeadDim: 64, Heads: 4, KVHeads: 2, Causal: true, Backward: true},
		{Queries: 96, Keys: 131, HeadDim: 128, Heads: 3, KVHeads: 1, Causal: true, Window: 20},
		{Queries: 80, Keys: 101, HeadDim: 64, Heads: 2, KVHeads: 1, Window: 17, Softcap: 3, Backward: true},
	} {
		if caseShare() > 1 && (i == 0 || i%2 > 0) { // the others have every option, with the backward pass too
			continue
		}
		t.Run(fmt.Sprintf("%+v", p), func(t *testing.T) {
			s := newStandardScene(t, p)
			s.agree(s.run())
		})
	}
}

// Enough scores for the wide tiles that large GPUs take.
func TestStandardWide(t *testing.T) {
	s := newStandardScene(t, StandardParams{Queries: 1409, Keys: 1400, HeadDim: 32, Heads: 1, KVHeads: 1, Causal: true, Variant: "tile128"})
	s.agree(s.run())
}

func TestStandardSeesNothing(t *testing.T) {
	s := newStandardScene(t, StandardParams{Queries: 203, Keys: 113, HeadDim: 64, Heads: 1, KVHeads: 1, Causal: true, Softcap: 2})
	out := s.run()[0]
	require.Equal(t, make([]float32, 90*64), out[:90*64])
	require.InDeltaSlice(t, s.v[:64], out[90*64:91*64], 1e-6)
}

// What the paper counts for one head, and nothing else that grows with the square.
func TestStandardBytes(t *testing.T) {
	p := StandardParams{Queries: 70, Keys: 70, HeadDim: 64, Heads: 4, KVHeads: 2, Causal: true, Scale: 1}
	a, err := NewStandard(gputest.Device(t), p)
	require.NoError(t, err)
	defer a.Release()
	square, copies := a.Bytes()
	assert.EqualValues(t, 2*4*96*96, square)
	assert.Less(t, copies, uint64(4*5*96*64+recordBytes*4))
}

func TestStandardRefuses(t *testing.T) {
	onTheFirstHost(t)
	d := gputest.Device(t)
	good := StandardParams{Queries: 8, Keys: 8, HeadDim: 64, Heads: 4, KVHeads: 2, Scale: 1}
	for says, spoil := range map[string]func(*StandardParams){
		"0 queries":      func(p *StandardParams) { p.Queries = 0 },
		"head dim -1":    func(p *StandardParams) { p.HeadDim = -1 },
		"4 heads":        func(p *StandardParams) { p.KVHeads = 3 },
		"window -1":      func(p *StandardParams) { p.Window = -1 },
		"softcap NaN":    func(p *StandardParams) { p.Softcap = float32(math.NaN()) },
		`variant "warp"`: func(p *StandardParams) { p.Variant = "warp" },
		"fewer queries":  func(p *StandardParams) { p.Queries, p.Keys = 1<<20, 1<<20 },
	} {
		p := good
		spoil(&p)
		before := d.Stats().Buffers
		_, err := NewStandard(d, p)
		assert.ErrorContains(t, err, says)
		assert.Equal(t, before, d.Stats().Buffers, "%s leaves buffers", says)
	}
}
