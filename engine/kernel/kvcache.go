package kernel

import (
	"fmt"
	"slices"
	"strings"
)

// KVType is how a row of the KV cache is stored.
type KVType uint8

// The KV cache's types.
const (
	KVF32  KVType = iota // one f32 a word
	KVF16                // two f16 a word, stores clamped to ±65504
	KVBF16               // two bfloat16 a word, rounded to nearest, ties to even
	KVQ8                 // four bytes of q+128 a word, and a last word whose low half is the row's f16 scale: x = q·scale
)

var kvNames = []string{"f32", "f16", "bf16", "q8"} // by KVType

// KVTypes lists the types' names.
func KVTypes() []string { return slices.Clone(kvNames) }

// String returns the type's name, as settings spell it.
func (t KVType) String() string {
	if int(t) < len(kvNames) {
		return kvNames[t]
	}
	return fmt.Sprintf("KVType(%d)", uint8(t))
}

// ParseKVType returns the type of a name, or an error that lists the names.
func ParseKVType(name string) (KVType, error) {
	i := slices.Index(kvNames, name)
	if i < 0 {
		return 0, fmt.Errorf("KV cache type %q: must be one of %s", name, strings.Join(kvNames, ", "))
	}
	return KVType(i), nil
}

// KVLayout is the form of one layer's K buffer, and of its V buffer: [block][KV head][slot][row].
type KVLayout struct {
	HeadDim   int
	KVHeads   int
	BlockSize int // slots
	Type      KVType
	Pad       int // words between two blocks, where layers that share the buffer have larger ones
}

// RowWords returns the words of one row: the K or V of one token and one KV head.
func (l KVLayout) RowWords() int {
	switch l.Type {
	case KVF16, KVBF16:
		return (l.HeadDim + 1) / 2
	case KVQ8:
		return (l.HeadDim+3)/4 + 1
	}
	return l.HeadDim
}

// BlockWords returns the words of one block in one of the two buffers.
func (l KVLayout) BlockWords() int { return l.RowWords() * l.BlockSize * l.KVHeads }

// Bytes returns the size of one of the two buffers with the given number of blocks, the null block included.
func (l KVLayout) Bytes(blocks int) uint64 { return 4 * uint64(l.BlockWords()+l.Pad) * uint64(blocks) }

// Check returns an error that names the field that no kernel can serve.
func (l KVLayout) Check() error {
	switch {
	case l.HeadDim < 1:
		return fmt.Errorf("kernel: KV layout: head dim %d must be positive", l.HeadDim)
	case l.KVHeads < 1:
		return fmt.Errorf("kernel: KV layout: %d KV heads: at least one is needed", l.KVHeads)
	case l.BlockSize < 1:
		return fmt.Errorf("kernel: KV layout: block size %d must be positive", l.BlockSize)
	case l.Pad < 0:
		return fmt.Errorf("kernel: KV layout: pad %d is negative", l.Pad)
	case int(l.Type) >= len(kvNames):
		return fmt.Errorf("kernel: KV layout: unknown type %v", l.Type)
	}
	return nil
}
