package quant

import "encoding/binary"

// Q5_1: scale and minimum in f16, the fifth bits of 32 codes, and their nibbles; a byte holds weights i and i + 16.
func decodeQ5_1(in []byte, out []float32) {
	d, m, fifth := halfAt(in), halfAt(in[2:]), binary.LittleEndian.Uint32(in[4:])
	for i, q := range in[8:] {
		out[i] = float32(d*float32(q&15|byte(fifth>>i&1)<<4)) + m
		out[i+16] = float32(d*float32(q>>4|byte(fifth>>(i+16)&1)<<4)) + m
	}
}

// encodeQ5_1 spans minimum to maximum in 31 steps.
func encodeQ5_1(in []float32, out []byte) bool {
	low, high := extremes(in)
	d := (high - low) / 31
	if !putHalf(out, d) || !putHalf(out[2:], low) {
		return false
	}
	inv := inverse(d)
	code := func(f float32) uint32 { return uint32(min(31, int(float32((f-low)*inv)+0.5))) }
	fifth := uint32(0)
	for i := range 16 {
		low, high := code(in[i]), code(in[i+16])
		out[8+i] = byte(low&15 | high&15<<4)
		fifth |= low>>4<<i | high>>4<<(i+16)
	}
	binary.LittleEndian.PutUint32(out[4:], fifth)
	return true
}
