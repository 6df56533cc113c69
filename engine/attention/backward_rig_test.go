package attention

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
	"quire/engine/reference"
)

// backwardCase is a launch of the backward pass: pairs are each sequence's queries and keys.
type backwardCase struct {
	params Params
	pairs  [][2]int
	heads  int // of the mask: 1, or all
}

func (c backwardCase) String() string {
	p := c.params
	name := fmt.Sprintf("dim %d heads %d/%d", p.HeadDim, p.Heads, p.KVHeads)
	for _, o := range []struct {
		on   bool
		name string
	}{
		{p.Bidirectional, "bidirectional"}, {p.Window > 0, fmt.Sprintf("window %d", p.Window)}, {p.Sinks > 0, fmt.Sprintf("sinks %d", p.Sinks)},
		{p.ALiBi, "ALiBi"}, {p.Softcap > 0, "softcap"}, {p.Mask == BooleanMask, "boolean mask"}, {p.Mask == AdditiveMask, "additive mask"},
		{p.Dropout.P > 0, "dropout"}, {p.KVType != kernel.KVF32, p.KVType.String()}, {p.QType != kernel.KVF32, "q " + p.QType.String()}, {p.Variant != "", p.Variant},
	} {
		if o.on {
			name += " " + o.name
		}
	}
	return fmt.Sprintf("%s %v", name, c.pairs)
}

// backwardSequence is one sequence of a launch, and what the loss's gradient by its output is.
type backwardSequence struct {
	number           int
	queries, keys    int
	q, k, v, dOut    []float32 // [queries][heads][dim], [keys][KV heads][dim]
	dq, dk, dv       []float32
	mask             func(head, query, key int) (float32, bool)
	maskHeads        int
	out, lse         []float32
	referenceOptions reference.AttentionParams
}

// backwardScene is a launch with its inputs and the forward pass's results.
type backwardScene struct {
	testing.TB
	dev       *gpu.Device
	rng       *rand.Rand
	params    Params
	sequences []*backwardSequence
}

const backwardSeed = 0x1234567890ABCDEF

func newBackwardScene(t testing.TB, c backwardCase) *backwardScene {
	p := c.params
	s := &backwardScene{TB: t, dev: gputest.Device(t), rng: rand.New(rand.NewPCG(11, uint64(p.HeadDim)))}
	p.Contiguous, p.LSE, p.Group = true, true, 2
	// Odd strides where the head dim is odd too, and else room that keeps reads of four elements.
	p.QOffset, p.QStride, p.OutStride = 4, p.Heads*p.queryWords()+8, p.Heads*p.HeadDim+4
	if p.HeadDim%4 != 0 {
		p.QOffset, p.QStride, p.OutStride = 3, p.Heads*p.queryWords()+5, p.Heads*p.HeadDim+1
	}
	if p.Scale == 0 {
		p.Scale = float32(1 / math.Sqrt(float64(p.HeadDim)))
	}
	s.params = p
	for i, pair := range c.pairs {
		seq := &backwardSequence{number: i, queries: pair[0], keys: pair[1], maskHeads: max(1, c.heads)}
		seq.q, seq.dOut = s.floats(seq.queries*p.Heads, p.QType), s.floats(seq.queries*p.Heads, kernel.KVF32)
		seq.k, seq.v = s.floats(seq.keys*p.KVHeads, p.KVType), s.floats(seq.keys*p.KVHeads, p.KVType)
		if p.Mask != NoMask && i%3 != 2 { // one sequence of three goes without
			seq.mask = testMask(p.Mask, seq.maskHeads)
		}
		seq.referenceOptions = s.reference(seq)
		s.sequences = append(s.sequences, seq)
	}
	return s
}

// testMask has blocks of 32 × 32 of each kind: all hidden, all plainly visible, and in between.
func testMask(kind MaskKind, heads int) func(head, query, key int) (float32, bool) {
	return func(head, query, key int) (float32, bool) {
		if heads == 1 {
			head = 0
		}
		switch block := (query/maskBlock + key/maskBlock + head) % 3; {
		case block == 0:
			return 0, true
		case block == 1 && key >= maskBlock || (3*query+5*key+head)%4 == 0:
			return 0, false
		case kind == BooleanMask:
			return 0, true
		}
		return float32(query%7-key%5) / 4, true
	}
}

// floats gives rows of a head dim of what a type can hold.
func (s *backwardScene) floats(rows int, of kernel.KVType) []float32 {
	out := make([]float32, rows*s.params.HeadDim)
	for i := range out {
		out[i] = float32(s.rng.NormFloat64())
	}
	storeRow(of, out)
	return out
}

func (s *backwardScene) reference(seq *backwardSequence) reference.AttentionParams {
	p := s.params
	r := reference.AttentionParams{Heads: p.Heads, KVHeads: p.KVHeads, HeadDim: p.HeadDim, Causal: !p.Bidirectional,
		Window: p.Window, Sinks: p.Sinks, Scale: float64(p.Scale), Softcap: float64(p.Softcap)}
	if p.ALiBi {
		r.Slopes = reference.ALiBiSlopes(p.Heads)
	}
	if seq.mask != nil {
		r.Mask = func(head, row, key int) (float64, bool) {
			add, visible := seq.mask(head, row, key)
			return float64(add), visible
		}
	}
	if p.Dropout.P > 0 {
		r.Dropout = func(head, row, key int) float64 { return p.Dropout.Factor(backwardSeed, seq.number, head, row, key) }
	}
	return r
}

// forward computes each sequence's output and LSE in float64.
func (s *backwardScene) forward() {
	for _, seq := range s.sequences {
		out, lse := reference.Attention(cast[float64](seq.q), cast[float64](seq.k), cast[float64](seq.v), seq.referenceOptions)
		seq.out = cast[float32](out)
		seq.lse = make([]float32, len(lse))
		for i, f := range lse {
			seq.lse[i] = float32(max(f, EmptyLSE))
		}
	}
}

func cast[T, F reference.Float](x []F) []T {
	out := make([]T, len(x))
	for i, f := range x {
		out[i] = T(f)
	}
	return out
}

func (s *backwardScene) buffer(label string, data []byte) gpu.View {
	b, err := s.dev.NewBuffer(label, uint64(len(data)), gpu.Storage)
	require.NoError(s, err)
	s.Cleanup(b.Release)
	require.NoError(s, b.Upload(0, data))
	return b.All()
}

// rows lays out each sequence's rows of width floats one after another, as a type has them: heads to a token, a token offset
// words into its stride. All else is NaN, what lies behind the last row too.
func (s *backwardScene) rows(of func(*backwardSequence) []float32, t kernel.KVType, heads, width, offset, stride int) []byte {
	var data []byte
	nan := func(words int) {
		for range words {
			data = binary.LittleEndian.AppendUint32(data, 0x7FC07E00)
		}
	}
	for _, seq := range s.sequences {
		x := of(seq)
		for at := 0; at < len(x); at += heads * width {
			end := len(data) + 4*stride
			nan(offset)
			for h := range heads {
				data = appendRow(data, t, x[at+h*width:at+(h+1)*width])
			}
			nan((end - len(data)) / 4)
		}
	}
	nan(max(stride, 4))
	return data
}

// backwardRun is a launch whose buffers are bound.
type backwardRun struct {
	scene      *backwardScene
	backward   *Backward
	bound      *BackwardBindings
	data       *kernel.StepData
	dq, dk, dv gpu.View
}

// bind binds a launch to the results of the reference's forward pass.
func (s *backwardScene) bind() *backwardRun {
	p := s.params
	g := s.inputs()
	g.Out = s.buffer("out", s.rows(func(q *backwardSequence) []float32 { return q.out }, kernel.KVF32, p.Heads, p.HeadDim, 0, p.OutStride))
	g.LSE = s.buffer("lse", s.rows(func(q *backwardSequence) []float32 { return q.lse }, kernel.KVF32, 1, p.Heads, 0, p.Heads))
	return s.bindTo(g)
}

// inputs are the buffers of Q, K and V.
func (s *backwardScene) inputs() Gradients {
	p := s.params
	return Gradients{
		Q: s.buffer("q", s.rows(func(q *backwardSequence) []float32 { return q.q }, p.QType, p.Heads, p.HeadDim, p.QOffset, p.QStride)),
		K: s.buffer("k", s.rows(func(q *backwardSequence) []float32 { return q.k }, p.KVType, p.KVHeads, p.HeadDim, 0, 0)),
		V: s.buffer("v", s.rows(func(q *backwardSequence) []float32 { return q.v }, p.KVType, p.KVHeads, p.HeadDim, 0, 0)),
	}
}

func (s *backwardScene) bindTo(g Gradients) *backwardRun {
	p := s.params
	b, err := NewBackward(s.dev, p)
	require.NoError(s, err)
	r := &backwardRun{scene: s, backward: b}
	r.data, err = b.Plan(s.plan())
	require.NoError(s, err)
	g.Step = s.step(r.data)
	tokens, keys := len(r.data.Tokens), 0
	for _, seq := range s.sequences {
		keys += seq.keys
	}
	nan := func(floats int) []byte {
		return bytes.Repeat([]byte{0, 0, 0xC0, 0x7F}, max(4, floats))
	}
	r.dq = s.buffer("dq", nan(tokens*p.Heads*p.HeadDim))
	r.dk, r.dv = s.buffer("dk", nan(keys*p.KVHeads*p.HeadDim)), s.buffer("dv", nan(keys*p.KVHeads*p.HeadDim))
	g.DOut = s.buffer("dOut", s.rows(func(q *backwardSequence) []float32 { return q.dOut }, kernel.KVF32, p.Heads, p.HeadDim, 0, p.OutStride))
	g.DQ, g.DK, g.DV = r.dq, r.dk, r.dv
	g.Scratch = s.buffer("scratch", make([]byte, b.ScratchBytes(tokens)))
	r.bound, err = b.Bind(g)
	require.NoError(s, err)
	return r
}

func (s *backwardScene) step(d *kernel.StepData) gpu.View {
	d.Seed = backwardSeed
	var words []byte
	for _, w := range d.AppendWords(nil) {
		words = binary.LittleEndian.AppendUint32(words, w)
	}
	return s.buffer("step", words)
}

// attend computes the forward pass on the GPU and binds the backward pass to it.
func (s *backwardScene) attend() *backwardRun {
	p := s.params
	a, err := New(s.dev, p)
	require.NoError(s, err)
	d, err := a.Plan(s.plan(), 0)
	require.NoError(s, err)
	g := s.inputs()
	g.Out = s.buffer("out", make([]byte, max(16, 4*len(d.Tokens)*p.OutStride)))
	g.LSE = s.buffer("lse", make([]byte, max(16, 4*len(d.Tokens)*p.Heads)))
	bound, err := a.Bind(Operands{Step: s.step(d), Q: g.Q, K: g.K, V: g.V, Out: g.Out, LSE: g.LSE,
		Partials: s.buffer("partials", make([]byte, max(16, a.PartialBytes(len(d.Decode)))))})
	require.NoError(s, err)
	var rec gpu.Recorder
	a.Record(&rec, bound, d)
	require.NoError(s, s.dev.Submit(&rec))
	return s.bindTo(g)
}

func (s *backwardScene) plan() []Sequence {
	var sequences []Sequence
	for _, seq := range s.sequences {
		q := Sequence{Queries: seq.queries, Keys: seq.keys}
		if seq.mask != nil {
			m, err := NewMask(s.params.Mask, seq.maskHeads, seq.queries, seq.keys, seq.mask)
			require.NoError(s, err)
			q.Mask = m
		}
		sequences = append(sequences, q)
	}
	return sequences
}

// run computes the gradients and hands them to the sequences.
func (r *backwardRun) run() {
	s := r.scene
	var rec gpu.Recorder
	r.backward.Record(&rec, r.bound, r.data)
	require.NoError(s, s.dev.Submit(&rec))
	dq, dk, dv := s.read(r.dq), s.read(r.dk), s.read(r.dv)
	for _, seq := range s.sequences {
		seq.dq, dq = dq[:len(seq.q)], dq[len(seq.q):]
		seq.dk, dk = dk[:len(seq.k)], dk[len(seq.k):]
		seq.dv, dv = dv[:len(seq.v)], dv[len(seq.v):]
	}
	require.NoError(s, s.dev.Err())
}

func (s *backwardScene) read(v gpu.View) []float32 {
	data := make([]byte, v.Size)
	require.NoError(s, v.Buffer.Read(context.Background(), 0, data))
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

// check asserts the rule of accuracy for each gradient: the largest error is at most three times that of the plain formula
// in float32, which starts from the LSE in float32 as the kernel does, plus 1e-5.
func (s *backwardScene) check() {
	s.Helper()
	var allowed, worst [3]float64
	for i, seq := range s.sequences {
		dq, dk, dv := reference.AttentionBackward(cast[float64](seq.q), cast[float64](seq.k), cast[float64](seq.v), cast[float64](seq.dOut), seq.referenceOptions)
		plain := seq.referenceOptions
		if seq.lse != nil { // not where the forward pass ran on the GPU
			plain.LSE = func(head, row int) float64 { return float64(seq.lse[row*plain.Heads+head]) }
		}
		pq, pk, pv := reference.AttentionBackward(seq.q, seq.k, seq.v, seq.dOut, plain)
		for j, g := range []struct {
			want       []float64
			plain, got []float32
		}{{dq, pq, seq.dq}, {dk, pk, seq.dk}, {dv, pv, seq.dv}} {
			require.Len(s, g.got, len(g.want))
			for n, w := range g.want {
				allowed[j] = max(allowed[j], math.Abs(float64(g.plain[n])-w))
				e := math.Abs(float64(g.got[n]) - w)
				require.False(s, math.IsNaN(e), "%s of sequence %d at %d is NaN", gradientNames[j], i, n)
				worst[j] = max(worst[j], e)
			}
		}
	}
	for j := range worst {
		require.LessOrEqual(s, worst[j], 3*allowed[j]+1e-5, gradientNames[j])
	}
}

var gradientNames = [3]string{"dQ", "dK", "dV"}
