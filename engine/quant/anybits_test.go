package quant

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// anyBits are the types' scales, where they stand in a block, and the SHA-256 of what gguf-py 0.19.0 makes of the blocks of
// anyBlocks, as little-endian float32.
var anyBits = map[Type]struct {
	scales []int
	sha256 string
}{
	Q8_0: {[]int{0}, "1fcdb751021cdd4abb4e5412e1e43446fab8ed5443018c4639730b2075914d35"},
	Q4_0: {[]int{0}, "27a304786472f67dc2e19f3c30c3ae209018c9101236aaece437a579f622974f"},
	Q4_1: {[]int{0, 2}, "caf0a929606cd5184ff96b92068ef087c9d0d84e84a4a284d7954301c831ed77"},
	Q5_0: {[]int{0}, "97630b282ea638b40910ce3b790a3cfe024381a1b74e0b3a142a3e4e0e5e5652"},
	Q5_1: {[]int{0, 2}, "31b24e6e519363d535fc089752b1cf0ef3a7c2f7ad4a77e3dca08e4d4c31a496"},
	Q4_K: {[]int{0, 2}, "beb51f1280dd75ed692df21b7dcf212db4539bea65dab9879a2456a649ddce8e"},
	Q5_K: {[]int{0, 2}, "4ba4d3964c68eee7cfd96dd50ff1158804b72cf60a205b4dea7ab1d544d6ee15"},
	Q6_K: {[]int{208}, "fadfc1c67d603823aea7070fbffe17c57d459a78ff987da7ebd1e9721fc7be23"},
}

// anyBlocks makes 500 blocks of random bits, whose scales are finite.
func anyBlocks(t Type) []byte {
	random := rand.New(rand.NewPCG(uint64(t), 1))
	raw := make([]byte, 500*t.BlockBytes())
	for i := range raw {
		raw[i] = byte(random.Uint32())
	}
	for b := 0; b < len(raw); b += t.BlockBytes() {
		for _, at := range anyBits[t].scales {
			if raw[b+at+1]&0x7C == 0x7C {
				raw[b+at+1] ^= 0x40
			}
		}
	}
	return raw
}

func TestDequantizeAnyBits(t *testing.T) {
	for _, kind := range All() {
		if table[kind].decode == nil || kind.BlockWeights() == 1 {
			continue
		}
		raw := anyBlocks(kind)
		weights := make([]float32, 500*kind.BlockWeights())
		require.NoError(t, Dequantize(kind, raw, weights))
		var data bytes.Buffer
		require.NoError(t, binary.Write(&data, binary.LittleEndian, weights))
		hash := sha256.Sum256(data.Bytes())
		assert.Equal(t, anyBits[kind].sha256, hex.EncodeToString(hash[:]), kind)
	}
}
