package quant

// Q5_K: as Q4_K, with the fifth bits of the codes before the nibbles: bit b of a byte i is that of weight 32·b + i.
func decodeQ5_K(in []byte, out []float32) {
	d, least := halfAt(in), halfAt(in[2:])
	fifth := in[16:48]
	for b := range 8 {
		s, m := sixBits(in[4:16], b)
		scale, under := d*float32(s), least*float32(m)
		nibbles := in[48+b/2*32:]
		for i := range 32 {
			q := nibbles[i]>>(b%2*4)&15 | fifth[i]>>b&1<<4
			out[32*b+i] = float32(scale*float32(q)) - under
		}
	}
}

func encodeQ5_K(in []float32, out []byte) bool {
	clear(out)
	return encodeK(in, out, 31, func(i int, q byte) {
		out[48+i/64*32+i%32] |= q & 15 << (i / 32 % 2 * 4)
		out[16+i%32] |= q >> 4 << (i / 32)
	})
}
