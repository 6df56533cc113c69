package quant

import "encoding/binary"

// IQ3_XXS: an f16 scale of scales, a point for each 4 of 256 weights, then for each 32 a word with seven signs of each 8 (see
// evenSigns) and four bits of scale.
func decodeIQ3_XXS(in []byte, out []float32) {
	d := halfAt(in)
	for b := range 8 {
		rest := binary.LittleEndian.Uint32(in[66+4*b:])
		scale := d * (float32(rest>>28) + 0.5) / 2
		for p, point := range in[2+8*b : 10+8*b] {
			signs := evenSigns(rest>>(p/2*7)) >> (p % 2 * 4)
			grid3XXS.decode(scale, int(point), signs, out[32*b+4*p:32*b+4*p+4])
		}
	}
}

// IQ3_S: an f16 scale of scales, for each 4 of 256 weights a point's low eight bits, then the ninth, a sign for each weight,
// and for each 32 four bits of scale.
func decodeIQ3_S(in []byte, out []float32) {
	d := halfAt(in)
	for p := range 64 {
		point := int(in[2+p]) | int(in[66+p/8]>>(p%8)&1)<<8
		scale := d * float32(1+2*(in[106+p/16]>>(p/8%2*4)&15))
		grid3S.decode(scale, point, in[74+p/2]>>(p%2*4), out[4*p:4*p+4])
	}
}
