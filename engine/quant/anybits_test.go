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
	Q8_0:    {[]int{0}, "1fcdb751021cdd4abb4e5412e1e43446fab8ed5443018c4639730b2075914d35"},
	Q4_0:    {[]int{0}, "27a304786472f67dc2e19f3c30c3ae209018c9101236aaece437a579f622974f"},
	Q4_1:    {[]int{0, 2}, "caf0a929606cd5184ff96b92068ef087c9d0d84e84a4a284d7954301c831ed77"},
	Q5_0:    {[]int{0}, "97630b282ea638b40910ce3b790a3cfe024381a1b74e0b3a142a3e4e0e5e5652"},
	Q5_1:    {[]int{0, 2}, "31b24e6e519363d535fc089752b1cf0ef3a7c2f7ad4a77e3dca08e4d4c31a496"},
	Q4_K:    {[]int{0, 2}, "beb51f1280dd75ed692df21b7dcf212db4539bea65dab9879a2456a649ddce8e"},
	Q5_K:    {[]int{0, 2}, "4ba4d3964c68eee7cfd96dd50ff1158804b72cf60a205b4dea7ab1d544d6ee15"},
	Q6_K:    {[]int{208}, "fadfc1c67d603823aea7070fbffe17c57d459a78ff987da7ebd1e9721fc7be23"},
	Q2_K:    {[]int{80, 82}, "122ba4800d1462e1d01ae27b35e9a77f9fb8f5c3ef31fcd269d80df54fdd7c85"},
	Q3_K:    {[]int{108}, "ad22fc2abdc42e178fa6f14afffdf2996cbf0220fb7bb12b42ff654eb27cc467"},
	IQ4_NL:  {[]int{0}, "21f60a6b8589f601ec0baf7aee87f19e73f8e9fbc42acf27104668e101788a06"},
	IQ4_XS:  {[]int{0}, "688d7a79cf4d4901c382495597d21b3cdbe8fe7d0f05e75fd2a5453b7e468e67"},
	MXFP4:   {[]int{}, "4df287e81698d88dcec138c1875178528194764adf4e7b0247704a340708d0e9"},
	NVFP4:   {[]int{}, "31e1af6e2ecc39f7584b4e141c3cc2f2cf5d1be1356267ea45b5ad450a9d783c"},
	IQ3_S:   {[]int{0}, "6b59306e8e9c41ed1399c5e28c2dd0a87c3d3ea9a98110eb8c7851f445d83dc2"},
	IQ3_XXS: {[]int{0}, "827c7276eea68d9c1e2fb8dfbf833e4962045331e68e52d242f784415d77be6a"},
	IQ2_S:   {[]int{0}, "53ec52db605b4e7a52fc1a505eae7a61519216b3457373e803f14301229554d7"},
	IQ2_XS:  {[]int{0}, "1317fb86fbae2db268947e3fbde6f0f7100a4a85a59f534f3400f9679b570b79"},
	IQ2_XXS: {[]int{0}, "3bce4d1f74307892b65cb240ad8fc3ee4652105349dcc3dfcdf5e463900ceeac"},
	IQ1_S:   {[]int{0}, "0191d8271891bead30ecb556a15f8ee17cb9fc1deab36e0ce3280079333e3698"},
	IQ1_M:   {[]int{}, "efdf958c42928c3070f8b0e747fb04eb5f122af9d6b6a79cdba6f9acbcf902d5"},
	TQ1_0:   {[]int{52}, "8688167005f48e49c738faeddf304cfb88ef49d9fe3194c51587b36f4fd33ab7"},
	TQ2_0:   {[]int{64}, "baef91cadd5ed125c0c2f2d44754c84192db59a64fbe67a6d1892b5dc2606208"},
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
		if t == IQ1_M { // whose scale's upper bits are there
			raw[b+55] &^= 0x40
		}
	}
	return raw
}

func TestDequantizeAnyBits(t *testing.T) {
	for _, kind := range All() {
		if decoder(kind) == nil || kind.BlockWeights() == 1 {
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
