package quant

import "math"

// Q8_0: an f16 scale and 32 signed bytes.
func decodeQ8_0(in []byte, out []float32) {
	d := halfAt(in)
	for i := range out {
		out[i] = d * float32(int8(in[2+i]))
	}
}

// DequantizeQ8_0 is Dequantize of whole blocks in Q8_0, without the code for all other types.
func DequantizeQ8_0(src []byte, dst []float32) {
	weights, bytes, blocks := Q8_0.row().blocks(len(dst))
	for b := range blocks {
		decodeQ8_0(src[b*bytes:(b+1)*bytes], dst[b*weights:(b+1)*weights])
	}
}

func encodeQ8_0(in []float32, out []byte) bool {
	low, high := extremes(in)
	d := max(-low, high) / 127
	if !putHalf(out, d) {
		return false
	}
	inv := inverse(d)
	for i, f := range in {
		out[2+i] = byte(int8(math.Round(float64(f * inv))))
	}
	return true
}
