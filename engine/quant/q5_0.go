package quant

import "encoding/binary"

// Q5_0: an f16 scale, the fifth bits of 32 codes of q + 16, and their nibbles; a byte holds weights i and i + 16.
func decodeQ5_0(in []byte, out []float32) {
	d, fifth := halfAt(in), binary.LittleEndian.Uint32(in[2:])
	for i, q := range in[6:] {
		out[i] = d * float32(int(q&15|byte(fifth>>i&1)<<4)-16)
		out[i+16] = d * float32(int(q>>4|byte(fifth>>(i+16)&1)<<4)-16)
	}
}

// encodeQ5_0 maps the value of largest magnitude to -16.
func encodeQ5_0(in []float32, out []byte) bool {
	low, high := extremes(in)
	d := farthest(in) / -16
	if !putHalf(out, d) || !finite(low) || !finite(high) {
		return false
	}
	inv := inverse(d)
	code := func(f float32) uint32 { return uint32(min(31, int(float32(f*inv)+16.5))) }
	fifth := uint32(0)
	for i := range 16 {
		low, high := code(in[i]), code(in[i+16])
		out[6+i] = byte(low&15 | high&15<<4)
		fifth |= low>>4<<i | high>>4<<(i+16)
	}
	binary.LittleEndian.PutUint32(out[2:], fifth)
	return true
}
