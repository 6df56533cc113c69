package attention

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
	"quire/engine/quant"
	"quire/engine/reference"
)

// launchCase is a launch on its own: pairs are each sequence's queries and keys.
type launchCase struct {
	params    Params
	pairs     [][2]int
	maskHeads int  // 1, or all
	span      int  // keys of a split; 0 lets the adapter decide
	few       bool // decode by the kernel of few items
	long      bool // the reference computes about 16 rows of each sequence

	otherOrder bool // decode's invocations exchange scores as on other hosts
}

// orders are values of otherOrder to test.
func orders() []bool {
	if caseShare() > 1 {
		return []bool{false}
	}
	return []bool{false, true}
}

func (c launchCase) String() string {
	p := c.params
	name := fmt.Sprintf("dim %d heads %d/%d", p.HeadDim, p.Heads, p.KVHeads)
	for _, o := range []struct {
		on   bool
		name string
	}{
		{p.Bidirectional, "bidirectional"}, {p.Window > 0, fmt.Sprintf("window %d", p.Window)}, {p.Sinks > 0, fmt.Sprintf("sinks %d", p.Sinks)},
		{p.ALiBi, "ALiBi"}, {p.Softcap > 0, fmt.Sprintf("softcap %v", p.Softcap)}, {p.Mask == BooleanMask, "boolean mask"},
		{p.Mask == AdditiveMask, "additive mask"}, {p.Mask > 0 && c.maskHeads > 1, "by head"}, {p.Dropout.P > 0, "dropout"},
		{p.KVType != kernel.KVF32, p.KVType.String()}, {p.QType != kernel.KVF32, "q " + p.QType.String()},
		{p.Contiguous, "contiguous"}, {!p.Contiguous, "blocks"}, {p.Deterministic, "deterministic"}, {p.Variant != "", p.Variant},
		{c.otherOrder, "other order"},
	} {
		if o.on {
			name += " " + o.name
		}
	}
	return name
}

// launched is one sequence of a launch.
type launched struct {
	queries, keys int
	q, k, v       []float32 // [queries][heads][dim], [keys][KV heads][dim]
	table         []uint32
	mask          func(head, query, key int) (float32, bool)
	rows          []int // whose reference is computed
	out, lse      []float32
}

// launch is a launch with its inputs and, once it ran, its outputs. What lies between and behind rows is NaN.
type launch struct {
	testing.TB
	dev       *gpu.Device
	rng       *rand.Rand
	c         launchCase
	params    Params
	sequences []*launched
}

const dropoutSeed = 0xFEDCBA9876543210

func newLaunch(t testing.TB, c launchCase) *launch {
	p := c.params
	l := &launch{TB: t, dev: gputest.Device(t), rng: rand.New(rand.NewPCG(5, uint64(p.HeadDim))), c: c}
	p.LSE = true
	p.Group = 1
	p.QOffset, p.QStride, p.OutStride = 4, p.Heads*p.queryWords()+8, p.Heads*p.HeadDim+4
	if p.HeadDim%4 != 0 {
		p.QOffset, p.QStride, p.OutStride = 3, p.Heads*p.queryWords()+5, p.Heads*p.HeadDim+1
	}
	if p.BlockSize == 0 {
		p.BlockSize = 16
	}
	if p.Scale == 0 {
		p.Scale = float32(1 / math.Sqrt(float64(p.HeadDim)))
	}
	l.params = p
	for i, pair := range c.pairs {
		s := &launched{queries: pair[0], keys: pair[1]}
		s.q = l.floats(s.queries*p.Heads, p.QType)
		s.k, s.v = l.floats(s.keys*p.KVHeads, p.KVType), l.floats(s.keys*p.KVHeads, p.KVType)
		if p.Mask != NoMask && i%3 != 2 { // one sequence of three goes without
			s.mask = testMask(p.Mask, max(1, c.maskHeads))
		}
		for row := range s.queries { // an odd step meets every row of an invocation's four
			if !c.long || s.queries <= 16 || row%(s.queries/15|1) == 0 || row == s.queries-1 {
				s.rows = append(s.rows, row)
			}
		}
		l.sequences = append(l.sequences, s)
	}
	return l
}

// floats gives rows of a head dim of what a type can hold.
func (l *launch) floats(rows int, of kernel.KVType) []float32 {
	out := make([]float32, rows*l.params.HeadDim)
	for i := range out {
		out[i] = float32(l.rng.NormFloat64())
	}
	for at := 0; at < len(out); at += l.params.HeadDim {
		storeRow(of, out[at:at+l.params.HeadDim])
	}
	return out
}

func (l *launch) buffer(label string, data []byte) gpu.View {
	b, err := l.dev.NewBuffer(label, uint64(len(data)), gpu.Storage)
	require.NoError(l, err)
	l.Cleanup(b.Release)
	require.NoError(l, b.Upload(0, data))
	return b.All()
}

func appendNaN(data []byte, words int) []byte {
	for range words {
		data = binary.LittleEndian.AppendUint32(data, 0x7FC07E00)
	}
	return data
}

// caches lays out K or V: one sequence after another, or in shuffled blocks. Blocks that lie wholly before the window, but
// for the sinks', are given back.
func (l *launch) cache(of func(*launched) []float32) []byte {
	p := l.params
	rowBytes := 4 * kernel.KVLayout{HeadDim: p.HeadDim, Type: p.KVType}.RowWords()
	var data []byte
	if p.Contiguous {
		for _, s := range l.sequences {
			x := of(s)
			for at := 0; at < len(x); at += p.HeadDim {
				data = appendRow(data, p.KVType, x[at:at+p.HeadDim])
			}
		}
		return appendNaN(data, 4*rowBytes)
	}
	blocks := 3
	for _, s := range l.sequences {
		blocks += (s.keys + p.BlockSize - 1) / p.BlockSize
	}
	ids := rand.New(rand.NewPCG(8, 9)).Perm(blocks - 1)
	data = appendNaN(nil, blocks*p.KVHeads*p.BlockSize*rowBytes/4)
	if p.KVType == kernel.KVQ8 { // a scale that is NaN
		for at := rowBytes - 4; at < len(data); at += rowBytes {
			binary.LittleEndian.PutUint32(data[at:], 0x7E007E00)
		}
	}
	for _, s := range l.sequences {
		x := of(s)
		s.table = nil
		for b := range (s.keys + p.BlockSize - 1) / p.BlockSize {
			if p.Window > 0 && b*p.BlockSize >= p.Sinks && (b+1)*p.BlockSize <= s.keys-s.queries-p.Window+1 {
				s.table = append(s.table, 0)
				continue
			}
			s.table = append(s.table, uint32(ids[0]+1))
			ids = ids[1:]
			for key := b * p.BlockSize; key < min(s.keys, (b+1)*p.BlockSize); key++ {
				for h := range p.KVHeads {
					at := ((int(s.table[b])*p.KVHeads+h)*p.BlockSize + key%p.BlockSize) * rowBytes
					from := (key*p.KVHeads + h) * p.HeadDim
					appendRow(data[:at], p.KVType, x[from:from+p.HeadDim])
				}
			}
		}
	}
	return data
}

func (l *launch) attention() (*Attention, error) {
	c, err := l.params.choose(l.dev.Info())
	if err == nil && l.c.few {
		c.few = l.params.fewFor(c.decode, l.dev.Info())
	}
	if err != nil {
		return nil, err
	}
	if l.c.otherOrder {
		c.decode.near, c.few.near = !c.decode.near, !c.few.near
	}
	a, err := newOf(l.dev, l.params, c)
	if err == nil && l.c.few {
		require.NotNil(l, a.few.kernel)
		a.few.most = math.MaxInt
	}
	return a, err
}

// run attends, and fills each sequence's output and log-sum-exp.
func (l *launch) run() {
	l.Helper()
	p := l.params
	a, err := l.attention()
	require.NoError(l, err)
	k, v := l.buffer("k", l.cache(func(s *launched) []float32 { return s.k })), l.buffer("v", l.cache(func(s *launched) []float32 { return s.v }))
	var plan []Sequence
	var q []byte
	tokens := 0
	for _, s := range l.sequences {
		sequence := Sequence{Queries: s.queries, Keys: s.keys, Table: s.table}
		if s.mask != nil {
			sequence.Mask, err = NewMask(p.Mask, max(1, l.c.maskHeads), s.queries, s.keys, s.mask)
			require.NoError(l, err)
		}
		plan = append(plan, sequence)
		for t := range s.queries {
			end := len(q) + 4*p.QStride
			q = appendNaN(q, p.QOffset)
			for h := range p.Heads {
				at := (t*p.Heads + h) * p.HeadDim
				q = appendRow(q, p.QType, s.q[at:at+p.HeadDim])
			}
			q = appendNaN(q, (end-len(q))/4)
		}
		tokens += s.queries
	}
	d, err := a.Plan(plan, l.c.span)
	require.NoError(l, err)
	d.Seed = dropoutSeed
	var step []byte
	for _, w := range d.AppendWords(nil) {
		step = binary.LittleEndian.AppendUint32(step, w)
	}
	o := Operands{Step: l.buffer("step", step), Q: l.buffer("q", appendNaN(q, 4)), K: k, V: v,
		Out: l.buffer("out", appendNaN(nil, tokens*p.OutStride)), LSE: l.buffer("lse", appendNaN(nil, tokens*p.Heads)),
		Partials: l.buffer("partials", appendNaN(nil, int(a.PartialBytes(len(d.Decode)))/4))}
	b, err := a.Bind(o)
	require.NoError(l, err)
	var rec gpu.Recorder
	a.Record(&rec, b, d)
	require.NoError(l, l.dev.Submit(&rec))
	out, lse := l.read(o.Out, tokens*p.OutStride), l.read(o.LSE, tokens*p.Heads)
	for _, s := range l.sequences {
		s.out, s.lse = nil, lse[:s.queries*p.Heads]
		lse = lse[s.queries*p.Heads:]
		for range s.queries {
			s.out = append(s.out, out[:p.Heads*p.HeadDim]...)
			for _, f := range out[p.Heads*p.HeadDim : p.OutStride] {
				require.Equal(l, uint32(0x7FC07E00), math.Float32bits(f), "what lies between rows")
			}
			out = out[p.OutStride:]
		}
	}
}

func (l *launch) read(v gpu.View, words int) []float32 {
	data := make([]byte, 4*words)
	require.NoError(l, v.Buffer.Read(context.Background(), 0, data))
	require.NoError(l, l.dev.Err())
	out := make([]float32, words)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

// reference gives the parameters and the sampled queries of sequence i.
func (l *launch) reference(i int) (reference.AttentionParams, []float32) {
	p, s := l.params, l.sequences[i]
	r := reference.AttentionParams{Heads: p.Heads, KVHeads: p.KVHeads, HeadDim: p.HeadDim, Causal: !p.Bidirectional,
		Window: p.Window, Sinks: p.Sinks, Scale: float64(p.Scale), Softcap: float64(p.Softcap)}
	if p.ALiBi {
		for _, slope := range ALiBiSlopes(p.Heads) {
			r.Slopes = append(r.Slopes, float64(slope))
		}
	}
	if s.mask != nil {
		r.Mask = func(head, row, key int) (float64, bool) {
			add, visible := s.mask(head, row, key)
			return float64(add), visible
		}
	}
	if p.Dropout.P > 0 {
		r.Dropout = func(head, row, key int) float64 { return p.Dropout.Factor(dropoutSeed, i, head, row, key) }
	}
	if len(s.rows) == s.queries {
		return r, s.q
	}
	r.Rows, r.QueryRows = s.rows, s.queries
	var q []float32
	for _, row := range s.rows {
		q = append(q, s.q[row*p.Heads*p.HeadDim:(row+1)*p.Heads*p.HeadDim]...)
	}
	return r, q
}

// check asserts the rule of accuracy of outputs and log-sum-exps, and returns how much of what it allows is used.
func (l *launch) check() float64 {
	l.Helper()
	p := l.params
	worst := 0.0
	for i, s := range l.sequences {
		r, q := l.reference(i)
		want, wantLSE := reference.Attention(cast[float64](q), cast[float64](s.k), cast[float64](s.v), r)
		var plain, plainLSE []float32
		if strings.Contains(p.Variant, "f16") {
			plain, plainLSE = plainHalf(q, s.k, s.v, r)
		} else {
			plain, plainLSE = reference.Attention(q, s.k, s.v, r)
		}
		var got, gotLSE []float32
		for _, row := range s.rows {
			got = append(got, s.out[row*p.Heads*p.HeadDim:(row+1)*p.Heads*p.HeadDim]...)
			gotLSE = append(gotLSE, s.lse[row*p.Heads:(row+1)*p.Heads]...)
		}
		for j, f := range wantLSE {
			if math.IsInf(f, -1) {
				require.Equal(l, float32(EmptyLSE), gotLSE[j], "the log-sum-exp of a row that sees nothing")
				require.Equal(l, make([]float32, p.HeadDim), got[j*p.HeadDim:(j+1)*p.HeadDim], "a row that sees nothing")
				wantLSE[j], plainLSE[j], gotLSE[j] = 0, 0, 0
			}
		}
		worst = max(worst, l.accurate(want, plain, got), l.accurate(wantLSE, plainLSE, gotLSE))
	}
	return worst
}

// accurate asserts the rule: the largest error is at most twice that of the plain formula, plus 1e-5.
func (l *launch) accurate(want []float64, plain, got []float32) float64 {
	l.Helper()
	var allowed, worst float64
	for i, w := range want {
		allowed = max(allowed, math.Abs(float64(plain[i])-w))
		e := math.Abs(float64(got[i]) - w)
		require.False(l, math.IsNaN(e), "NaN at %d", i)
		worst = max(worst, e)
	}
	ratio := worst / (2*allowed + 1e-5)
	require.LessOrEqual(l, ratio, 1.0, "largest error %g, the plain formula's is %g", worst, allowed)
	return ratio
}

func asHalf(x []float32) []float32 {
	out := make([]float32, len(x))
	for i, f := range x {
		out[i] = quant.F16ToF32(quant.F32ToF16(f))
	}
	return out
}

// plainHalf is the formula in float32 on inputs rounded to f16, with P rounded to f16 before it weighs V.
func plainHalf(q, k, v []float32, r reference.AttentionParams) (out, lse []float32) {
	q, k, v = asHalf(q), asHalf(k), asHalf(v)
	// With V one-hot by pieces, the reference gives P itself.
	rounded := r
	factor := r.Dropout
	out, lse = reference.Attention(q, k, v, r)
	keys := len(k) / (r.KVHeads * r.HeadDim)
	one := make([]float32, len(v))
	weights := make([]float32, len(lse)*keys)
	rounded.Dropout = nil
	for base := 0; base < keys; base += r.HeadDim {
		clear(one)
		for e := range min(r.HeadDim, keys-base) {
			for h := range r.KVHeads {
				one[((base+e)*r.KVHeads+h)*r.HeadDim+e] = 1
			}
		}
		p, _ := reference.Attention(q, k, one, rounded)
		for i := range lse {
			copy(weights[i*keys+base:(i+1)*keys], p[i*r.HeadDim:(i+1)*r.HeadDim])
		}
	}
	for i := range lse {
		row, head := i/r.Heads, i%r.Heads
		if r.Rows != nil {
			row = r.Rows[row]
		}
		top := float32(0)
		for _, w := range weights[i*keys : (i+1)*keys] {
			top = max(top, w)
		}
		o := out[i*r.HeadDim : (i+1)*r.HeadDim]
		clear(o)
		for key, w := range weights[i*keys : (i+1)*keys] {
			if w == 0 {
				continue
			}
			w /= top
			if factor != nil {
				w *= float32(factor(head, row, key))
			}
			w = quant.F16ToF32(quant.F32ToF16(w)) * top
			at := (key*r.KVHeads + head/(r.Heads/r.KVHeads)) * r.HeadDim
			for e := range o {
				o[e] += w * v[at+e]
			}
		}
	}
	return out, lse
}
