package quant

import (
	_ "embed"
	"math/bits"
)

// grids are the points that groups of weights of IQ types are, as 16-bit words: of eight coordinates in two bits each, or of
// four in four bits. Types' points follow one another; within each they ascend.
//
//go:embed grids.bin
var grids string

// grid is a type's share of grids.
type grid struct {
	first, points int
	bits          int    // of a coordinate
	values        string // what a coordinate's codes stand for
}

var (
	grid2XXS = grid{0, 256, 2, "\x08\x19\x2b"}
	grid2XS  = grid{256, 512, 2, "\x08\x19\x2b"}
	grid2S   = grid{768, 1024, 2, "\x08\x19\x2b"}
	grid3XXS = grid{1792, 256, 4, "\x04\x0c\x14\x1c\x24\x2c\x34\x3e"}
	grid3S   = grid{2048, 512, 4, "\x01\x03\x05\x07\x09\x0b\x0d\x0f"}
	grid1    = grid{2560, 2048, 2, "\x00\x01\x02"}
)

// point gives a point's packed coordinates.
func (g *grid) point(i int) uint16 {
	at := 2 * (g.first + i)
	return uint16(grids[at]) | uint16(grids[at+1])<<8
}

// value gives a coordinate of a point.
func (g *grid) value(i, k int) byte { return g.values[g.point(i)>>(k*g.bits)&(1<<g.bits-1)] }

// decode writes the weights of a point, scaled, those negative whose bit in signs is set.
func (g *grid) decode(scale float32, i int, signs byte, out []float32) {
	for k := range out {
		f := scale * float32(g.value(i, k))
		if signs>>k&1 == 1 {
			f = -f
		}
		out[k] = f
	}
}

// evenSigns completes seven signs by an eighth, so that their number is even.
func evenSigns(seven uint32) byte {
	seven &= 127
	return byte(seven) | byte(bits.OnesCount32(seven)&1)<<7
}

// words are the points' coordinates, four a word.
func (g *grid) words() []uint32 {
	words := make([]uint32, 0, g.points*4/g.bits)
	for i := range g.points {
		for k := 0; k < 16/g.bits; k += 4 {
			words = append(words, uint32(g.value(i, k))|uint32(g.value(i, k+1))<<8|uint32(g.value(i, k+2))<<16|uint32(g.value(i, k+3))<<24)
		}
	}
	return words
}

// pairs are the points' packed coordinates, two a word.
func (g *grid) pairs() []uint32 {
	words := make([]uint32, g.points/2)
	for i := range words {
		words[i] = uint32(g.point(2*i)) | uint32(g.point(2*i+1))<<16
	}
	return words
}
