package quant

// Q3_K: the third bits of 256 codes of q + 4, where bit b of a byte i is that of weight 32·b + i, then their two low bits as in
// Q2_K, six bits of scale + 32 for each 16 weights (see sixteenth), and an f16 scale of these.
func decodeQ3_K(in []byte, out []float32) {
	d := halfAt(in[108:])
	for i := range out {
		q := in[32+i/128*32+i%32]>>(i/32%4*2)&3 | in[i%32]>>(i/32)&1<<2
		scale := d * float32(int(sixteenth(in[96:108], i/16))-32)
		out[i] = scale * float32(int(q)-4)
	}
}

// sixteenth unpacks the scale of 16 weights, the b-th of sixteen: the low four bits of the first eight are the low nibbles of
// eight bytes, of the others the high ones; the upper two bits of scales b, b + 4, b + 8 and b + 12 are a byte behind them.
func sixteenth(packed []byte, b int) byte {
	return packed[b%8]>>(b/8*4)&15 | packed[8+b%4]>>(b/4*2)&3<<4
}
