package quant

// Q4_K: the scale of scales and that of minima in f16, then for each 32 of 256 weights six bits of both (see sixBits), then
// nibbles; a byte holds weights i and i + 32.
func decodeQ4_K(in []byte, out []float32) {
	d, least := halfAt(in), halfAt(in[2:])
	for b := range 8 {
		s, m := sixBits(in[4:16], b)
		scale, under := d*float32(s), least*float32(m)
		nibbles := in[16+b/2*32:]
		for i := range 32 {
			q := nibbles[i] >> (b % 2 * 4) & 15
			out[32*b+i] = float32(scale*float32(q)) - under
		}
	}
}

func encodeQ4_K(in []float32, out []byte) bool {
	clear(out)
	return encodeK(in, out, 15, func(i int, q byte) { out[16+i/64*32+i%32] |= q << (i / 32 % 2 * 4) })
}

// sixBits unpacks the scale and the minimum of 32 weights, the b-th of eight: those of the first four are the low six bits
// of a byte each; of the others a byte holds four bits of both, and the first bytes' upper two the rest.
func sixBits(packed []byte, b int) (scale, least byte) {
	if b < 4 {
		return packed[b] & 63, packed[b+4] & 63
	}
	return packed[b+4]&15 | packed[b-4]>>6<<4, packed[b+4]>>4 | packed[b]>>6<<4
}

// putSixBits packs what sixBits unpacks, into zeros.
func putSixBits(packed []byte, b int, scale, least byte) {
	if b < 4 {
		packed[b] |= scale
		packed[b+4] |= least
		return
	}
	packed[b+4] = scale&15 | least<<4
	packed[b-4] |= scale >> 4 << 6
	packed[b] |= least >> 4 << 6
}

// encodeK writes the scales and minima of Q4_K and Q5_K, and gives each weight's code to put. Minima are never above 0.
func encodeK(in []float32, out []byte, most float32, put func(i int, q byte)) bool {
	var scales, minima [8]float32
	var largest, deepest float32
	for b := range scales {
		low, high := extremes(in[32*b : 32*b+32])
		minima[b] = max(0, -low)
		scales[b] = (max(high, 0) + minima[b]) / most
		largest, deepest = max(largest, scales[b]), max(deepest, minima[b])
	}
	if !putHalf(out, largest/63) || !putHalf(out[2:], deepest/63) {
		return false
	}
	d, least := halfAt(out), halfAt(out[2:])
	for b := range scales {
		s := byte(min(63, scales[b]*inverse(d)+0.5))
		m := byte(min(63, minima[b]*inverse(least)+0.5))
		putSixBits(out[4:16], b, s, m)
		inv, under := inverse(d*float32(s)), least*float32(m)
		for i := 32 * b; i < 32*b+32; i++ {
			put(i, byte(max(0, min(most, (in[i]+under)*inv+0.5))))
		}
	}
	return true
}
