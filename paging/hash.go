package paging

import (
	"encoding/binary"

	"quire/engine/sha256"
)

// Hash names the content of a full block: its tokens and everything before them.
type Hash [sha256.Size]byte

// Extras are what must be equal, beside the tokens, for two sequences to share cached blocks.
type Extras struct {
	Salt string // tenant, origin
	LoRA string // the weights that are added to the model's
	Long bool   // K is rotated for a long context
}

// root is the parent of a sequence's first block. Extras stand here once; the chain carries them on.
func (e Extras) root() Hash {
	if e == (Extras{}) {
		return Hash{}
	}
	var text []byte
	for _, s := range []string{e.Salt, e.LoRA} {
		text = binary.LittleEndian.AppendUint64(text, uint64(len(s)))
		text = append(text, s...)
	}
	if e.Long {
		text = append(text, 1)
	}
	return sha256.Sum256(text)
}

// chain hashes one full block of tokens after its parent; scratch is reused and returned.
func chain(parent *Hash, tokens []int32, scratch []byte) (Hash, []byte) {
	scratch = append(scratch[:0], parent[:]...)
	for _, t := range tokens {
		scratch = binary.LittleEndian.AppendUint32(scratch, uint32(t))
	}
	return sha256.Sum256(scratch), scratch
}
