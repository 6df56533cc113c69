package attention

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/kernel"
	"quire/engine/quant"
	"quire/engine/reference"
)

// matrixScene is a launch of the matrix variant's kernel over sequences of random numbers.
type matrixScene struct {
	testing.TB
	params    Params
	tile      matrixTile
	subgroup  int
	emulated  bool // emulate the fragments
	sequences []*matrixSequence
	seed      uint64
	slopes    []float64
}

type matrixSequence struct {
	queries, keys int
	q, k, v       []float32 // [queries][heads][dim], [keys][KV heads][dim]
	mask          func(head, query, key int) (float32, bool)
}

func newMatrixScene(t testing.TB, p Params, tile matrixTile, subgroup int, queries, keys []int) *matrixScene {
	rng := rand.New(rand.NewPCG(11, uint64(p.HeadDim)))
	floats := func(n int) []float32 {
		x := make([]float32, n*p.HeadDim)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	p.QOffset, p.QStride, p.OutStride = 4, qRowWords(p)*p.Heads+8, p.Heads*p.HeadDim+5
	p.BlockSize = 16
	if p.Scale == 0 {
		p.Scale = float32(1 / math.Sqrt(float64(p.HeadDim)))
	}
	s := &matrixScene{TB: t, params: p, tile: tile, subgroup: subgroup, emulated: true, seed: 0x9E3779B97F4A7C15}
	for i := range queries {
		s.sequences = append(s.sequences, &matrixSequence{queries: queries[i], keys: keys[i],
			q: floats(queries[i] * p.Heads), k: floats(keys[i] * p.KVHeads), v: floats(keys[i] * p.KVHeads)})
	}
	if p.ALiBi {
		s.slopes = reference.ALiBiSlopes(p.Heads)
	}
	return s
}

func qRowWords(p Params) int {
	return kernel.KVLayout{HeadDim: p.HeadDim, Type: p.QType}.RowWords()
}

// words encodes rows of a head's elements as their type is stored, each padded to whole words with NaN.
func words(x []float32, dim int, t kernel.KVType) []uint32 {
	var out []uint32
	for ; len(x) > 0; x = x[dim:] {
		if t == kernel.KVF32 {
			for _, f := range x[:dim] {
				out = append(out, math.Float32bits(f))
			}
			continue
		}
		for e := 0; e < dim; e += 2 {
			high := uint16(0x7E00)
			if e+1 < dim {
				high = quant.F32ToF16(x[e+1])
			}
			out = append(out, uint32(quant.F32ToF16(x[e]))|uint32(high)<<16)
		}
	}
	return out
}

func (s *matrixScene) buffer(label string, x []uint32) gpu.View {
	data := make([]byte, 0, 4*len(x))
	for _, w := range x {
		data = binary.LittleEndian.AppendUint32(data, w)
	}
	b, err := gputest.Device(s).NewBuffer(label, uint64(max(16, len(data))), gpu.Storage)
	require.NoError(s, err)
	s.Cleanup(b.Release)
	require.NoError(s, b.Upload(0, data))
	return b.All()
}

const nan = 0x7FC00000

// layout gives the step and the K and V buffers: contiguous, or in blocks in falling order of ids, NaN wherever there is no key.
func (s *matrixScene) layout() (d kernel.StepData, q, k, v []uint32) {
	p := s.params
	row := kernel.KVLayout{HeadDim: p.HeadDim, Type: p.KVType}.RowWords()
	total := 0
	for _, seq := range s.sequences {
		total += (seq.keys + p.BlockSize - 1) / p.BlockSize
	}
	blocks := total + 2
	if p.Contiguous {
		blocks = total + len(s.sequences)
	}
	k, v = make([]uint32, blocks*p.BlockSize*p.KVHeads*row), make([]uint32, blocks*p.BlockSize*p.KVHeads*row)
	for i := range k {
		k[i], v[i] = nan, nan
	}
	next, firstKey, token := uint32(blocks-1), 0, 0
	for i, seq := range s.sequences {
		r := kernel.StepRow{First: uint32(token), Count: uint32(seq.queries), Start: uint32(int32(seq.keys - seq.queries))}
		var tables [kernel.MaxGroups][]uint32
		if p.Contiguous {
			tables[0] = []uint32{uint32(firstKey)}
		}
		kw, vw := words(seq.k, p.HeadDim, p.KVType), words(seq.v, p.HeadDim, p.KVType)
		for key := range seq.keys {
			if !p.Contiguous && key%p.BlockSize == 0 {
				tables[0] = append(tables[0], next)
				next--
			}
			for h := range p.KVHeads {
				to := (firstKey+key)*p.KVHeads + h
				if !p.Contiguous {
					to = (int(tables[0][key/p.BlockSize])*p.KVHeads+h)*p.BlockSize + key%p.BlockSize
				}
				from := (key*p.KVHeads + h) * row
				copy(k[to*row:(to+1)*row], kw[from:])
				copy(v[to*row:(to+1)*row], vw[from:])
			}
		}
		firstKey += seq.keys
		if p.Contiguous {
			firstKey += 3 // keys of nobody
		}
		d.Rows, d.Tables = append(d.Rows, r), append(d.Tables, tables)
		perToken := p.Heads / p.KVHeads
		for first := 0; first < seq.queries*perToken; first += s.tile.rows() {
			end := seq.keys
			if !p.Bidirectional {
				last := min(first+s.tile.rows(), seq.queries*perToken) - 1
				end = max(0, seq.keys-seq.queries+last/perToken+1)
			}
			d.Prefill = append(d.Prefill, kernel.Item{Row: uint32(i), First: uint32(first), KeyEnd: uint32(end)})
		}
		qw := words(seq.q, p.HeadDim, p.QType)
		for range seq.queries {
			line := make([]uint32, p.QStride)
			for e := range line {
				line[e] = nan
			}
			n := qRowWords(p) * p.Heads
			copy(line[p.QOffset:], qw[:n])
			q, qw = append(q, line...), qw[n:]
		}
		var mask Mask
		if seq.mask != nil {
			var err error
			mask, err = NewMask(p.Mask, p.Heads, seq.queries, seq.keys, seq.mask)
			require.NoError(s, err)
		}
		d.Masks = append(d.Masks, mask.words)
		token += seq.queries
	}
	for _, slope := range s.slopes {
		d.Slopes = append(d.Slopes, float32(slope))
	}
	d.Seed = s.seed
	d.Tokens, d.Positions, d.Slots = make([]uint32, token), make([]uint32, token), make([][]int32, 1)
	return d, q, k, v
}

// run returns the sequences' outputs [queries][heads][dim] and LSEs [queries][heads], one after another.
func (s *matrixScene) run() (out, lse []float32) {
	p, dev := s.params, gputest.Device(s)
	d, q, k, v := s.layout()
	m, err := kernel.Module(dev, p.matrixSpec(s.tile, s.subgroup, s.emulated))
	require.NoError(s, err)
	kern := dev.Kernel(m)
	require.NoError(s, kern.Wait(context.Background()))
	tokens := len(d.Tokens)
	fill := make([]uint32, tokens*p.OutStride)
	views := []gpu.View{s.buffer("step", d.AppendWords(nil)), s.buffer("q", q), s.buffer("k", k), s.buffer("v", v),
		s.buffer("out", fill)}
	if p.LSE {
		views = append(views, s.buffer("lse", make([]uint32, tokens*p.Heads)))
	}
	bind, err := dev.Bind(kern, views...)
	require.NoError(s, err)
	var rec gpu.Recorder
	rec.Dispatch(kern, bind, uint32(p.KVHeads), uint32(len(d.Prefill)), 1)
	require.NoError(s, dev.Submit(&rec))
	lines := s.read(views[4])
	for t := range tokens {
		line := lines[t*p.OutStride:]
		out = append(out, line[:p.Heads*p.HeadDim]...)
		require.Equal(s, make([]float32, 5), line[p.Heads*p.HeadDim:p.OutStride], "the padding of a row")
	}
	if p.LSE {
		lse = s.read(views[5])[:tokens*p.Heads]
	}
	return out, lse
}

func (s *matrixScene) read(v gpu.View) []float32 {
	data := make([]byte, v.Size)
	require.NoError(s, v.Buffer.Read(context.Background(), 0, data))
	require.NoError(s, gputest.Device(s).Err())
	out := make([]float32, len(data)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return out
}

// want is attention of a sequence in float64.
func (s *matrixScene) want(i int) (out, lse []float64) {
	seq := s.sequences[i]
	return reference.Attention(cast[float64](seq.q), cast[float64](seq.k), cast[float64](seq.v), s.reference(i))
}

func (s *matrixScene) reference(i int) reference.AttentionParams {
	p, seq := s.params, s.sequences[i]
	r := reference.AttentionParams{Heads: p.Heads, KVHeads: p.KVHeads, HeadDim: p.HeadDim, Causal: !p.Bidirectional,
		Window: p.Window, Sinks: p.Sinks, Scale: float64(p.Scale), Softcap: float64(p.Softcap), Slopes: s.slopes}
	if seq.mask != nil {
		r.Mask = func(head, row, key int) (float64, bool) {
			add, visible := seq.mask(head, row, key)
			return float64(add), visible
		}
	}
	if p.Dropout.P > 0 {
		r.Dropout = func(head, row, key int) float64 { return p.Dropout.Factor(s.seed, i, head, row, key) }
	}
	return r
}

func toHalves(x []float32) []float32 {
	out := make([]float32, len(x))
	for i, f := range x {
		out[i] = quant.F16ToF32(quant.F32ToF16(max(-65504, min(65504, f))))
	}
	return out
}

// plain is attention of a sequence in float32, one row after another with its scores all at hand, from inputs and weights
// rounded to f16; and its LSE.
func (s *matrixScene) plain(i int) (out, lse []float32) {
	p, seq := s.params, s.sequences[i]
	q, k, v := toHalves(seq.q), toHalves(seq.k), toHalves(seq.v)
	out, lse = make([]float32, len(q)), make([]float32, seq.queries*p.Heads)
	for n := range seq.queries * p.Heads {
		row, h := n/p.Heads, n%p.Heads
		at := func(key int) int { return (key*p.KVHeads + h/(p.Heads/p.KVHeads)) * p.HeadDim }
		result := out[n*p.HeadDim : (n+1)*p.HeadDim]
		scores, top := map[int]float32{}, float32(math.Inf(-1))
		for key := range seq.keys {
			if score, visible := s.score(i, row, h, key, q[n*p.HeadDim:(n+1)*p.HeadDim], k[at(key):]); visible {
				scores[key], top = score, max(top, score)
			}
		}
		sum := float32(0)
		for key := range seq.keys {
			score, visible := scores[key]
			if !visible {
				continue
			}
			w := toHalves([]float32{float32(math.Exp(float64(score - top)))})
			sum += w[0]
			if p.Dropout.P > 0 {
				w = toHalves([]float32{w[0] * float32(p.Dropout.Factor(s.seed, i, h, row, key))})
			}
			for e, f := range v[at(key) : at(key)+p.HeadDim] {
				result[e] += w[0] * f
			}
		}
		lse[n] = top + float32(math.Log(float64(sum)))
		for e := range result {
			if sum > 0 {
				result[e] /= sum
			}
		}
	}
	return out, lse
}

// score is that of a query row and a key, and whether the row sees the key.
func (s *matrixScene) score(i, row, head, key int, q, k []float32) (float32, bool) {
	p, seq := s.params, s.sequences[i]
	position := seq.keys - seq.queries + row
	distance := max(position-key, key-position)
	if !p.Bidirectional && key > position || p.Window > 0 && key >= p.Sinks && distance >= p.Window {
		return 0, false
	}
	score := float32(0)
	for e, f := range q {
		score += f * k[e]
	}
	score *= p.Scale
	if p.Softcap > 0 {
		score = p.Softcap * float32(math.Tanh(float64(score/p.Softcap)))
	}
	if p.ALiBi {
		score -= float32(s.slopes[head]) * float32(distance)
	}
	if seq.mask == nil {
		return score, true
	}
	add, visible := seq.mask(head, row, key)
	return score + add, visible
}

// check holds the scene's tile with emulated fragments to the rule of accuracy, and with the adapter's own, where it has them, that tile and
// those that callers can have.
func (s *matrixScene) check() {
	s.Helper()
	s.hold()
	info := gputest.Device(s).Info()
	for _, tile := range append([]matrixTile{s.tile}, matrixTiles...) {
		if tile.check(s.params, info) == nil {
			s.tile, s.emulated, s.subgroup = tile, false, int(info.SubgroupMax)
			s.hold()
		}
	}
}

// hold asserts the rule of accuracy: the largest error is at most twice that of the plain formula in the kernel's own
// precision, plus 1e-5. The LSE is held to the same.
func (s *matrixScene) hold() {
	s.Helper()
	out, lse := s.run()
	var worst, allowed, worstLSE, allowedLSE float64
	for i, seq := range s.sequences {
		want, wantLSE := s.want(i)
		plain, plainLSE := s.plain(i)
		for j, w := range want {
			require.False(s, math.IsNaN(float64(out[j])), "NaN in sequence %d at %d", i, j)
			worst = max(worst, math.Abs(float64(out[j])-w))
			allowed = max(allowed, math.Abs(float64(plain[j])-w))
		}
		out = out[len(want):]
		if s.params.LSE {
			for j, w := range wantLSE {
				if math.IsInf(w, -1) {
					require.Equal(s, float32(EmptyLSE), lse[j], "the LSE of a row that sees nothing")
					continue
				}
				worstLSE = max(worstLSE, math.Abs(float64(lse[j])-w))
				allowedLSE = max(allowedLSE, math.Abs(float64(plainLSE[j])-w))
			}
			lse = lse[seq.queries*s.params.Heads:]
		}
	}
	require.LessOrEqual(s, worst, 2*allowed+1e-5, s.tile.name)
	require.LessOrEqual(s, worstLSE, 2*allowedLSE+1e-5, "LSE of %s", s.tile.name)
}
