package quant

// Q4_0: an f16 scale and 32 nibbles of q + 8; a byte holds weights i and i + 16.
func decodeQ4_0(in []byte, out []float32) {
	d := halfAt(in)
	for i, q := range in[2:] {
		out[i] = d * float32(int(q&15)-8)
		out[i+16] = d * float32(int(q>>4)-8)
	}
}

// encodeQ4_0 maps the value of largest magnitude to -8.
func encodeQ4_0(in []float32, out []byte) bool {
	low, high := extremes(in)
	d := farthest(in) / -8
	if !putHalf(out, d) || !finite(low) || !finite(high) {
		return false
	}
	inv := inverse(d)
	nibble := func(f float32) byte { return byte(min(15, int(float32(f*inv)+8.5))) }
	for i := range 16 {
		out[2+i] = nibble(in[i]) | nibble(in[i+16])<<4
	}
	return true
}
