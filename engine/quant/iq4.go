package quant

import (
	"encoding/binary"
	"math"
)

// values are what codes of four bits stand for.
type values [16]int8

// words are the values as floats' bits.
func (v *values) words() []uint32 {
	words := make([]uint32, len(v))
	for i, f := range v {
		words[i] = math.Float32bits(float32(f))
	}
	return words
}

// nonlinear are the values of IQ4_NL's and IQ4_XS's codes.
var nonlinear = values{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}

// IQ4_NL: as Q4_0, with codes that stand for values of a table.
func decodeIQ4_NL(in []byte, out []float32) { decodeTable(halfAt(in), &nonlinear, in[2:], out) }

// decodeTable writes weights whose codes stand for values; a byte holds those of the first and of the second half.
func decodeTable(scale float32, of *values, codes []byte, out []float32) {
	for i, q := range codes {
		out[i] = scale * float32(of[q&15])
		out[i+len(codes)] = scale * float32(of[q>>4])
	}
}

// IQ4_XS: an f16 scale of scales, of scale + 32 of each 32 of 256 weights the upper two bits in two bytes, then the low four in
// four, then codes as IQ4_NL's.
func decodeIQ4_XS(in []byte, out []float32) {
	d, upper := halfAt(in), binary.LittleEndian.Uint16(in[2:])
	for b := range 8 {
		s := in[4+b/2]>>(b%2*4)&15 | byte(upper>>(2*b)&3)<<4
		decodeTable(d*float32(int(s)-32), &nonlinear, in[8+16*b:24+16*b], out[32*b:32*b+32])
	}
}
