package quant

import "math"

// floats4 are the values of codes of a sign, two bits of exponent and one of mantissa (E2M1), twice as large as they are.
var floats4 = values{0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12}

// MXFP4: a scale that is a power of two (E8M0), and 32 codes of E2M1; a byte holds weights i and i + 16.
func decodeMXFP4(in []byte, out []float32) { decodeTable(powerOfTwo(in[0]), &floats4, in[1:], out) }

// powerOfTwo gives half of 2^(e - 127). Like ggml it knows no NaN.
func powerOfTwo(e byte) float32 {
	if e < 2 {
		return math.Float32frombits(0x00200000 << e)
	}
	return math.Float32frombits(uint32(e-1) << 23)
}

// NVFP4: an unsigned E4M3 scale for each 16 of 64 weights, then their codes of E2M1; of each 16 a byte holds weights i and
// i + 8. A tensor's own scale is a tensor beside it.
func decodeNVFP4(in []byte, out []float32) {
	for b := range 4 {
		decodeTable(smallFloat(in[b]), &floats4, in[4+8*b:12+8*b], out[16*b:16*b+16])
	}
}

// smallFloat gives half of an unsigned E4M3; its NaN is 0, as in ggml.
func smallFloat(x byte) float32 {
	if x == 0x7F {
		return 0
	}
	return F16ToF32(uint16(x&0x7F)<<7) * 128
}

// factor is the one word of NVFP4's table: what all weights are multiplied by.
func factor() []uint32 { return []uint32{math.Float32bits(1)} }
