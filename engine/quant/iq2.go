package quant

import "encoding/binary"

// IQ2_XXS: an f16 scale of scales, then for each 32 of 256 weights four points and, in a word, seven signs of each (see
// evenSigns) and four bits of scale.
func decodeIQ2_XXS(in []byte, out []float32) {
	d := halfAt(in)
	for b := range 8 {
		points, rest := in[2+8*b:6+8*b], binary.LittleEndian.Uint32(in[6+8*b:])
		scale := d * eighths(rest>>28)
		for p, point := range points {
			grid2XXS.decode(scale, int(point), evenSigns(rest>>(7*p)), out[32*b+8*p:32*b+8*p+8])
		}
	}
}

// eighths gives (s + ½)/4.
func eighths(s uint32) float32 { return (float32(s) + 0.5) / 4 }

// IQ2_XS: an f16 scale of scales, for each 8 of 256 weights nine bits of a point and seven signs, and for each 16 four bits of
// scale.
func decodeIQ2_XS(in []byte, out []float32) {
	d := halfAt(in)
	for p := range 32 {
		word := binary.LittleEndian.Uint16(in[2+2*p:])
		scale := d * eighths(uint32(in[66+p/4]>>(p/2%2*4)&15))
		grid2XS.decode(scale, int(word&511), evenSigns(uint32(word>>9)), out[8*p:8*p+8])
	}
}

// IQ2_S: an f16 scale of scales, for each 8 of 256 weights a point's low eight bits, then eight signs, then a point's upper
// two bits, and for each 16 four bits of scale.
func decodeIQ2_S(in []byte, out []float32) {
	d := halfAt(in)
	for p := range 32 {
		point := int(in[2+p]) | int(in[66+p/4]>>(p%4*2)&3)<<8
		scale := d * eighths(uint32(in[74+p/4]>>(p/2%2*4)&15))
		grid2S.decode(scale, point, in[34+p], out[8*p:8*p+8])
	}
}
