package attention

import (
	"fmt"
	"math"
)

// MaskKind says what a mask may do.
type MaskKind uint8

// The kinds of mask.
const (
	NoMask       MaskKind = iota
	BooleanMask           // hides keys
	AdditiveMask          // hides keys, and adds to the scores of others
)

// maskBlock is the side of a mask's blocks, in queries and keys.
const maskBlock = 32

// Entries of a mask's map; larger ones are the place of a dense block.
const (
	maskHidden  = 0
	maskVisible = 1
)

// maskMost bounds what a mask adds, so that scores stay far from where a key counts as hidden.
const maskMost = 1e37

// Mask hides keys from queries, or adds to their scores, for the sequence it belongs to. Only blocks of 32 queries by 32
// keys that are neither all hidden nor all plainly visible hold data, and kernels pass over tiles that are all hidden.
// The zero Mask leaves all keys as they are.
type Mask struct {
	kind  MaskKind
	words []uint32 // heads, rows and columns of blocks, their map, and the dense blocks
}

// NewMask encodes a mask of kind for a sequence of the given numbers of queries and keys. heads is 1 for a mask that all
// query heads share, or their number. at gives what is added to a score, and whether the query sees the key at all; it is
// called once for each (head, query, key). An add below −1e37, minus infinity too, hides the key; one that is no number, or above
// 1e37, is an error.
func NewMask(kind MaskKind, heads, queries, keys int, at func(head, query, key int) (add float32, visible bool)) (Mask, error) {
	switch {
	case kind != BooleanMask && kind != AdditiveMask:
		return Mask{}, fmt.Errorf("attention: mask: unknown kind %d", kind)
	case heads < 1 || queries < 0 || keys < 0:
		return Mask{}, fmt.Errorf("attention: mask: %d heads of %d queries by %d keys", heads, queries, keys)
	}
	rows, columns := (queries+maskBlock-1)/maskBlock, (keys+maskBlock-1)/maskBlock
	words := make([]uint32, 3+heads*rows*columns)
	words[0], words[1], words[2] = uint32(heads), uint32(rows), uint32(columns)
	for i := range heads * rows * columns {
		entry, dense, err := maskEntry(kind, i/(rows*columns), i/columns%rows, i%columns, queries, keys, at)
		if err != nil {
			return Mask{}, err
		}
		if dense != nil {
			entry = uint32(len(words))
			words = append(words, dense...)
		}
		words[3+i] = entry
	}
	return Mask{kind, words}, nil
}

// maskEntry encodes one block. What lies past the queries or keys counts as neither.
func maskEntry(kind MaskKind, head, row, column, queries, keys int, at func(head, query, key int) (float32, bool)) (uint32, []uint32, error) {
	dense := make([]uint32, maskBlock, maskBlock+maskBlock*maskBlock)
	if kind == AdditiveMask {
		dense = dense[:cap(dense)]
	}
	some, all := false, true
	for q := range min(maskBlock, queries-row*maskBlock) {
		for k := range min(maskBlock, keys-column*maskBlock) {
			add, visible := at(head, row*maskBlock+q, column*maskBlock+k)
			if kind == AdditiveMask && visible && !(add <= maskMost) {
				return 0, nil, fmt.Errorf("attention: mask: head %d, query %d, key %d: %v cannot be added", head, row*maskBlock+q, column*maskBlock+k, add)
			}
			if !visible || kind == AdditiveMask && add < -maskMost {
				all = false
				continue
			}
			some = true
			dense[q] |= 1 << k
			if kind == AdditiveMask && add != 0 {
				all = false
				dense[maskBlock+q*maskBlock+k] = math.Float32bits(add)
			}
		}
	}
	switch {
	case !some:
		return maskHidden, nil, nil
	case all:
		return maskVisible, nil, nil
	}
	return 0, dense, nil
}
