package quant

// TQ1_0: 256 weights of -1, 0 and 1, five in a byte as fractions of 3^5 in base 3: of 32 bytes digit j of byte i is weight
// 32·j + i, of 16 bytes 160 + 16·j + i, and of 4 bytes, with four digits, 240 + 4·j + i; then an f16 scale.
func decodeTQ1_0(in []byte, out []float32) {
	d := halfAt(in[52:])
	at := 0
	for _, part := range []struct {
		bytes  []byte
		digits int
	}{{in[:32], 5}, {in[32:48], 5}, {in[48:52], 4}} {
		power := byte(1)
		for range part.digits {
			for _, b := range part.bytes {
				out[at] = d * float32(int(b*power)*3>>8-1)
				at++
			}
			power *= 3
		}
	}
}

// TQ2_0: codes of q + 1 in two bits, as Q2_K's, and an f16 scale.
func decodeTQ2_0(in []byte, out []float32) {
	d := halfAt(in[64:])
	for i := range out {
		out[i] = d * float32(int(in[i/128*32+i%32]>>(i/32%4*2)&3)-1)
	}
}
