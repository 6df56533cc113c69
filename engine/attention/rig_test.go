package attention

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
	"quire/engine/reference"
)

// sequence is one row of a launch: count tokens, the last of which is token number length of the sequence.
type sequence struct {
	length, count int
	q, k, v       []float32 // [count][heads][dim], [length][KV heads][dim]
	table         []uint32
}

// scene is a launch of attention over sequences in shuffled blocks of caches that are NaN wherever nothing was stored.
type scene struct {
	testing.TB
	dev       *gpu.Device
	rng       *rand.Rand
	params    Params
	span      int
	sequences []*sequence
	k, v      []float32 // [block][KV head][slot][dim]
	launches  int       // of prefill, in the last run
	sinks     []float32 // a logit a head; nil: none
	shared    []sharedRows
	attention *Attention       // nil: what New makes
	last      *kernel.StepData // of the last run
}

// sharedRows are sequences that begin with the same keys of the first.
type sharedRows struct{ first, rows, keys int }

const group = 1 // the KV group of every scene; group 0 has tables full of the null block

func newScene(t testing.TB, p Params, span int, lengths, counts []int) *scene {
	s := &scene{TB: t, dev: gputest.Device(t), rng: rand.New(rand.NewPCG(7, uint64(p.HeadDim))), params: p, span: span}
	s.params.Group = group
	s.params.QOffset = 3
	s.params.QStride = p.Heads*p.HeadDim + 11
	s.params.OutStride = p.Heads*p.HeadDim + 5
	for i, length := range lengths {
		q := &sequence{length: length, count: counts[i]}
		q.q = s.floats(q.count*p.Heads*p.HeadDim, 1)
		q.k = s.floats(max(0, length)*p.KVHeads*p.HeadDim, 1)
		q.v = s.floats(max(0, length)*p.KVHeads*p.HeadDim, 1)
		s.sequences = append(s.sequences, q)
	}
	if p.Scale == 0 {
		s.params.Scale = float32(1 / math.Sqrt(float64(p.HeadDim)))
	}
	return s
}

func (s *scene) floats(n int, scale float64) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32(s.rng.NormFloat64() * scale)
	}
	return out
}

// fill puts the sequences' K and V into shuffled blocks.
func (s *scene) fill() {
	p := s.params
	blocks := 3
	for _, q := range s.sequences {
		blocks += (q.length + p.BlockSize - 1) / p.BlockSize
	}
	ids := s.rng.Perm(blocks - 1)
	s.k = make([]float32, blocks*p.KVHeads*p.BlockSize*p.HeadDim)
	s.v = make([]float32, len(s.k))
	for i := range s.k {
		s.k[i], s.v[i] = float32(math.NaN()), float32(math.NaN())
	}
	for _, sh := range s.shared {
		for _, q := range s.sequences[sh.first : sh.first+sh.rows] {
			n := sh.keys * p.KVHeads * p.HeadDim
			copy(q.k[:n], s.sequences[sh.first].k)
			copy(q.v[:n], s.sequences[sh.first].v)
		}
	}
	for i, q := range s.sequences {
		q.table = q.table[:0]
		for range (q.length + p.BlockSize - 1) / p.BlockSize {
			q.table = append(q.table, uint32(ids[0]+1))
			ids = ids[1:]
		}
		for _, x := range [][]float32{q.k, q.v} {
			for row := range slices.Chunk(x, p.HeadDim) {
				storeRow(p.KVType, row)
			}
		}
		for key := range max(0, q.length) {
			for h := range p.KVHeads {
				to := ((int(q.table[key/p.BlockSize])*p.KVHeads+h)*p.BlockSize + key%p.BlockSize) * p.HeadDim
				at := (key*p.KVHeads + h) * p.HeadDim
				copy(s.k[to:to+p.HeadDim], q.k[at:])
				copy(s.v[to:to+p.HeadDim], q.v[at:])
			}
		}
		for _, sh := range s.shared {
			if i > sh.first && i < sh.first+sh.rows {
				copy(q.table[:sh.keys/p.BlockSize], s.sequences[sh.first].table)
			}
		}
		// What lies wholly before the window has been given back.
		if p.Window > 0 {
			for i := range q.table {
				if (i+1)*p.BlockSize <= q.length-q.count-p.Window+1 {
					q.table[i] = 0
				}
			}
		}
	}
}

func (s *scene) cache(x []float32) []byte {
	var out []byte
	rows := s.params.KVHeads * s.params.BlockSize
	for block := range slices.Chunk(x, rows*s.params.HeadDim) {
		for row := range slices.Chunk(block, s.params.HeadDim) {
			out = appendRow(out, s.params.KVType, row)
		}
		for range s.params.BlockPad { // another layer's numbers
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(math.NaN())))
		}
	}
	return out
}

func (s *scene) buffer(label string, data []byte) gpu.View {
	b, err := s.dev.NewBuffer(label, uint64(len(data)), gpu.Storage)
	require.NoError(s, err)
	s.Cleanup(b.Release)
	require.NoError(s, b.Upload(0, data))
	return b.All()
}

func (s *scene) step(d *kernel.StepData) gpu.View {
	var data []byte
	for _, w := range d.AppendWords(nil) {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	return s.buffer("step", data)
}

// run attends and returns each sequence's output [count][heads][dim].
func (s *scene) run() [][]float32 {
	p := s.params
	s.fill()
	a, err := s.attention, error(nil)
	if a == nil {
		a, err = New(s.dev, p)
	}
	require.NoError(s, err)
	var d kernel.StepData
	s.last = &d
	var q []byte
	tokens := 0
	for _, seq := range s.sequences {
		row := kernel.StepRow{First: uint32(tokens), Count: uint32(seq.count), Start: uint32(int32(seq.length - seq.count))}
		var tables [kernel.MaxGroups][]uint32
		tables[0] = make([]uint32, len(seq.table))
		tables[group] = seq.table
		d.Rows, d.Tables = append(d.Rows, row), append(d.Tables, tables)
		for t := range seq.count {
			line := make([]float32, p.QStride)
			for e := range line {
				line[e] = float32(math.NaN())
			}
			copy(line[p.QOffset:], seq.q[t*p.Heads*p.HeadDim:(t+1)*p.Heads*p.HeadDim])
			for _, f := range line {
				q = binary.LittleEndian.AppendUint32(q, math.Float32bits(f))
			}
		}
		tokens += seq.count
	}
	s.items(a, &d)
	d.Tokens, d.Positions, d.Slots = make([]uint32, tokens), make([]uint32, tokens), make([][]int32, group+1)
	out := s.buffer("out", make([]byte, max(16, 4*tokens*p.OutStride)))
	partials, err := s.dev.NewBuffer("partials", max(16, a.PartialBytes(d.List(p.List).Partials)), gpu.Storage)
	require.NoError(s, err)
	s.Cleanup(partials.Release)
	walks, err := s.dev.NewBuffer("walks", max(16, a.WalkBytes(len(d.List(p.List).Prefill))), gpu.Storage)
	require.NoError(s, err)
	s.Cleanup(walks.Release)
	s.launches = a.walk.launches(longest(d.List(p.List).Prefill))
	step := s.step(&d)
	var lse gpu.View
	if p.LSE {
		lse = s.buffer("lse", make([]byte, 4*max(4, tokens*p.Heads)))
	}
	b, err := a.Bind(Operands{Step: step, LSE: lse, Q: s.buffer("q", q), K: s.buffer("k", s.cache(s.k)), V: s.buffer("v", s.cache(s.v)), Out: out, Partials: partials.All(),
		Walks: walks.All()})
	require.NoError(s, err)
	var rec gpu.Recorder
	a.Record(&rec, b, &d)
	if s.sinks != nil {
		s.sink(&rec, step, lse, out, tokens)
	}
	require.NoError(s, s.dev.Submit(&rec))
	data := make([]byte, 4*tokens*p.OutStride)
	require.NoError(s, out.Buffer.Read(context.Background(), 0, data))
	require.NoError(s, s.dev.Err())

	var results [][]float32
	for _, seq := range s.sequences {
		var result []float32
		for range seq.count {
			for e := range p.OutStride {
				f := math.Float32frombits(binary.LittleEndian.Uint32(data[4*e:]))
				if e < p.Heads*p.HeadDim {
					result = append(result, f)
				} else {
					require.Zero(s, f, "the padding of a row")
				}
			}
			data = data[4*p.OutStride:]
		}
		results = append(results, result)
	}
	return results
}

// items shares the step's rows out.
func (s *scene) items(a *Attention, d *kernel.StepData) {
	for i := 0; i < len(s.sequences); {
		n := slices.IndexFunc(s.shared, func(sh sharedRows) bool { return sh.first == i })
		if n < 0 {
			a.AppendRow(d, i, s.sequences[i].count, s.sequences[i].length-s.sequences[i].count, s.span)
			i++
			continue
		}
		sh, most := s.shared[n], 0
		for _, q := range s.sequences[i : i+sh.rows] {
			most = max(most, q.length)
		}
		sharing, ok := a.Share(sh.rows, sh.keys, most, s.span, 4)
		require.True(s, ok)
		before := d.List(s.params.List).Partials
		a.AppendShared(d, i, sh.rows, sh.keys, s.span, sharing)
		require.Equal(s, before+sharing.Partials, d.List(s.params.List).Partials)
		i += sh.rows
	}
}

// sink records the scene's sinks.
func (s *scene) sink(rec *gpu.Recorder, step, lse, out gpu.View, tokens int) {
	k, err := NewSinks(s.dev, s.params)
	require.NoError(s, err)
	b, err := k.Bind(step, lse, s.buffer("sinks", appendRow(nil, kernel.KVF32, s.sinks)), out)
	require.NoError(s, err)
	k.Record(rec, b, tokens)
}

func expect[T reference.Float](p Params, seq *sequence, sinks []float32) []T {
	var logits []float64
	for _, x := range sinks {
		logits = append(logits, float64(x))
	}
	cast := func(x []float32) []T {
		out := make([]T, len(x))
		for i, f := range x {
			out[i] = T(f)
		}
		return out
	}
	out, _ := reference.Attention(cast(seq.q), cast(seq.k), cast(seq.v), reference.AttentionParams{
		Heads: p.Heads, KVHeads: p.KVHeads, HeadDim: p.HeadDim, Causal: true, Window: p.Window,
		Scale: float64(p.Scale), Softcap: float64(p.Softcap), SinkLogits: logits})
	return out
}

// check asserts the rule of accuracy: the largest error is at most times that of the plain formula in float32, plus
// slack.
func (s *scene) check(got [][]float32, times, slack float64) {
	s.Helper()
	var allowed, worst float64
	for i, seq := range s.sequences {
		want, plain := expect[float64](s.params, seq, s.sinks), expect[float32](s.params, seq, s.sinks)
		require.Len(s, got[i], len(want))
		for j, w := range want {
			allowed = max(allowed, math.Abs(float64(plain[j])-w))
			e := math.Abs(float64(got[i][j]) - w)
			require.False(s, math.IsNaN(e), "NaN in sequence %d at %d", i, j)
			worst = max(worst, e)
		}
	}
	require.LessOrEqual(s, worst, times*allowed+slack)
}
