package quant

// Q2_K: for each 16 of 256 weights a byte, four bits of scale and four of minimum, then codes of two bits, where of each 128
// a byte holds those of weights i, i + 32, i + 64 and i + 96, then the scale of scales and that of minima in f16.
func decodeQ2_K(in []byte, out []float32) {
	d, least := halfAt(in[80:]), halfAt(in[82:])
	for i := range out {
		both := in[i/16]
		scale, under := d*float32(both&15), least*float32(both>>4)
		q := in[16+i/128*32+i%32] >> (i / 32 % 4 * 2) & 3
		out[i] = float32(scale*float32(q)) - under
	}
}
