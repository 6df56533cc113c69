package kernel

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/quant"
	"quire/engine/reference"
)

// ropeTable is the cos/sin table of all positions up to the last.
func ropeTable(rotary, last int) []float64 {
	table := make([]float64, 0, (last+1)*rotary)
	for position := range last + 1 {
		for i := range rotary / 2 {
			angle := float64(position) * math.Pow(10000, -2*float64(i)/float64(rotary))
			table = append(table, math.Cos(angle), math.Sin(angle))
		}
	}
	return table
}

// angles is the table that p asks for, up to a position, and how long a position's row is.
func (r *rig) angles(p RopeStoreParams, last int) (table []float64, row int) {
	table, row = ropeTable(p.RotaryDim, last), p.tableRow()
	if !p.Growing {
		return table, row
	}
	grown := make([]float64, 0, (last+1)*row)
	for at := 0; at+p.RotaryDim <= len(table); at += p.RotaryDim {
		grown = append(append(grown, table[at:at+p.RotaryDim]...), 1+float64(at%7)/3, 0)
	}
	return grown, row
}

// plainRope is turn for a token's row, in T throughout.
func plainRope[T reference.Float](x, bias []float32, p RopeStoreParams, angles []float64) []T {
	out := make([]T, len(x))
	for i := range x {
		out[i] = T(x[i])
	}
	return turn(out, bias, p, angles)
}

// turn adds the bias and rotates the q and k heads of one token.
func turn[T reference.Float](out []T, bias []float32, p RopeStoreParams, angles []float64) []T {
	for i := range out {
		if p.Bias {
			out[i] += T(bias[i])
		}
	}
	for head := range p.Heads + p.Layout.KVHeads {
		h := out[head*p.Layout.HeadDim:]
		for i := range p.Layout.HeadDim {
			if p.Growing && head < p.Heads {
				h[i] *= T(float32(angles[p.RotaryDim]))
			}
		}
		for i := range p.RotaryDim / 2 {
			first, second := i, i+p.RotaryDim/2
			if p.Adjacent {
				first, second = 2*i, 2*i+1
			}
			cos, sin := T(float32(angles[2*i])), T(float32(angles[2*i+1]))
			a, b := h[first], h[second]
			h[first], h[second] = a*cos-b*sin, a*sin+b*cos
		}
	}
	return out
}

// testRope runs tokens at the positions and checks q, the caches, and that nothing else was written.
func testRope(t *testing.T, p RopeStoreParams, positions []int) {
	r := newRig(t)
	l := p.Layout
	width := (p.Heads + 2*l.KVHeads) * l.HeadDim
	p.Stride, p.Group = width+3, 2
	x, bias := r.floats(len(positions)*width, 1), r.floats(width, 1)
	table, tableRow := r.angles(p, max(1, maxOf(positions)))

	const blocks = 5
	d := StepData{Tokens: make([]uint32, len(positions)), Slots: make([][]int32, p.Group+1)}
	slots := r.rng.Perm(blocks * l.BlockSize)
	for i, position := range positions {
		d.Positions = append(d.Positions, uint32(position))
		slot := int32(slots[i])
		if i%5 == 4 {
			slot = -1
		}
		d.Slots[p.Group] = append(d.Slots[p.Group], slot)
	}
	untouched := func() *gpu.Buffer {
		data := make([]byte, l.Bytes(blocks))
		for i := range data {
			data[i] = 0x7F
		}
		return r.buffer("cache", data)
	}
	var tableBytes []byte
	for _, f := range table {
		tableBytes = binary.LittleEndian.AppendUint32(tableBytes, math.Float32bits(float32(f)))
	}
	qkv, k, v := r.rows("qkv", x, width, p.Stride, 7), untouched(), untouched()
	kernel, err := NewRopeStore(r.dev, p)
	require.NoError(t, err)
	var biases []gpu.View
	if p.Bias {
		biases = append(biases, r.rows("bias", bias, width, width, 0).All())
	}
	b, err := kernel.Bind(r.step(d), qkv.All(), r.buffer("table", tableBytes).All(), k.All(), v.All(), biases...)
	require.NoError(t, err)
	r.submit(func(rec *gpu.Recorder) { kernel.Record(rec, b, len(positions)) })

	stored := storedHeads{written: map[int]bool{}}
	out, kRows, vRows := r.read(qkv), r.cacheRows(k, l), r.cacheRows(v, l)
	for i, position := range positions {
		angles := table[position*tableRow : (position+1)*tableRow]
		exact := plainRope[float64](x[i*width:(i+1)*width], bias, p, angles)
		single := plainRope[float32](x[i*width:(i+1)*width], bias, p, angles)
		queries := p.Heads * l.HeadDim
		line := out[i*p.Stride : (i+1)*p.Stride]
		require.Equal(t, x[i*width+queries:(i+1)*width], line[queries:width], "k and v stay")
		require.Equal(t, []float32{7, 7, 7}, line[width:], "what follows a row stays")
		r.accurate(exact[:queries], single[:queries], line[:queries])
		slot := int(d.Slots[p.Group][i])
		if slot < 0 {
			continue
		}
		stored.add(l, p.Heads, slot, exact, single, kRows, vRows)
	}
	r.accurate(stored.want, stored.plain, stored.got)
	for row := range kRows {
		if !stored.written[row] {
			require.Equal(t, uint32(0x7F7F7F7F), r.word(k, row*l.RowWords()), "row %d", row)
			require.Equal(t, uint32(0x7F7F7F7F), r.word(v, (row+1)*l.RowWords()-1), "row %d", row)
		}
	}
}

// roundKV makes of a row what a cache of the type gives back.
func roundKV(kv KVType, row []float32) {
	switch kv {
	case KVF16:
		for e, x := range row {
			row[e] = quant.F16ToF32(quant.F32ToF16(x))
		}
	case KVBF16:
		for e, x := range row {
			row[e] = quant.BF16ToF32(quant.F32ToBF16(x))
		}
	case KVQ8:
		q, scale := reference.Q8Row(row)
		for e := range row {
			row[e] = float32(q[e]) * scale
		}
	}
}

// storedHeads is what a cache is to hold of tokens' k and v, what float32 gives, what it holds, and which rows those are.
type storedHeads struct {
	want       []float64
	plain, got []float32
	written    map[int]bool
}

// add takes in a token in a slot: its heads of q, k and v, exact and in float32, and the rows of the caches.
func (s *storedHeads) add(l KVLayout, heads, slot int, exact []float64, single []float32, kRows, vRows [][]float32) {
	for h := range l.KVHeads {
		for which, rows := range [][][]float32{kRows, vRows} {
			row := (slot/l.BlockSize*l.KVHeads+h)*l.BlockSize + slot%l.BlockSize
			s.written[row] = true
			at := (heads + which*l.KVHeads + h) * l.HeadDim
			stored := append([]float32(nil), single[at:at+l.HeadDim]...)
			roundKV(l.Type, stored)
			s.want, s.plain, s.got = append(s.want, exact[at:at+l.HeadDim]...), append(s.plain, stored...), append(s.got, rows[row]...)
		}
	}
}

// cacheRows reads a cache's rows.
func (r *rig) cacheRows(b *gpu.Buffer, l KVLayout) [][]float32 {
	data := make([]byte, b.Size())
	require.NoError(r, b.Read(context.Background(), 0, data))
	return l.rows(data)
}

// rows reads rows of a cache.
func (l KVLayout) rows(data []byte) (rows [][]float32) {
	for ; len(data) >= 4*l.RowWords(); data = data[4*l.RowWords():] {
		row := make([]float32, l.HeadDim)
		for e := range row {
			switch l.Type {
			case KVF32:
				row[e] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*e:]))
			case KVF16:
				row[e] = quant.F16ToF32(binary.LittleEndian.Uint16(data[2*e:]))
			case KVBF16:
				row[e] = quant.BF16ToF32(binary.LittleEndian.Uint16(data[2*e:]))
			case KVQ8:
				row[e] = (float32(data[e]) - 128) * quant.F16ToF32(binary.LittleEndian.Uint16(data[4*l.RowWords()-4:]))
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func (r *rig) word(b *gpu.Buffer, at int) uint32 {
	var data [4]byte
	require.NoError(r, b.Read(context.Background(), uint64(4*at), data[:]))
	return binary.LittleEndian.Uint32(data[:])
}

func maxOf(x []int) int {
	most := 0
	for _, v := range x {
		most = max(most, v)
	}
	return most
}

func TestRopeStore(t *testing.T) {
	for _, kv := range []KVType{KVF32, KVF16, KVBF16, KVQ8} {
		for _, adjacent := range []bool{false, true} {
			for _, c := range []struct {
				headDim, heads, kvHeads, rotary int
				bias                            bool
				positions                       []int
				growing                         bool
			}{
				{64, 4, 2, 64, false, []int{0, 1, 2, 3, 4, 500}, false},
				{64, 7, 1, 64, true, []int{9, 8, 7, 6, 5, 4, 3}, false},
				{10, 2, 2, 6, false, []int{3}, false},
				{80, 3, 3, 20, true, []int{1, 100}, true},
				{8, 2, 1, 0, false, []int{1, 2}, false},
				{59, 2, 1, 58, true, []int{0, 77}, false},
				{111, 3, 3, 110, false, []int{4, 5}, false},
				{8, 2, 1, 8, false, []int{0, 1, 8191, 131071}, false},
			} {
				name := fmt.Sprintf("%v adjacent=%t %+v", kv, adjacent, c)
				t.Run(name, func(t *testing.T) {
					testRope(t, RopeStoreParams{
						Layout: KVLayout{HeadDim: c.headDim, KVHeads: c.kvHeads, BlockSize: 4, Type: kv},
						Heads:  c.heads, RotaryDim: c.rotary, Adjacent: adjacent, Bias: c.bias, Growing: c.growing,
					}, c.positions)
				})
			}
		}
	}
}

// f16 rows hold what fits: stores beyond ±65504 are clamped.
func TestRopeStoreClamps(t *testing.T) {
	r := newRig(t)
	l := KVLayout{HeadDim: 2, KVHeads: 1, BlockSize: 1, Type: KVF16}
	kernel, err := NewRopeStore(r.dev, RopeStoreParams{Layout: l, Heads: 1, Stride: 6})
	require.NoError(t, err)
	qkv := r.rows("qkv", []float32{1, 2, 1e6, -1e9, 65520, -65504}, 6, 6, 0)
	k, v := r.buffer("k", make([]byte, l.Bytes(2))), r.buffer("v", make([]byte, l.Bytes(2)))
	d := StepData{Tokens: []uint32{0}, Positions: []uint32{0}, Slots: [][]int32{{1}}}
	b, err := kernel.Bind(r.step(d), qkv.All(), r.buffer("table", make([]byte, 16)).All(), k.All(), v.All())
	require.NoError(t, err)
	r.submit(func(rec *gpu.Recorder) { kernel.Record(rec, b, 1) })
	require.Equal(t, []float32{65504, -65504}, r.cacheRows(k, l)[1])
	require.Equal(t, []float32{65504, -65504}, r.cacheRows(v, l)[1])
}

// bfloat16 rows are rounded to nearest, ties to even, and stay finite.
func TestRopeStoreBF16(t *testing.T) {
	r := newRig(t)
	row := []float32{1, 1 + 1.0/256, 1 + 3.0/256, -1 - 1.0/256 - 1.0/4096, 3.4e38, -math.MaxFloat32, 1e-30}
	k, v := r.storeRows(KVLayout{HeadDim: len(row), KVHeads: 1, BlockSize: 1, Type: KVBF16}, row)
	want := []float32{1, 1, 1 + 4.0/256, -1 - 2.0/256, 3.3895314e38, -3.3895314e38, quant.BF16ToF32(quant.F32ToBF16(1e-30))}
	require.Equal(t, []uint16{0x3F80, 0x3F80, 0x3F82, 0xBF81, 0x7F7F, 0xFF7F, quant.F32ToBF16(1e-30), 0}, halves(k))
	require.Equal(t, halves(k), halves(v))
	for e, w := range want {
		require.Equal(t, w, quant.BF16ToF32(halves(k)[e]), "element %d", e)
	}
}

// 8-bit rows are those of the reference, word for word.
func TestRopeStoreQ8(t *testing.T) {
	r := newRig(t)
	for _, dim := range []int{1, 59, 64, 111, 128, 256, 300} {
		fill := func(f func(e int) float32) []float32 {
			row := make([]float32, dim)
			for e := range row {
				row[e] = f(e)
			}
			return row
		}
		rows := [][]float32{
			r.floats(dim, 1), r.floats(dim, 1e-3), r.floats(dim, 1e-5), r.floats(dim, 3e4), r.floats(dim, 1e9), fill(func(int) float32 { return 0 }),
			fill(func(e int) float32 { return []float32{127, 0.5, 1.5, -0.5, -2.5, 126.5, -127}[e%7] }), // scale 1: ties
			fill(func(e int) float32 { return []float32{-8319008, 8319008, 40000}[e%3] }),               // scale 65504
			fill(func(e int) float32 { return []float32{math.MaxFloat32, -math.MaxFloat32, 65504}[e%3] }),
			fill(func(e int) float32 { return []float32{1e-38, -1e-45, 3e-5, 3.1e-5, 0.001}[e%5] }),
			fill(func(e int) float32 { return float32(e-dim/2) * 1.0004 }),
			fill(func(e int) float32 { return float32(e-dim/2) * 1.0001 }),
			fill(func(e int) float32 { return 127 * (1 + 1.0/2048) / float32(1+e%9) }), // a scale between two of f16: the even one
			fill(func(e int) float32 { return -127 * (1 + 3.0/2048) / float32(1+e%9) }),
		}
		l := KVLayout{HeadDim: dim, KVHeads: len(rows), BlockSize: 1, Type: KVQ8}
		k, v := r.storeRows(l, slices.Concat(rows...))
		require.Equal(t, k, v)
		for i, row := range rows {
			q, scale := reference.Q8Row(row)
			got := k[4*l.RowWords()*i:][:4*l.RowWords()]
			require.Equal(t, uint32(quant.F32ToF16(scale)), binary.LittleEndian.Uint32(got[len(got)-4:]), "scale of row %d of %d", i, dim)
			for e, b := range got[:len(got)-4] {
				switch {
				case e >= dim:
					require.EqualValues(t, 128, b, "padding of row %d", i)
				case nearTie(row[e], scale):
					require.InDelta(t, float64(row[e])/float64(scale), float64(b)-128, 0.501, "element %d of row %d of %d: %v", e, i, dim, row[e])
				default:
					require.Equal(t, q[e], int8(int(b)-128), "element %d of row %d of %d: %v", e, i, dim, row[e])
				}
			}
		}
	}
}

// nearTie reports whether x/scale is so near the middle of two integers, but not there, that WGSL's division may reach
// either: it is exact to 2.5 units in the last place, and its product with x to half a one.
func nearTie(x, scale float32) bool {
	exact := math.Abs(float64(x) / float64(scale))
	off := math.Abs(exact - math.Floor(exact) - 0.5)
	return exact < 127 && off > 0 && off <= exact*3/(1<<23)
}

// storeRows stores rows, one a KV head, as K that is not rotated and as V, and returns what the caches hold.
func (r *rig) storeRows(l KVLayout, rows []float32) (k, v []byte) {
	kernel, err := NewRopeStore(r.dev, RopeStoreParams{Layout: l, Heads: l.KVHeads, Stride: 3 * len(rows)})
	require.NoError(r, err)
	qkv := r.rows("qkv", slices.Concat(rows, rows, rows), 3*len(rows), 3*len(rows), 0)
	caches := [2]*gpu.Buffer{r.buffer("k", make([]byte, l.Bytes(2))), r.buffer("v", make([]byte, l.Bytes(2)))}
	d := StepData{Tokens: []uint32{0}, Positions: []uint32{0}, Slots: [][]int32{{1}}}
	b, err := kernel.Bind(r.step(d), qkv.All(), r.buffer("table", make([]byte, 16)).All(), caches[0].All(), caches[1].All())
	require.NoError(r, err)
	r.submit(func(rec *gpu.Recorder) { kernel.Record(rec, b, 1) })
	var out [2][]byte
	for i, cache := range caches {
		data := make([]byte, cache.Size())
		require.NoError(r, cache.Read(context.Background(), 0, data))
		require.Equal(r, make([]byte, l.Bytes(1)), data[:l.Bytes(1)], "the null block stays")
		out[i] = data[l.Bytes(1):]
	}
	return out[0], out[1]
}

func halves(data []byte) []uint16 {
	out := make([]uint16, len(data)/2)
	for i := range out {
		out[i] = binary.LittleEndian.Uint16(data[2*i:])
	}
	return out
}

func TestRopeStoreRefuses(t *testing.T) {
	r := newRig(t)
	good := RopeStoreParams{Layout: KVLayout{HeadDim: 8, KVHeads: 2, BlockSize: 4}, Heads: 4, Stride: 64, RotaryDim: 8}
	_, err := NewRopeStore(r.dev, good)
	require.NoError(t, err)
	for want, change := range map[string]func(*RopeStoreParams){
		"rotary dim": func(p *RopeStoreParams) { p.RotaryDim = 9 },
		"KV heads":   func(p *RopeStoreParams) { p.Heads = 3 },
		"stride":     func(p *RopeStoreParams) { p.Stride = 63 },
		"KV group":   func(p *RopeStoreParams) { p.Group = MaxGroups },
		"head dim":   func(p *RopeStoreParams) { p.Layout.HeadDim = 0 },
		"type":       func(p *RopeStoreParams) { p.Layout.Type = 9 },
	} {
		p := good
		change(&p)
		_, err := NewRopeStore(r.dev, p)
		require.ErrorContains(t, err, want)
	}
}
