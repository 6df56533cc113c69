package sha256

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

// TestDigest: what is written in any pieces has the standard library's sum, at every length around the ends of blocks.
func TestDigest(t *testing.T) {
	data := make([]byte, 3*blockSize)
	for n := range data {
		data[n] = byte(7 * n)
		d := newDigest()
		d.Write(data[:n])
		want := sha256.Sum256(data[:n])
		assert.Equal(t, want[:], d.Sum(nil), n)
		assert.Equal(t, want, Sum256(data[:n]), n)
	}
	rapid.Check(t, func(t *rapid.T) {
		d, standard := newDigest(), sha256.New()
		for range rapid.IntRange(0, 6).Draw(t, "pieces") {
			piece := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "piece")
			d.Write(piece)
			standard.Write(piece)
			assert.Equal(t, standard.Sum([]byte{1}), d.Sum([]byte{1}))
		}
		d.Reset()
		assert.Equal(t, sha256.New().Sum(nil), d.Sum(nil))
	})
}
