package quant

import "math"

// Q6_K: of 256 codes of q + 32 the nibbles, where of each 128 a byte holds weights i and i + 64, then the upper two bits,
// where a byte holds those of weights i, i + 32, i + 64 and i + 96; a signed byte for each 16 weights; an f16 scale of these.
func decodeQ6_K(in []byte, out []float32) {
	d := halfAt(in[208:])
	for i := range out {
		half, at := i/128, i%128
		q := in[half*64+at%64] >> (at / 64 * 4) & 15
		q |= in[128+half*32+at%32] >> (at / 32 * 2) & 3 << 4
		scale := d * float32(int8(in[192+i/16]))
		out[i] = scale * float32(int(q)-32)
	}
}

// encodeQ6_K maps the value of largest magnitude of each 16 to -32, and the scale of largest magnitude to -128.
func encodeQ6_K(in []float32, out []byte) bool {
	clear(out)
	var scales [16]float32
	for b := range scales {
		scales[b] = farthest(in[16*b:16*b+16]) / -32
	}
	low, high := extremes(in)
	if !putHalf(out[208:], farthest(scales[:])/-128) || !finite(low) || !finite(high) {
		return false
	}
	d := halfAt(out[208:])
	round := func(f float32) int { return int(math.Round(float64(f))) }
	for i, f := range in {
		s := min(127, round(scales[i/16]*inverse(d)))
		out[192+i/16] = byte(int8(max(-128, s)))
		q := byte(max(-32, min(31, round(f*inverse(d*float32(int8(out[192+i/16]))))))) + 32
		half, at := i/128, i%128
		out[half*64+at%64] |= q & 15 << (at / 64 * 4)
		out[128+half*32+at%32] |= q >> 4 << (at / 32 * 2)
	}
	return true
}
