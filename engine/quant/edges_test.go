package quant

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Scales of 0, subnormal ones, the largest, infinity and NaN, in each type's own code: the second and the last weight of a
// block are, bit for bit, what gguf-py 0.19.0 gives.
func TestScalesAtTheirEnds(t *testing.T) {
	halves := []uint16{0, 0x8000, 1, 0x83FF, 0x0400, 0x7BFF, 0x7C00, 0x7E00}
	const nan = 0x7FC00000
	for _, tc := range []struct {
		kind   Type
		scales []uint16
		want   []uint32
	}{
		{Q4_0, halves, []uint32{
			0x00000000, 0x00000000, 0x80000000, 0x80000000, 0x34000000, 0x00000000, 0xB8FFC000, 0x80000000, 0x39000000,
			0x00000000, 0x47FFE000, 0x00000000, 0x7F800000, nan, nan, nan,
		}},
		{Q4_1, halves, []uint32{
			0x3F800000, 0x3F800000, 0x3F800000, 0x3F800000, 0x3F800002, 0x3F800006, 0x3F7FF004, 0x3F7FD00C, 0x3F800800,
			0x3F801800, 0x487FE040, 0x493FE810, 0x7F800000, 0x7F800000, nan, nan,
		}},
		{Q5_0, halves, []uint32{
			0x80000000, 0x00000000, 0x00000000, 0x80000000, 0xB4000000, 0x33800000, 0x38FFC000, 0xB87FC000, 0xB9000000,
			0x38800000, 0xC7FFE000, 0x477FE000, 0xFF800000, 0x7F800000, nan, nan,
		}},
		{Q5_1, halves, []uint32{
			0x3F800000, 0x3F800000, 0x3F800000, 0x3F800000, 0x3F80000C, 0x3F800002, 0x3F7FA018, 0x3F7FEC05, 0x3F803000,
			0x3F800A00, 0x49BFE808, 0x489FEC20, 0x7F800000, 0x7F800000, nan, nan,
		}},
		{Q8_0, halves, []uint32{
			0x00000000, 0x80000000, 0x80000000, 0x00000000, 0x36F40000, 0xB6400000, 0xBBF3C300, 0x3B3FD000, 0x3BF40000,
			0xBB400000, 0x4AF3E180, 0xCA3FE800, 0x7F800000, 0xFF800000, nan, nan,
		}},
		{Q2_K, halves, []uint32{
			0x00000000, 0xBF400000, 0x80000000, 0xBF400000, 0x00000000, 0xBF3FFFFA, 0x80000000, 0xBF4017FA, 0x00000000,
			0xBF3FE800, 0x00000000, 0x48BFE7E8, nan, 0x7F800000, nan, nan,
		}},
		{Q3_K, halves, []uint32{
			0x80000000, 0x00000000, 0x00000000, 0x80000000, 0xB6D80000, 0x36280000, 0x3BD7CA00, 0xBB27D600, 0xBBD80000,
			0x3B280000, 0xCAD7E500, 0x4A27EB00, 0xFF800000, 0x7F800000, nan, nan,
		}},
		{Q4_K, halves, []uint32{
			0xC14C0000, 0xC10C0000, 0xC14C0000, 0xC10C0000, 0xC14C0000, 0xC10BFFFC, 0xC14C0000, 0xC10C107C, 0xC14C0000,
			0xC10BEF80, 0xC14C0000, 0x4A83EF6E, nan, 0x7F800000, nan, nan,
		}},
		{Q5_K, halves, []uint32{
			0xC14C0000, 0xC10C0000, 0xC14C0000, 0xC10C0000, 0xC14C0000, 0xC10BFFF8, 0xC14C0000, 0xC10C1F78, 0xC14C0000,
			0xC10BE080, 0xC14C0000, 0x4AFBE06E, nan, 0x7F800000, nan, nan,
		}},
		{Q6_K, halves, []uint32{
			0x00000000, 0x80000000, 0x80000000, 0x00000000, 0x38D40000, 0xB6700000, 0xBDD3CB00, 0x3B6FC400, 0x3DD40000,
			0xBB700000, 0x4CD3E580, 0xCA6FE200, 0x7F800000, 0xFF800000, nan, nan,
		}},
		{IQ4_NL, halves, []uint32{
			0x00000000, 0x00000000, 0x80000000, 0x80000000, 0x35C80000, 0x33800000, 0xBAC7CE00, 0xB87FC000, 0x3AC80000,
			0x38800000, 0x49C7E700, 0x477FE000, 0x7F800000, 0x7F800000, nan, nan,
		}},
		{IQ4_XS, halves, []uint32{
			0x80000000, 0x80000000, 0x00000000, 0x00000000, 0xB3800000, 0xB5800000, 0x387FC000, 0x3A7FC000, 0xB8800000,
			0xBA800000, 0xC77FE000, 0xC97FE000, 0xFF800000, 0xFF800000, nan, nan,
		}},
		{IQ3_S, halves, []uint32{
			0x00000000, 0x00000000, 0x80000000, 0x80000000, 0x37730000, 0x37610000, 0xBC72C340, 0xBC60C7C0, 0x3C730000,
			0x3C610000, 0x4B72E1A0, 0x4B60E3E0, 0x7F800000, 0x7F800000, nan, nan,
		}},
		{IQ3_XXS, halves, []uint32{
			0x00000000, 0x80000000, 0x80000000, 0x00000000, 0x35100000, 0xB5700000, 0xBA0FDC00, 0x3A6FC400, 0x3A100000,
			0xBA700000, 0x490FEE00, 0xC96FE200, 0x7F800000, 0xFF800000, nan, nan,
		}},
		{IQ2_S, halves, []uint32{
			0x00000000, 0x00000000, 0x80000000, 0x80000000, 0x36A8C000, 0x369C4000, 0xBBA895D0, 0xBB9C18F0, 0x3BA8C000,
			0x3B9C4000, 0x4AA8AAE8, 0x4A9C2C78, 0x7F800000, 0x7F800000, nan, nan,
		}},
		{IQ2_XS, halves, []uint32{
			0x00000000, 0x80000000, 0x80000000, 0x00000000, 0x36098000, 0xB5980000, 0xBB095DA0, 0x3A97DA00, 0x3B098000,
			0xBA980000, 0x4A096ED0, 0xC997ED00, 0x7F800000, 0xFF800000, nan, nan,
		}},
		{IQ2_XXS, halves, []uint32{
			0x00000000, 0x80000000, 0x80000000, 0x00000000, 0x366C8000, 0xB6A14000, 0xBB6C44E0, 0x3BA117B0, 0x3B6C8000,
			0xBBA14000, 0x4A6C6270, 0xCAA12BD8, 0x7F800000, 0xFF800000, nan, nan,
		}},
		{IQ1_S, halves, []uint32{
			0x00000000, 0x80000000, 0x80000000, 0x00000000, 0x32C00000, 0xB48C0000, 0xB7BFD000, 0x398BDD00, 0x37C00000,
			0xB98C0000, 0x46BFE800, 0xC88BEE80, 0x7F800000, 0xFF800000, nan, nan,
		}},
		{TQ1_0, halves, []uint32{
			0x80000000, 0x80000000, 0x00000000, 0x00000000, 0xB3800000, 0xB3800000, 0x387FC000, 0x387FC000, 0xB8800000,
			0xB8800000, 0xC77FE000, 0xC77FE000, 0xFF800000, 0xFF800000, nan, nan,
		}},
		{TQ2_0, halves, []uint32{
			0x80000000, 0x80000000, 0x00000000, 0x00000000, 0xB3800000, 0xB3800000, 0x387FC000, 0x387FC000, 0xB8800000,
			0xB8800000, 0xC77FE000, 0xC77FE000, 0xFF800000, 0xFF800000, nan, nan,
		}},
		{IQ1_M, halves, []uint32{
			0x00000000, 0x80000000, 0x80000000, 0x00000000, 0x34C40000, 0xB3F00000, 0xB9C3CF00, 0x38EFC400, 0x39C40000,
			0xB8F00000, 0x48C3E780, 0xC7EFE200, 0x7F800000, 0xFF800000, nan, nan,
		}},
		{MXFP4, []uint16{0, 1, 2, 3, 127, 240, 254, 255}, []uint32{
			0x00C00000, 0x00C00000, 0x01400000, 0x01400000, 0x01C00000, 0x01C00000, 0x02400000, 0x02400000, 0x40400000,
			0x40400000, 0x78C00000, 0x78C00000, 0x7F800000, 0x7F800000, 0x7F800000, 0x7F800000,
		}},
		{NVFP4, []uint16{0, 1, 7, 8, 0x38, 0x7E, 0x7F, 0x80, 0xFF}, []uint32{
			0x00000000, 0x00000000, 0x3B800000, 0x3A800000, 0x3CE00000, 0x3BE00000, 0x3D000000, 0x3C000000, 0x40000000,
			0x3F000000, 0x44600000, 0x43600000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x44700000, 0x43700000,
		}},
	} {
		for i, scale := range tc.scales {
			block := edgeBlock(tc.kind, scale)
			weights := make([]float32, tc.kind.BlockWeights())
			require.NoError(t, Dequantize(tc.kind, block, weights))
			for j, f := range []float32{weights[1], weights[len(weights)-1]} {
				if want := tc.want[2*i+j]; want == nan {
					assert.True(t, math.IsNaN(float64(f)), "%s, scale %#x: %g", tc.kind, scale, f)
				} else {
					assert.Equal(t, want, math.Float32bits(f), "%s, scale %#x", tc.kind, scale)
				}
			}
		}
	}
}

// edgeBlock makes a block with a scale and minima of an ordinary size.
func edgeBlock(t Type, scale uint16) []byte {
	block := make([]byte, t.BlockBytes())
	for i := range block {
		block[i] = byte(i*37 + 11)
	}
	places := anyBits[t].scales
	switch t {
	case MXFP4:
		block[0] = byte(scale)
	case NVFP4:
		for i := range 4 {
			block[i] = byte(scale)
		}
	case IQ1_M:
		for i := range 4 {
			block[49+2*i] = block[49+2*i]&15 | byte(scale>>(4*i)&15)<<4
		}
	case Q4_1, Q5_1:
		binary.LittleEndian.PutUint16(block[places[1]:], 0x3C00)
	case Q2_K, Q4_K, Q5_K:
		binary.LittleEndian.PutUint16(block[places[1]:], 0x3400)
	}
	if len(places) > 0 {
		binary.LittleEndian.PutUint16(block[places[0]:], scale)
	}
	return block
}
