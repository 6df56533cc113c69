package kernel

import "fmt"

// KVType is how a row of the KV cache is stored.
type KVType uint8

// The KV cache's types.
const (
	KVF32 KVType = iota // one f32 a word
	KVF16               // two f16 a word, stores clamped to ±65504
)

// String returns the type's name, as settings spell it.
func (t KVType) String() string {
	switch t {
	case KVF32:
		return "f32"
	case KVF16:
		return "f16"
	}
	return fmt.Sprintf("KVType(%d)", uint8(t))
}

// KVLayout is the form of one layer's K buffer, and of its V buffer: [block][KV head][slot][row].
type KVLayout struct {
	HeadDim   int
	KVHeads   int
	BlockSize int // slots
	Type      KVType
}

// RowWords returns the words of one row: the K or V of one token and one KV head.
func (l KVLayout) RowWords() int {
	if l.Type == KVF16 {
		return (l.HeadDim + 1) / 2
	}
	return l.HeadDim
}

// BlockWords returns the words of one block in one of the two buffers.
func (l KVLayout) BlockWords() int { return l.RowWords() * l.BlockSize * l.KVHeads }

// Bytes returns the size of one of the two buffers with the given number of blocks, the null block included.
func (l KVLayout) Bytes(blocks int) uint64 { return 4 * uint64(l.BlockWords()) * uint64(blocks) }

// Check returns an error that names the field that no kernel can serve.
func (l KVLayout) Check() error {
	switch {
	case l.HeadDim < 1:
		return fmt.Errorf("kernel: KV layout: head dim %d must be positive", l.HeadDim)
	case l.KVHeads < 1:
		return fmt.Errorf("kernel: KV layout: %d KV heads: at least one is needed", l.KVHeads)
	case l.BlockSize < 1:
		return fmt.Errorf("kernel: KV layout: block size %d must be positive", l.BlockSize)
	case l.Type > KVF16:
		return fmt.Errorf("kernel: KV layout: unknown type %v", l.Type)
	}
	return nil
}
