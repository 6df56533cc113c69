package quant

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	require.NoError(t, err)
	return b
}

func ramp(first, step float32) []float32 {
	out := make([]float32, 32)
	for i := range out {
		out[i] = first + step*float32(i)
	}
	return out
}

// with gives 32 zeros but for some places.
func with(values map[int]float32) []float32 {
	out := make([]float32, 32)
	for i, f := range values {
		out[i] = f
	}
	return out
}

const zeros14, eights14 = "0000000000000000000000000000", "8888888888888888888888888888"

func TestDequantizeByHand(t *testing.T) {
	nibbles := make([]float32, 32) // low nibbles hold 0 to 15, high ones 15 to 0
	for i := range 16 {
		nibbles[i], nibbles[i+16] = float32(i), float32(15-i)
	}
	shifted := func(d, m float32) []float32 {
		out := make([]float32, 32)
		for i, q := range nibbles {
			out[i] = d*q + m
		}
		return out
	}
	fifth := func(d, m float32) []float32 { // where the first 16 have the fifth bit
		out := shifted(d, m)
		for i := range 16 {
			out[i] += d * 16
		}
		return out
	}
	const packed = "f0e1d2c3b4a5968778695a4b3c2d1e0f"
	for _, tc := range []struct {
		name  string
		kind  Type
		block string
		want  []float32
	}{
		{"F32", F32, "0000c03f000020c1", []float32{1.5, -10}},
		{"F16", F16, "003e00c9010000fc", []float32{1.5, -10, 1.0 / (1 << 24), float32(math.Inf(-1))}},
		{"BF16", BF16, "c03f20c1", []float32{1.5, -10}},
		{"Q8_0", Q8_0, "0038" + "7f80ff01" + zeros14 + zeros14, with(map[int]float32{0: 63.5, 1: -64, 2: -0.5, 3: 0.5})},
		{"Q4_0", Q4_0, "0038" + packed, shifted(0.5, -4)},
		{"Q4_1", Q4_1, "003800c9" + packed, shifted(0.5, -10)},
		{"Q5_0", Q5_0, "0038" + "ffff0000" + packed, fifth(0.5, -8)},
		{"Q5_1", Q5_1, "003800c9" + "ffff0000" + packed, fifth(0.5, -10)},
		{"two blocks", Q4_0, "003c" + packed + "00c0" + packed, append(shifted(1, -8), shifted(-2, 16)...)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := make([]float32, len(tc.want))
			require.NoError(t, Dequantize(tc.kind, unhex(t, tc.block), got))
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestQuantizeByHand(t *testing.T) {
	for _, tc := range []struct {
		name    string
		kind    Type
		weights []float32
		want    string
	}{
		{"F32", F32, []float32{1.5}, "0000c03f"},
		{"F16", F16, []float32{1.5, -10}, "003e00c9"},
		{"BF16", BF16, []float32{1.5, -10}, "c03f20c1"},
		{"Q8_0 rounds half away from zero", Q8_0, with(map[int]float32{0: 127, 1: -127, 2: 2.5, 3: -2.5}), "003c" + "7f8103fd" + zeros14 + zeros14},
		{"Q8_0 of nothing", Q8_0, with(nil), "00000000" + zeros14 + zeros14 + "0000"},
		{"Q4_0 maps the largest to -8", Q4_0, with(map[int]float32{0: -8, 16: 7, 1: 8}), "003cf08f" + eights14},
		{"Q4_0 with a positive extreme", Q4_0, with(map[int]float32{0: 8, 16: -7}), "00bcf088" + eights14},
		{"Q4_0 of nothing, with ggml's scale of -0", Q4_0, with(nil), "0080" + "8888" + eights14},
		{"Q4_1", Q4_1, append(ramp(-1, 0.5)[:16], ramp(-1, 0.5)[:16]...), "003800bc00112233445566778899aabbccddeeff"},
		{"Q5_0 maps the largest to -16", Q5_0, with(map[int]float32{0: -16, 16: 15, 1: 16, 31: 1}), "003c" + "feffffff" + "f00f" + zeros14[:26] + "10"},
		{"Q5_1", Q5_1, ramp(-1, 0.5), "003800bc" + "0000ffff" + "00112233445566778899aabbccddeeff"},
		{"Q4_1 of one value", Q4_1, ramp(1.5, 0), "0000003e0000" + zeros14},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := unhex(t, tc.want)
			got := make([]byte, len(want))
			require.NoError(t, Quantize(tc.kind, tc.weights, got))
			assert.Equal(t, hex.EncodeToString(want), hex.EncodeToString(got))
		})
	}
}

// Each weight comes back within half a step of its block, a whole one where codes clip, plus the rounding of scales and
// minima: to f16, and of K types to six or eight bits.
func TestQuantizeError(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		weights := make([]float32, 512)
		for i := range weights {
			weights[i] = float32(random.NormFloat64())
		}
		low, high := extremes(weights)
		all := float64(max(-low, high))
		for _, kind := range encoded() {
			packed := make([]byte, kind.RowBytes(512))
			require.NoError(t, Quantize(kind, weights, packed))
			got := make([]float32, 512)
			require.NoError(t, Dequantize(kind, packed, got))
			for i, f := range weights {
				low, high := extremes(weights[i/32*32:][:32])
				extreme, width := float64(max(-low, high)), float64(high-low)
				bound, ok := map[Type]float64{F32: 0, F16: extreme / 2048, BF16: extreme / 256, Q8_0: extreme / 254 * 1.2,
					Q4_0: extreme / 8 * 1.01, Q4_1: width/30 + extreme/400, Q5_0: extreme / 16 * 1.01, Q5_1: width/62 + extreme/400,
					Q4_K: width/30 + all/30, Q5_K: width/62 + all/30, Q6_K: extreme/32*1.01 + all/200}[kind]
				require.True(t, ok, kind)
				assert.InDelta(t, f, got[i], bound, kind)
			}
		}
	}
}

// encoded lists the types that Quantize makes.
func encoded() []Type {
	return slices.DeleteFunc(All(), func(t Type) bool { return !t.Quantizes() })
}

func TestConversionRefuses(t *testing.T) {
	assert.ErrorIs(t, Dequantize(Q8_K, make([]byte, 292), make([]float32, 256)), ErrUnsupportedType)
	assert.ErrorContains(t, Dequantize(Type(99), nil, nil), "type 99")
	assert.ErrorIs(t, Quantize(Q8_1, nil, nil), ErrUnsupportedType)
	assert.ErrorContains(t, Dequantize(Q8_0, make([]byte, 33), make([]float32, 32)), "33 bytes")
	assert.Error(t, Dequantize(Q8_0, make([]byte, 34), make([]float32, 31)))
	assert.Error(t, Quantize(Q4_0, make([]float32, 32), make([]byte, 19)))
	for _, kind := range encoded() {
		if kind.BlockWeights() == 1 {
			continue
		}
		with := func(f float32) []float32 {
			block := make([]float32, kind.BlockWeights())
			block[5] = f
			return block
		}
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e30} {
			err := Quantize(kind, with(float32(bad)), make([]byte, kind.BlockBytes()))
			assert.ErrorContains(t, err, "weights 0 to ", "%s of %v", kind, bad)
		}
		assert.NoError(t, Quantize(kind, with(1e-38), make([]byte, kind.BlockBytes())))
	}
}

func TestF16(t *testing.T) {
	for h := range 1 << 16 {
		f := F16ToF32(uint16(h))
		if h&0x7C00 == 0x7C00 && h&0x3FF != 0 {
			assert.True(t, math.IsNaN(float64(f)))
			assert.True(t, math.IsNaN(float64(F16ToF32(F32ToF16(f)))))
			continue
		}
		require.Equal(t, uint16(h), F32ToF16(f), "%04x", h)
		if h&0x7FFF >= 0x7BFF { // nothing finite above
			continue
		}
		// Half-way to the next larger magnitude goes to the even one, a hair either side to the nearer.
		next := F16ToF32(uint16(h) + 1)
		half := f + (next-f)/2
		require.Equal(t, uint16(h+h&1), F32ToF16(half), "above %04x", h)
		require.Equal(t, uint16(h), F32ToF16(math.Nextafter32(half, f)), "above %04x", h)
		require.Equal(t, uint16(h+1), F32ToF16(math.Nextafter32(half, next)), "above %04x", h)
	}
	for f, want := range map[float32]uint16{1: 0x3C00, -2: 0xC000, 65504: 0x7BFF, 65519.996: 0x7BFF, 65520: 0x7C00,
		-65536: 0xFC00, 1e10: 0x7C00, 5.9604645e-8: 1, 2.9802322e-8: 0, 6.103515625e-5: 0x0400, 1e-30: 0} {
		assert.Equal(t, want, F32ToF16(f), "%v", f)
	}
}

func TestBF16(t *testing.T) {
	for bits, want := range map[uint32]uint16{0x3F800000: 0x3F80, 0x3F808000: 0x3F80, 0x3F818000: 0x3F82, 0x3F808001: 0x3F81,
		0x7F7FFFFF: 0x7F80, 0xFF800000: 0xFF80, 0x00000001: 0, 0xBF80FFFF: 0xBF81} {
		assert.Equal(t, want, F32ToBF16(math.Float32frombits(bits)), "%08x", bits)
	}
	assert.True(t, math.IsNaN(float64(BF16ToF32(F32ToBF16(math.Float32frombits(0x7F800001))))))
	assert.Equal(t, float32(-1.5), BF16ToF32(0xBFC0))
}

func TestTypes(t *testing.T) {
	for _, tc := range []struct {
		kind        Type
		name        string
		block, size int
	}{
		{F32, "F32", 1, 4}, {Q4_0, "Q4_0", 32, 18}, {Q4_1, "Q4_1", 32, 20}, {Q8_0, "Q8_0", 32, 34},
		{Q4_K, "Q4_K", 256, 144}, {Q6_K, "Q6_K", 256, 210}, {IQ4_NL, "IQ4_NL", 32, 18}, {BF16, "BF16", 1, 2},
	} {
		assert.Equal(t, tc.name, tc.kind.String())
		assert.Equal(t, tc.block, tc.kind.BlockWeights())
		assert.Equal(t, tc.size, tc.kind.BlockBytes())
		assert.EqualValues(t, 3*tc.size, tc.kind.RowBytes(uint64(3*tc.block)))
	}
	for _, kind := range All() {
		parsed, err := Parse(kind.String())
		require.NoError(t, err)
		assert.Equal(t, kind, parsed)
	}
	lower, err := Parse("q4_0")
	require.NoError(t, err)
	assert.Equal(t, Q4_0, lower)
	_, err = Parse("q4_9")
	assert.ErrorIs(t, err, ErrUnsupportedType)
	assert.ErrorContains(t, err, "q4_9")
	assert.EqualValues(t, -1, Q8_0.RowBytes(33))
	assert.EqualValues(t, -1, Type(99).RowBytes(32))
	assert.EqualValues(t, -1, F64.RowBytes(1<<62))
}

// What shaders/repack.wgsl and lib/pack.wgsl take of a type.
func TestPlanes(t *testing.T) {
	for _, kind := range All() {
		p := kind.Planes()
		if !kind.Runs() {
			assert.Zero(t, p, kind)
			continue
		}
		require.NotNil(t, decoder(kind), "%s: what should kernels read?", kind)
		assert.Zero(t, p.ScaleSpan%32, kind)
		assert.Zero(t, p.CodeSpan%32, kind)
		assert.Zero(t, p.ScaleSpan%p.CodeSpan, kind)
		assert.Zero(t, p.ScaleSpan%kind.BlockWeights(), kind)
		assert.LessOrEqual(t, kind.RowBytes(uint64(p.ScaleSpan)), int64(4*64), "%s: Stored has 64 words", kind)
		assert.LessOrEqual(t, max(p.CodeWords, p.ScaleWords), 32, "%s: Packed has 32 words", kind)
		inFile := 8 * float64(kind.BlockBytes()) / float64(kind.BlockWeights())
		onGPU := 32*float64(p.CodeWords)/float64(p.CodeSpan) + 32*float64(p.ScaleWords)/float64(p.ScaleSpan)
		assert.GreaterOrEqual(t, onGPU, inFile-0.01, "%s: bits a weight", kind)
		assert.LessOrEqual(t, onGPU, 1.1*inFile, "%s: bits a weight", kind)
	}
}
