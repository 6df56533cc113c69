package sha256

import (
	"encoding/binary"
	"math/bits"
)

// blockSize is how many bytes a round takes.
const blockSize = 64

// digest is SHA-256 as FIPS 180-4 has it.
type digest struct {
	state [8]uint32
	block [blockSize]byte
	n     int    // bytes of block
	total uint64 // bytes
}

func newDigest() *digest {
	d := new(digest)
	d.Reset()
	return d
}

func (d *digest) Reset() {
	*d = digest{state: [8]uint32{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}}
}

func (*digest) Size() int { return Size }

func (*digest) BlockSize() int { return blockSize }

func (d *digest) Write(data []byte) (int, error) {
	all := len(data)
	d.total += uint64(all)
	for len(data) > 0 {
		if d.n == 0 && len(data) >= blockSize {
			d.mix(data)
			data = data[blockSize:]
			continue
		}
		taken := copy(d.block[d.n:], data)
		data = data[taken:]
		if d.n += taken; d.n == blockSize {
			d.mix(d.block[:])
			d.n = 0
		}
	}
	return all, nil
}

// Sum appends the sum of what was written; more may be written after it.
func (d *digest) Sum(to []byte) []byte {
	end := *d
	padding := [blockSize + 8]byte{0x80}
	n := blockSize - (end.n+8)%blockSize
	binary.BigEndian.PutUint64(padding[n:], 8*end.total)
	end.Write(padding[:n+8])
	for _, word := range end.state {
		to = binary.BigEndian.AppendUint32(to, word)
	}
	return to
}

// mix takes one block.
func (m *digest) mix(block []byte) {
	var w [64]uint32
	for i := range 16 {
		w[i] = binary.BigEndian.Uint32(block[4*i:])
	}
	for i := 16; i < 64; i++ {
		x, y := w[i-15], w[i-2]
		w[i] = w[i-16] + w[i-7] + (bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3) +
			(bits.RotateLeft32(y, -17) ^ bits.RotateLeft32(y, -19) ^ y>>10)
	}
	s := m.state
	a, b, c, d, e, f, g, h := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
	for i, k := range rounds {
		t := h + (bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25)) + (e&f ^ ^e&g) + k + w[i]
		u := (bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)) + (a&b ^ a&c ^ b&c)
		a, b, c, d, e, f, g, h = t+u, a, b, c, d+t, e, f, g
	}
	for i, word := range [...]uint32{a, b, c, d, e, f, g, h} {
		m.state[i] += word
	}
}

// rounds are the first bits of the fractions of the first primes' cube roots.
var rounds = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
