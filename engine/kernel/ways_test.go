package kernel

import (
	"bytes"
	"context"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gpu"
	"quire/engine/gpu/gputest"
	"quire/engine/quant"
)

// rounding is a precision in which ways compute.
type rounding func(w, rows []float32, k int) []float32

func half(f float32) float32 { return quant.F16ToF32(quant.F32ToF16(f)) }

// inHalves has factors in f16.
func inHalves(w, rows []float32, k int) []float32 {
	var y []float32
	for m := 0; m < len(rows); m += k {
		for n := 0; n < len(w); n += k {
			var sum float32
			for i := range k {
				sum += half(rows[m+i]) * half(w[n+i])
			}
			y = append(y, sum)
		}
	}
	return y
}

// inSumsOfHalves has factors in f16, and sums the products of a unit's columns in it.
func inSumsOfHalves(w, rows []float32, k int) []float32 {
	var y []float32
	for m := 0; m < len(rows); m += k {
		for n := 0; n < len(w); n += k {
			var sum float32
			for at := 0; at < k; at += 32 {
				for unit := range 4 {
					var few float32
					for i := range 8 {
						if c := at + 4*unit + i%4 + i/4*16; c < k {
							few = half(few + half(rows[m+c])*half(w[n+c]))
						}
					}
					sum += few
				}
			}
			y = append(y, sum)
		}
	}
	return y
}

// inBytes has rows in 8 bits, with a scale every 32 of them.
func inBytes(w, rows []float32, k int) []float32 {
	var y []float32
	for m := 0; m < len(rows); m += k {
		row := make([]float32, k)
		for at := 0; at < k; at += 32 {
			var top float64
			for _, f := range rows[m+at : m+min(k, at+32)] {
				top = max(top, math.Abs(float64(f)))
			}
			for i := at; i < min(k, at+32) && top > 0; i++ {
				row[i] = float32(math.RoundToEven(float64(rows[m+i])*127/top) * top / 127)
			}
		}
		for n := 0; n < len(w); n += k {
			var sum float64
			for i, f := range row {
				sum += float64(f) * float64(w[n+i])
			}
			y = append(y, float32(sum))
		}
	}
	return y
}

// inPrecision is a way, and what it computes in.
type inPrecision struct {
	shape
	in rounding
}

// waysToTest are ways for few rows and for many.
func waysToTest(info gpu.AdapterInfo) (few, many []inPrecision) {
	if lanes := uint32(info.SubgroupLanes()); lanes > 0 {
		for _, s := range []skinnyShape{{8, 8, 8, 2, 64}, {4, 2, 32, 2, 32}, {4, 4, 32, 1, 64}, {4, 2, 64, 1, 64}, {8, 4, 16, 1, 128}, {16, 2, 8, 1, 64}} {
			few = append(few, inPrecision{skinnyWay{s, 0, 0, lanes}, nil})
		}
	}
	many = []inPrecision{
		{matrixWay{1, 2, 2, 1, 4, 32, true, 0}, inHalves}, {matrixWay{2, 1, 1, 2, 2, 32, true, 0}, inHalves},
		{packedWay{1, 1, 0}, inBytes}, {packedWay{2, 1, 0}, inBytes},
		{splitWay{tileWay{tile: matmulTile}, 4}, nil}, {splitWay{matrixWay{1, 2, 2, 1, 4, 32, true, 0}, 2}, inHalves},
	}
	if info.Features.Has(gpu.FeatureSubgroups|gpu.FeatureF16) && info.SubgroupLanes() > 0 {
		for _, w := range []shape{
			halvesWay{halvesShape: halvesShape{32, 4, 4, 2, 64, 2}}, halvesWay{halvesShape: halvesShape{8, 8, 4, 1, 64, 1}},
			splitWay{halvesWay{halvesShape: halvesShape{32, 4, 4, 1, 64, 4}}, 4}, halvesWay{halvesShape: halvesShape{32, 2, 4, 1, 64, 1}},
		} {
			many = append(many, inPrecision{w, inSumsOfHalves})
		}
	}
	return few, many
}

// Each way gives what the formula does, with all that may be fused with it, in the precision that is its own.
func TestWays(t *testing.T) {
	info := newRig(t).dev.Info()
	few, many := waysToTest(info)
	adapters := [][]Adapter{nil, {{First: 0, Ranks: 5, Factor: 0.5}}, {{First: 5, Ranks: 4, Factor: -1}}}
	cases := []linearCase{
		{typ: quant.Q4_0, n: 66, k: 512, LinearParams: LinearParams{Norm: true, Gated: SiLU, Bias: true}},
		{typ: quant.Q4_K, n: 70, k: 768, LinearParams: LinearParams{Add: true, Bias: true, Scale: 0.5}},
		{typ: quant.Q6_K, n: 130, k: 256, LinearParams: LinearParams{Gather: true, Norm: true}, tokens: 140},
		{typ: quant.Q8_0, n: 37, k: 160, LinearParams: LinearParams{Gather: true, Cap: 4}, tokens: 140},
		{typ: quant.F16, n: 140, k: 172, LinearParams: LinearParams{Gated: GELU}},
		{typ: quant.Q4_1, n: 45, k: 320, LinearParams: LinearParams{Norm: true}, lora: &loraCase{ranks: 12, slots: []int{0, 21, 30}, rows: adapters}},
		{typ: quant.Q5_0, n: 20, k: 64, maxBinding: r8(quant.Q5_0, 64), LinearParams: LinearParams{Gated: SiLU, Bias: true}},
	}
	all, turn := os.Getenv("QUIRE_ALL") != "", 0
	run := func(s shape, in rounding, m int) {
		cases := cases
		if _, emulated := s.(matrixWay); all && !emulated { // which takes minutes to compile with some types
			for _, typ := range runningTypes() {
				cases = append(cases, linearCase{typ: typ, n: 70, k: 768})
			}
		}
		for i, c := range cases {
			// Each way has one of the cases, and the next way the next.
			_, integers := s.(packedWay)
			if pairs(s) && !unitIsWord(c.typ) {
				continue
			}
			if !all && i != turn%len(cases) || integers && !(packs(c.typ) && gpu.PackedDot()) {
				continue
			}
			c.m, c.only, c.rounded, c.Room, c.PartsRoom = m, s, in, 140, 140
			t.Run(c.String(), func(t *testing.T) {
				r := newRig(t)
				got := r.runLinear(c)
				r.accurate(got.want, got.plain, got.got)
			})
		}
		turn++
	}
	for _, s := range few {
		run(s.shape, s.in, 11)
	}
	for _, s := range many {
		run(s.shape, s.in, 67)
	}
}

// pairs says whether a way takes two units of a word each at once.
func pairs(s shape) bool {
	switch s := s.(type) {
	case skinnyWay:
		return s.each > 1
	case halvesWay:
		return s.each > 1
	case splitWay:
		return pairs(s.shape)
	}
	return false
}

// large is a GPU with all that products may use.
func large() gpu.AdapterInfo {
	return gpu.AdapterInfo{Name: "test", Type: "discrete", Features: gpu.FeatureF16 | gpu.FeatureSubgroups | gpu.FeatureSubgroupMatrix, SubgroupMin: 32, SubgroupMax: 32,
		Matrices: []gpu.MatrixConfig{matrixConfig}, Limits: gpu.Limits{MaxComputeWorkgroupStorageSize: 32 << 10}}
}

// Unasked a large adapter takes what the table lists of what it has, and nobody takes packed.
func TestUnasked(t *testing.T) {
	for _, c := range []struct {
		features       gpu.Feature
		halves, matrix bool
	}{
		{gpu.FeatureF16 | gpu.FeatureSubgroups | gpu.FeatureSubgroupMatrix, true, true},
		{gpu.FeatureF16 | gpu.FeatureSubgroups, true, false},
		{gpu.FeatureSubgroups | gpu.FeatureSubgroupMatrix, false, false},
		{gpu.FeatureF16, false, false},
	} {
		for _, kind := range []string{"discrete", "integrated", "cpu"} {
			info := large()
			info.Features, info.Type = c.features, kind
			a, err := arithmeticOf("", info)
			require.NoError(t, err)
			assert.Equal(t, []bool{c.halves && kind == "discrete", c.matrix && kind == "discrete", false}, []bool{a.halves, a.matrix, a.packed}, "%s with %v", kind, c.features.Names())
		}
	}
}

// Where workgroups have little memory, x goes through it in smaller shares.
func TestSkinnyFitsMemory(t *testing.T) {
	for _, typ := range []quant.Type{quant.Q4_0, quant.IQ2_S} {
		for _, rows := range []int{4, 8, 16} {
			for _, n := range []int{512, 8192, 65536} {
				p := &LinearParams{Matrix: &Matrix{Type: typ, Rows: n, Cols: 2048}, Norm: true}
				for _, memory := range []int{16 << 10, 32 << 10} {
					for _, subgroup := range []uint32{8, 32} {
						assert.LessOrEqual(t, skinnyShapeOf(p, rows, memory, subgroup).room(p, int(subgroup)), memory, "%s: %d rows of x, %d of W", typ, rows, n)
					}
				}
			}
		}
	}
	p := &LinearParams{Matrix: &Matrix{Type: quant.Q4_0, Rows: 8192, Cols: 2048}, Norm: true}
	assert.Equal(t, 16, skinnyShapeOf(p, 16, 32<<10, 32).lanes)
	assert.Equal(t, 8, skinnyShapeOf(p, 16, 16<<10, 32).lanes)
	p.Matrix.Type = quant.IQ2_S // table, x twice, squares, sums and what stands for none
	assert.Equal(t, 8<<10+2*16*16*32+16*16*2/8*4+128/8*8*16*4+4, skinnyShape{16, 8, 16, 1, 128}.room(p, 8))
}

// What a model is asked for first is made at once, and some of it stands in for what is late: for few rows what has them one by one. Products
// that give q, k and v together store heads whichever way each of them goes.
func TestLateWays(t *testing.T) {
	with, without := large(), large()
	without.Matrices = nil
	for _, info := range []gpu.AdapterInfo{with, without, {Type: "cpu"}, {Type: "integrated"}} {
		for _, c := range []LinearParams{{}, {MaxRows: 65}, {MinRows: 2}, {Adapters: &LoRAParams{}}, {Heads: &HeadTail{}, apart: true}, {Heads: &HeadTail{}},
			{PartsRoom: 512}, {PartsRoom: 40}} {
			c.Matrix, c.Norm, c.Late = &Matrix{Type: quant.Q4_0, Rows: 8192, Cols: 2048}, c.PartsRoom == 0, true
			l := Linear{params: c}
			require.NoError(t, l.choose(info))
			late := 0
			for i, w := range l.ways {
				all := append([]int{i}, w.standIns...)
				slices.Sort(all)
				others := slices.DeleteFunc(slices.Compact(all), func(j int) bool { return j != i && l.ways[j].split() })
				assert.Len(t, all, len(others), "what sums in parts has no room for any number of rows")
				splits := 0
				for j, other := range l.ways {
					if j != i && other.split() {
						splits++
					}
				}
				assert.Equal(t, len(l.ways), len(others)+splits, "way %d of %+v", i, l.ways)
				if !w.late {
					continue
				}
				late++
				if w.split() { // many rows go a few at a time where nothing else is there
					few := func(j int) bool { return l.ways[j].norms() && !l.ways[j].takes(&l.params, 9) }
					assert.True(t, slices.IsSortedFunc(w.standIns, func(a, b int) int { return order(few(a), few(b)) }), "%v", w.standIns)
				}
				standIn := l.ways[w.standIns[slices.IndexFunc(w.standIns, func(j int) bool { return !l.ways[j].late })]]
				if _, skinny := w.shape.(skinnyWay); skinny && !w.takes(&c, 9) && c.MinRows < 2 {
					assert.IsType(t, matvecWay{}, standIn.shape)
				}
				if c.apart {
					assert.Equal(t, w.stores(&l.params), standIn.stores(&l.params), "way %d of %+v", i, l.ways)
				}
			}
			assert.Positive(t, late)
			for _, m := range earlyRows {
				if m >= c.MinRows && (c.MaxRows == 0 || m <= c.MaxRows) {
					assert.False(t, l.ways[l.way(m)].late, "%d rows", m)
				}
			}
		}
	}
}

// Subgroup matrices are multiplied where a workgroup has the memory for it, in arrays that leave fragments at multiples of 16 bytes.
func TestMatricesNeedMemory(t *testing.T) {
	info := large()
	p := LinearParams{Matrix: &Matrix{Type: quant.Q4_0, Rows: 8192, Cols: 2048}}
	a, err := arithmeticOf("", info)
	require.NoError(t, err)
	most := 0
	for _, s := range a.many(&p) {
		if w, ok := s.(matrixWay); ok {
			specs, err := w.specs(&p, Piece{Rows: 8192})
			require.NoError(t, err)
			text, _, err := specs[0].compose("")
			require.NoError(t, err)
			total := 0
			for name, bytes := range gputest.WorkgroupArrays(t, text) {
				assert.Zero(t, bytes%16, name)
				total += bytes
			}
			most = max(most, total)
		}
	}
	assert.Equal(t, matrixMemory, most)
	info.Limits.MaxComputeWorkgroupStorageSize = 16 << 10
	a, err = arithmeticOf("", info)
	require.NoError(t, err)
	assert.False(t, a.matrix)
	_, err = arithmeticOf("matrix", info)
	assert.ErrorContains(t, err, "less than 20 KiB of workgroup memory")
}

// Of 64 rows a tile of 128 would be half empty.
func TestMatrixTilesAreFilled(t *testing.T) {
	l := Linear{params: LinearParams{Matrix: &Matrix{Type: quant.Q4_0, Rows: 128256, Cols: 2048}}}
	require.NoError(t, l.choose(large()))
	for m, tall := range map[int]int{33: 64, 64: 64, 65: 128, 512: 128} {
		w, ok := l.ways[l.way(m)].shape.(matrixWay)
		require.True(t, ok, "%d rows", m)
		assert.Equal(t, tall, w.tall(), "%d rows", m)
	}
}

// K is cut in parts for rows that fill tiles of which there are few.
func TestSplits(t *testing.T) {
	for _, c := range []struct {
		n, k, parts   int
		f32, matrices []int // rows, by sixteens, that are multiplied so
	}{
		{2048, 8192, 8, []int{64, 112, 128, 160, 176, 192}, []int{48, 64, 80, 96, 112, 128, 144, 160, 176, 192}},
		{4096, 4096, 4, []int{64, 112, 128, 160, 176, 192}, []int{48, 64, 80, 96, 112, 128, 144, 160, 176, 192}},
		{8192, 2048, 2, []int{64}, []int{48, 64}},
		{16384, 2048, 1, nil, nil},
		{2048, 384, 1, nil, nil},
	} {
		for i, want := range [][]int{c.f32, c.matrices} {
			info := large()
			if i == 0 {
				info.Matrices = nil
			}
			p := LinearParams{Matrix: &Matrix{Type: quant.Q4_K, Rows: c.n, Cols: c.k}, PartsRoom: 512}
			l := Linear{params: p}
			require.NoError(t, l.choose(info))
			var got []int
			for m := 16; m <= 256; m += 16 {
				if w, ok := l.ways[l.way(m)].shape.(splitWay); ok {
					require.Equal(t, c.parts, w.parts)
					got = append(got, m)
				}
			}
			assert.Equal(t, want, got, "%d × %d", c.n, c.k)
			assert.Equal(t, len(want) > 0, p.PartsWords(info, 512) > 0, "%d × %d", c.n, c.k)
		}
	}
}

// 17 to 32 rows of Q4_0's codes are multiplied in f16, in parts where W has few rows; other types are by name.
func TestHalvesByRows(t *testing.T) {
	for _, c := range []struct {
		change  func(*LinearParams)
		n, some int // rows of W; parts of K for 17 to 32 rows, 0: not in f16
	}{
		{func(*LinearParams) {}, 2048, 16},
		{func(*LinearParams) {}, 16384, 2},
		{func(*LinearParams) {}, 128256, 1},
		{func(p *LinearParams) { p.Matrix.Type = quant.Q4_K }, 2048, 0},
		{func(p *LinearParams) { p.Matrix.Type = quant.Q8_0 }, 128256, 0},
		{func(p *LinearParams) { p.Deterministic = true }, 2048, 0},
		{func(p *LinearParams) { p.Variant = "f32" }, 2048, 0},
	} {
		p := LinearParams{Matrix: &Matrix{Type: quant.Q4_0, Rows: c.n, Cols: 2048}, PartsRoom: 512}
		c.change(&p)
		l := Linear{params: p}
		require.NoError(t, l.choose(large()))
		for _, m := range []int{8, 16, 17, 24, 32, 33, 64} {
			some, parts := 0, 1
			s := l.ways[l.way(m)].shape
			if split, ok := s.(splitWay); ok {
				s, parts = split.shape, split.parts
			}
			if _, ok := s.(halvesWay); ok {
				some = parts
			}
			want := 0
			if m > 16 && m <= 32 {
				want = c.some
			}
			assert.Equal(t, want, some, "%d rows of x, %d of W, %s %s", m, c.n, p.Matrix.Type, p.Variant)
		}
	}
}

// No sum of eight codes leaves f16's range: x beyond it is the largest in it, and what is no number stays none and spoils no other row.
func TestHalvesKeepTheirRange(t *testing.T) {
	r, _ := rigOfHalves(t)
	r.keepsRange(halvesWay{halvesShape: halvesShape{rows: 8, tile: 2, lanes: 4, each: 1, workgroup: 32, fellows: 1}}, 65504)
}

// keepsRange has a way multiply x of all sizes by codes that stand for -8: beyond largest it is that, either sign.
func (r *rig) keepsRange(way shape, largest float32) {
	const small = 1.0 / 1024
	most := float64(largest)
	got := r.sizes(LinearParams{only: way}, largest, -largest, 1e6, -3e38, 1, small, float32(math.NaN()), float32(math.Inf(1)))
	for m, want := range []float64{-most, most, -most, most, -1, -small} {
		assert.InEpsilon(r, want, got[m], 1e-3, "row %d", m)
	}
	for m := 6; m < len(got); m++ {
		assert.True(r, math.IsNaN(got[m]) || math.IsInf(got[m], 0), "row %d: %g", m, got[m])
	}
}

// sizes has rows of x, each of one number, multiplied by codes that stand for -8, and gives what that is of eight times a row's columns.
func (r *rig) sizes(p LinearParams, numbers ...float32) (of []float64) {
	const n, k = 4, 64
	rows := len(numbers)
	block := make([]byte, 18)
	block[1] = 0x3C // times 1
	x := make([]float32, rows*k)
	for m, f := range numbers {
		copy(x[m*k:], r.same(k, f))
	}
	p.Matrix, p.XStride, p.YStride, p.MWord = r.matrix(quant.Q4_0, n, k, bytes.Repeat(block, n*k/32), 0), k, 32, WordTokens
	l, err := NewLinear(r.dev, p)
	require.NoError(r, err)
	require.NoError(r, l.Wait(context.Background()))
	y := r.rows("y", r.same(rows*n, 0), n, 32, 0)
	views := LinearViews{Step: r.step(StepData{Tokens: make([]uint32, rows)}), X: r.rows("x", x, k, k, 0).All(), Y: y.All()}
	if p.Norm {
		views.Norm, views.Normed = r.rows("norm", r.same(k, 1), k, k, 0).All(), r.rows("normed", r.same(rows*k, 0), k, k, 0).All()
	}
	b, err := l.Bind(views)
	require.NoError(r, err)
	r.submit(func(rec *gpu.Recorder) { l.Record(rec, b, rows) })
	got := r.read(y)
	for m := range rows {
		for i := range n - 1 {
			assert.Equal(r, math.Float32bits(got[32*m]), math.Float32bits(got[32*m+1+i]), "row %d", m)
		}
		of = append(of, float64(got[32*m])/(8*k))
	}
	return of
}

// The last strip of as many rows as there is room for lies in its room, too, where both are odd. Kernels read it in vec4s, of which
// browsers give what is whole.
func TestPackedFillsItsRoom(t *testing.T) {
	if !gpu.PackedDot() {
		t.Skip("this binding knows no packed integers")
	}
	assert.Zero(t, RoundedWords(160, 65)%4)
	r := newRig(t)
	got := r.runLinear(linearCase{typ: quant.Q8_0, n: 20, k: 160, m: 65, rounded: inBytes, LinearParams: LinearParams{Room: 65, only: packedWay{1, 1, 0}}})
	r.accurate(got.want, got.plain, got.got)
}

// What is no number stays none where rows are rounded, and spoils no other row.
func TestPackedKeepsWhatIsNoNumber(t *testing.T) {
	if !gpu.PackedDot() {
		t.Skip("this binding knows no packed integers")
	}
	const rows, n, k = 66, 4, 64
	r := newRig(t)
	raw, _ := r.weights(quant.Q8_0, n, k)
	x := r.floats(rows*k, 1)
	x[3*k+40], x[5*k] = float32(math.NaN()), float32(math.Inf(-1))
	l, err := NewLinear(r.dev, LinearParams{Matrix: r.matrix(quant.Q8_0, n, k, raw, 0), XStride: k, YStride: 32, MWord: WordTokens, Room: rows, only: packedWay{1, 1, 0}})
	require.NoError(t, err)
	require.NoError(t, l.Wait(t.Context()))
	y, words := r.rows("y", r.same(rows*n, 0), n, 32, 0), RoundedWords(k, rows)
	b, err := l.Bind(LinearViews{Step: r.step(StepData{Tokens: make([]uint32, rows)}), X: r.rows("x", x, k, k, 0).All(), Y: y.All(), Rounded: r.rows("rounded", r.same(words, 0), words, words, 0).All()})
	require.NoError(t, err)
	r.submit(func(rec *gpu.Recorder) { l.Record(rec, b, rows) })
	got := r.read(y)
	for m := range rows {
		for _, f := range got[32*m : 32*m+n] {
			assert.Equal(t, m == 3 || m == 5, math.IsNaN(float64(f)) || math.IsInf(float64(f), 0), "row %d: %g", m, f)
		}
	}
}
