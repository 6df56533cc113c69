package quant

import "encoding/binary"

// IQ1_S: an f16 scale of scales, for each 8 of 256 weights a point's low eight bits, then for each 32 two bytes: three more bits
// of its four points, three bits of scale, and the sign of an eighth that is added to all coordinates.
func decodeIQ1_S(in []byte, out []float32) {
	d := halfAt(in)
	for p := range 32 {
		rest := binary.LittleEndian.Uint16(in[34+p/4*2:])
		point := int(in[2+p]) | int(rest>>(p%4*3)&7)<<8
		decodeTernary(d*float32(2*(rest>>12&7)+1), point, rest>>15 == 1, out[8*p:8*p+8])
	}
}

// IQ1_M: for each 8 of 256 weights a point's low eight bits, then a nibble with three more and the sign of the eighth, then for
// each 16 three bits of scale, four times in 16 bits, whose upper nibbles are the f16 scale of scales.
func decodeIQ1_M(in []byte, out []float32) {
	d, scales := scattered(in[48:])
	for p := range 32 {
		rest := in[32+p/2] >> (p % 2 * 4)
		s := scales[p/8] >> (p / 2 % 4 * 3) & 7
		decodeTernary(d*float32(2*s+1), int(in[p])|int(rest&7)<<8, rest>>3&1 == 1, out[8*p:8*p+8])
	}
}

// scattered reads IQ1_M's scales and what their upper nibbles are together.
func scattered(in []byte) (d float32, scales [4]uint16) {
	var half uint16
	for i := range scales {
		scales[i] = binary.LittleEndian.Uint16(in[2*i:])
		half |= scales[i] >> 12 << (4 * i)
	}
	return F16ToF32(half), scales
}

// decodeTernary writes the weights of a point whose coordinates are -1, 0 and 1, and an eighth more or less.
func decodeTernary(scale float32, point int, less bool, out []float32) {
	shift := float32(-7.0 / 8)
	if less {
		shift = -9.0 / 8
	}
	for k := range out {
		out[k] = scale * (float32(grid1.value(point, k)) + shift)
	}
}
