package quant

// Q4_1: scale and minimum in f16, and 32 nibbles; a byte holds weights i and i + 16.
func decodeQ4_1(in []byte, out []float32) {
	d, m := halfAt(in), halfAt(in[2:])
	for i, q := range in[4:] {
		out[i] = float32(d*float32(q&15)) + m
		out[i+16] = float32(d*float32(q>>4)) + m
	}
}

// encodeQ4_1 spans minimum to maximum in 15 steps.
func encodeQ4_1(in []float32, out []byte) bool {
	low, high := extremes(in)
	d := (high - low) / 15
	if !putHalf(out, d) || !putHalf(out[2:], low) {
		return false
	}
	inv := inverse(d)
	nibble := func(f float32) byte { return byte(min(15, int(float32((f-low)*inv)+0.5))) }
	for i := range 16 {
		out[4+i] = nibble(in[i]) | nibble(in[i+16])<<4
	}
	return true
}
