package attention

import (
	"testing"

	"quire/engine/kernel"
)

// BenchmarkTurns counts the loops of the longest kernel text.
func BenchmarkTurns(b *testing.B) {
	p := Params{HeadDim: 64, Heads: 32, KVHeads: 8, BlockSize: 16, KVType: kernel.KVF16, QStride: 3072, OutStride: 2048, Scale: 1}
	for range b.N {
		s := p.matrixSpec(matrixTiles[0], 32, false)
		if _, err := s.Turns(); err != nil {
			b.Fatal(err)
		}
	}
}
