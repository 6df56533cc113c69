package kernel

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
	"quire/engine/reference"
)

// headCase is a product whose rows are q, k and v of heads.
type headCase struct {
	headDim, heads, kvHeads, rotary int
	kv                              KVType
	adjacent, bias, growing         bool
	typ                             quant.Type
	k                               int
	parts                           bool // q and k are of one matrix, v is of another
	positions                       []int
	variant                         string
	ranks                           int      // of LoRA adapters of q, k and v
	only                            shape    // the one way; nil: the variant's
	rounded                         rounding // what that computes in; nil: f32
}

func (c headCase) layout() KVLayout {
	return KVLayout{HeadDim: c.headDim, KVHeads: c.kvHeads, BlockSize: 4, Type: c.kv, Pad: 5}
}

// plainHeads is a token's q, k and v.
func plainHeads[T reference.Float](c headCase, p RopeStoreParams, adapters *loraCase, w, x, norm, bias []float32, angles []float64) []T {
	rows := make([]T, 0, len(x))
	for _, f := range x {
		rows = append(rows, T(f))
	}
	rows = reference.RMSNorm(rows, norm, T(eps))
	y := reference.MatMul(w, rows, c.k)
	if of, ok := any(rows).([]float32); ok && c.rounded != nil {
		for i, f := range c.rounded(w, of, c.k) {
			y[i] = T(f)
		}
	}
	if adapters != nil {
		addAdapters(adapters, y, rows, len(y), c.k)
	}
	return turn(y, bias, p, angles)
}

// Products that turn their rows and store them give what the reference gives, write nothing else, and leave x alone.
func TestHeadTail(t *testing.T) {
	fewer := !gputest.First && os.Getenv("QUIRE_ALL") == "" // each kernel takes software adapters long to compile, and the first host has them all
	for i, c := range []headCase{
		{headDim: 64, heads: 4, kvHeads: 2, rotary: 64, kv: KVF16, typ: quant.Q4_0, k: 512, positions: []int{77}},
		{headDim: 64, heads: 4, kvHeads: 2, rotary: 64, kv: KVF16, adjacent: true, typ: quant.Q4_0, k: 512, positions: []int{500}},
		{headDim: 32, heads: 3, kvHeads: 3, rotary: 32, kv: KVF32, bias: true, typ: quant.Q8_0, k: 96, positions: []int{3, 4}},
		{headDim: 80, heads: 4, kvHeads: 1, rotary: 20, kv: KVF16, bias: true, growing: true, typ: quant.F16, k: 96, positions: []int{9, 0, 1}},
		{headDim: 12, heads: 2, kvHeads: 2, rotary: 8, kv: KVBF16, adjacent: true, growing: true, typ: quant.F32, k: 33, positions: []int{5, 6, 7, 8, 9, 10, 11}},
		{headDim: 64, heads: 2, kvHeads: 2, rotary: 0, kv: KVF16, typ: quant.IQ4_XS, k: 256, positions: []int{1, 2, 3, 4, 5, 6, 7, 8}},
		{headDim: 128, heads: 2, kvHeads: 1, rotary: 128, kv: KVF16, bias: true, typ: quant.Q6_K, k: 768, positions: []int{1, 2, 3, 4, 5, 6, 7, 8, 100, 101, 8191}},
		{headDim: 64, heads: 4, kvHeads: 2, rotary: 64, kv: KVF32, bias: true, parts: true, typ: quant.Q4_K, k: 256, positions: []int{6, 5, 4}},
		{headDim: 64, heads: 2, kvHeads: 1, rotary: 64, kv: KVF16, typ: quant.Q4_0, k: 256, positions: []int{6, 5, 4, 7}, ranks: 20},
	} {
		for _, variant := range []string{"", "subgroup", "skinny"} {
			if fewer && (i%4 > 0 || variant != "" || c.ranks > 0) {
				continue
			}
			c.variant = variant
			t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
				r := newRig(t)
				if variant != "" && subgroupSize(r.dev.Info()) == 0 {
					t.Skip("the adapter has no subgroups of a known size")
				}
				r.testHeads(c)
			})
		}
	}
}

func (r *rig) testHeads(c headCase) {
	l := c.layout()
	width := (c.heads + 2*c.kvHeads) * c.headDim
	rope := RopeStoreParams{Layout: l, Heads: c.heads, Group: 1, Stride: RowStride(width), RotaryDim: c.rotary, Adjacent: c.adjacent, Growing: c.growing, Bias: c.bias, Residual: RowStride(c.k)}
	x, bias, norm := r.floats(len(c.positions)*c.k, 1), r.floats(width, 1), r.floats(c.k, 1)
	raw, w := r.weights(c.typ, width, c.k)
	angles, row := r.angles(rope, max(1, maxOf(c.positions)))

	d := StepData{Tokens: make([]uint32, len(c.positions)), Slots: make([][]int32, 2)}
	const blocks = 5
	slots := r.rng.Perm(blocks * l.BlockSize)
	for i, position := range c.positions {
		d.Positions, d.Slots[1] = append(d.Positions, uint32(position)), append(d.Slots[1], int32(slots[i]))
	}
	if len(c.positions) > 2 {
		d.Slots[1][1] = -1
	}
	untouched := make([]byte, l.Bytes(blocks))
	for i := range untouched {
		untouched[i] = 0x7F
	}
	k, v := r.buffer("k", untouched), r.buffer("v", untouched)
	var table []byte
	for _, f := range angles {
		table = binary.LittleEndian.AppendUint32(table, math.Float32bits(float32(f)))
	}
	// Rows past those of the step hold NaN, which must not leak.
	rows := append(append([]float32(nil), x...), r.same(c.k, float32(math.NaN()))...)
	xs, y := r.rows("x", rows, c.k, RowStride(c.k), 0), r.rows("y", r.same(width*(len(c.positions)+1), 7), width, rope.Stride, 7)
	views := LinearViews{Step: r.step(d), X: xs.All(), Y: y.All(), Norm: r.rows("norm", norm, c.k, RowStride(c.k), 0).All(),
		Normed: r.rows("normed", r.same(len(rows), 0), c.k, RowStride(c.k), 0).All(),
		Heads:  HeadViews{Table: r.buffer("table", table).All(), K: k.All(), V: v.All(), Bias: r.rows("bias", bias, width, width, 0).All()}}
	cuts := []int{0, width}
	if c.parts {
		cuts = []int{0, (c.heads + c.kvHeads) * c.headDim, width}
	}
	var adapters *loraCase
	if c.ranks > 0 {
		adapters = &loraCase{ranks: c.ranks, slots: []int{0, c.heads * c.headDim, (c.heads + c.kvHeads) * c.headDim}, rows: [][]Adapter{
			{{First: 3, Ranks: 5, Factor: 0.5}}, nil, {{Ranks: c.ranks, Factor: 1}}, {{First: 8, Ranks: 4, Factor: 2}}}}
		p := &LinearParams{XStride: RowStride(c.k), MWord: WordTokens}
		adapters.make(r, linearCase{n: width, k: c.k, m: len(c.positions), tokens: len(c.positions), LinearParams: LinearParams{Norm: true}}, p, &d)
		views.Step = r.step(d)
		var adapt func(*gpu.Recorder, bool)
		views.Adapters, adapt = adapters.bind(r, adapters.params, views, &d, len(c.positions))
		r.submit(func(rec *gpu.Recorder) { adapt(rec, false) })
	}
	before := r.words(xs)
	r.submit(func(rec *gpu.Recorder) {
		for i := range len(cuts) - 1 {
			first, end := cuts[i], cuts[i+1]
			bytes := len(raw) / width
			p := LinearParams{Matrix: r.matrix(c.typ, end-first, c.k, raw[first*bytes:end*bytes], 0), XStride: RowStride(c.k), YStride: rope.Stride, YOffset: first,
				MWord: WordTokens, Norm: true, Eps: eps, Heads: &HeadTail{rope}, MaxRows: len(c.positions), Variant: c.variant, headRows: 8, only: c.only}
			if adapters != nil {
				p.Adapters, p.AdaptersAt = adapters.params, first
			}
			if c.variant == "skinny" {
				p.Variant, p.only = "", skinnyWay{skinnyShape{rows: 4 << (len(c.positions) % 2), tile: 4 << (c.k / 96 % 2), lanes: 8, each: 1, workgroup: 32}, 0, 0, subgroupSize(r.dev.Info())}
				if w := p.only.(skinnyWay); unitIsWord(c.typ) {
					w.each = 2
					p.only = w
				}
			}
			linear, err := NewLinear(r.dev, p)
			require.NoError(r, err)
			require.NoError(r, linear.Wait(context.Background()))
			b, err := linear.Bind(views)
			require.NoError(r, err)
			require.True(r, linear.Record(rec, b, len(c.positions)))
		}
	})
	require.Equal(r, before, r.words(xs), "x stays")

	stored := storedHeads{written: map[int]bool{}}
	out, kRows, vRows := r.read(y), r.blockRows(k, l), r.blockRows(v, l)
	for i, position := range c.positions {
		at := angles[position*row : (position+1)*row]
		var own *loraCase
		if adapters != nil {
			one := *adapters
			one.of = adapters.of[i : i+1]
			own = &one
		}
		exact := plainHeads[float64](c, rope, own, w, x[i*c.k:(i+1)*c.k], norm, bias, at)
		single := plainHeads[float32](c, rope, own, w, x[i*c.k:(i+1)*c.k], norm, bias, at)
		queries := c.heads * c.headDim
		stored.want, stored.plain = append(stored.want, exact[:queries]...), append(stored.plain, single[:queries]...)
		stored.got = append(stored.got, out[i*rope.Stride:][:queries]...)
		slot := int(d.Slots[1][i])
		if slot < 0 {
			continue
		}
		stored.add(l, c.heads, slot, exact, single, kRows, vRows)
	}
	r.accurate(stored.want, stored.plain, stored.got)
	untouchedFloat := r.blockRows(r.buffer("untouched", untouched), l)[0]
	for row := range kRows {
		if !stored.written[row] {
			require.Equal(r, fmt.Sprint(untouchedFloat), fmt.Sprint(kRows[row]), "K row %d", row)
			require.Equal(r, fmt.Sprint(untouchedFloat), fmt.Sprint(vRows[row]), "V row %d", row)
		}
	}
	for _, f := range out[len(c.positions)*rope.Stride:] {
		require.Equal(r, float32(7), f, "a row that is not this step's")
	}
}

// blockRows reads a cache's rows, of blocks that lie apart.
func (r *rig) blockRows(b *gpu.Buffer, l KVLayout) (rows [][]float32) {
	data := make([]byte, b.Size())
	require.NoError(r, b.Read(context.Background(), 0, data))
	size := 4 * l.BlockWords()
	for ; len(data) >= size+4*l.Pad && size > 0; data = data[size+4*l.Pad:] {
		rows = append(rows, l.rows(data[:size])...)
	}
	return rows
}

// A token whose k is no number has its row of x spoiled, and no other.
func TestHeadTailSpoils(t *testing.T) {
	r := newRig(t)
	c := headCase{headDim: 8, heads: 2, kvHeads: 1, kv: KVF16}
	rope := RopeStoreParams{Layout: c.layout(), Heads: 2, Stride: 32, Bias: true, Residual: 32}
	raw, _ := r.weights(quant.F32, 32, 32)
	bias := r.same(32, 0)
	bias[17] = float32(math.Inf(1))
	x := r.rows("x", r.floats(3*32, 1), 32, 32, 0)
	before := r.read(x)
	views := LinearViews{Step: r.step(StepData{Tokens: make([]uint32, 2), Positions: []uint32{0, 1}, Slots: [][]int32{{3, 4}}}), X: x.All(), Y: r.buffer("y", make([]byte, 4*96)).All(),
		Norm: r.rows("norm", r.same(32, 1), 32, 32, 0).All(), Normed: r.buffer("normed", make([]byte, 4*96)).All(),
		Heads: HeadViews{Table: r.buffer("table", make([]byte, 16)).All(), K: r.buffer("k", make([]byte, c.layout().Bytes(3))).All(), V: r.buffer("v", make([]byte, c.layout().Bytes(3))).All(), Bias: r.rows("bias", bias, 32, 32, 0).All()}}
	l, err := NewLinear(r.dev, LinearParams{Matrix: r.matrix(quant.F32, 32, 32, raw, 0), XStride: 32, YStride: 32, Norm: true, Eps: eps, Heads: &HeadTail{rope}, MaxRows: 1})
	require.NoError(t, err)
	require.NoError(t, l.Wait(context.Background()))
	b, err := l.Bind(views)
	require.NoError(t, err)
	r.submit(func(rec *gpu.Recorder) { l.Record(rec, b, 2) })
	for i, f := range r.read(x) {
		if i == 0 || i == 32 {
			require.True(t, math.IsNaN(float64(f)), "token %d", i/32)
		} else {
			require.Equal(t, before[i], f, "element %d", i)
		}
	}
}

// WebGPU promises eight storage buffers, and the kernels take more.
func TestHeadTailNeedsBuffers(t *testing.T) {
	m := &Matrix{Rows: 32, Cols: 32, Pieces: make([]Piece, 1)}
	p := LinearParams{Matrix: m, Norm: true, Heads: &HeadTail{RopeStoreParams{Layout: KVLayout{HeadDim: 8, KVHeads: 1}, Heads: 2}}}
	require.False(t, p.canStore(gpu.Limits{MaxStorageBuffersPerShaderStage: 8}))
	require.True(t, p.canStore(gpu.Limits{MaxStorageBuffersPerShaderStage: 9}))
	p.Heads.Bias = true
	require.False(t, p.canStore(gpu.Limits{MaxStorageBuffersPerShaderStage: 9}))
	p.Variant = "baseline"
	require.False(t, p.canStore(gpu.Limits{MaxStorageBuffersPerShaderStage: 16}))
}

// Of products that give q, k and v together all do the tail of a number of rows, or none does: their types may differ, and one of them may
// be in pieces.
func TestProductsAgreeOnHeads(t *testing.T) {
	agree := func(types []quant.Type, pieces ...int) (does []bool) {
		var all []LinearParams
		for i, typ := range types {
			m := &Matrix{Type: typ, Rows: 64, Cols: 64, Pieces: make([]Piece, pieces[i])}
			all = append(all, LinearParams{Matrix: m, YOffset: 64 * i, Norm: true, large: true, Heads: &HeadTail{RopeStoreParams{Layout: KVLayout{HeadDim: 64, KVHeads: 1}, Heads: 1}}})
		}
		AgreeOnHeads(gpu.Limits{MaxStorageBuffersPerShaderStage: 16}, all)
		for m := 1; m <= 16; m *= 2 {
			for i := range all {
				require.Equal(t, all[0].storesHeads(m), all[i].storesHeads(m), "%d rows, matrix %d", m, i)
			}
			does = append(does, all[0].storesHeads(m))
		}
		return does
	}
	require.Equal(t, []bool{true, true, true, true, true}, agree([]quant.Type{quant.Q4_0}, 1))
	require.Equal(t, []bool{true, true, true, true, false}, agree([]quant.Type{quant.Q4_0, quant.Q8_0, quant.Q8_0}, 1, 1, 1))
	require.Equal(t, []bool{false, false, false, false, false}, agree([]quant.Type{quant.F32, quant.Q8_0, quant.Q8_0}, 2, 1, 1))
}
