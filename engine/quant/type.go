// Package quant knows the tensor types: how weights stand in a GGUF file, what they are as floats, and what kernels read of
// them. A type is a row in table.go, a file with its conversions, and shaders/lib/dequant_NAME.wgsl.
package quant

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrUnsupportedType is wrapped by errors about a tensor type that cannot be converted or computed with.
var ErrUnsupportedType = errors.New("unsupported tensor type")

// Type is a tensor's element type, by ggml's number.
type Type uint32

// Planes says how a type's rows stand on the GPU, where they are cut into 32 weights: codes of all rows, then the type's
// table and scales of all rows.
type Planes struct {
	CodeWords  int // u32 words of codes for CodeSpan weights
	CodeSpan   int // 32, or what a block of the file has
	ScaleWords int // u32 words of scales and minima for ScaleSpan weights
	ScaleSpan  int // a multiple of 32; a row's last span may be cut short
}

// Known says whether the type's layout in a file is known.
func (t Type) Known() bool { return t.row().weights != 0 }

// Runs says whether kernels read the type.
func (t Type) Runs() bool { return t.row().planes.CodeWords != 0 }

// Quantizes says whether Quantize makes the type.
func (t Type) Quantizes() bool { return encoders[t] != nil }

// Planes is the type's layout on the GPU, zero where no kernel reads it.
func (t Type) Planes() Planes { return t.row().planes }

// Table gives the words that stand before the scales, in which kernels look codes up; most types have none.
func (t Type) Table() []uint32 {
	if words := t.row().table; words != nil {
		return words()
	}
	return nil
}

// BlockWeights is the number of weights in a block of the file, 1 for plain types and 0 for unknown ones.
func (t Type) BlockWeights() int { return t.row().weights }

// BlockBytes is the size of a block of the file in bytes, 0 for unknown types.
func (t Type) BlockBytes() int { return t.row().bytes }

// RowBytes is the size in a file of n weights in bytes, or -1 where the type is unknown, n is no multiple of its block, or
// the size does not fit.
func (t Type) RowBytes(n uint64) int64 {
	l := t.row()
	if l.weights == 0 || n%uint64(l.weights) != 0 {
		return -1
	}
	blocks := n / uint64(l.weights)
	if blocks > math.MaxInt64/uint64(l.bytes) {
		return -1
	}
	return int64(blocks) * int64(l.bytes)
}

// String is the type's name in ggml, or its number where that is unknown.
func (t Type) String() string {
	if name := t.row().name; name != "" {
		return name
	}
	return strconv.FormatUint(uint64(t), 10)
}

// Parse gives the type of a name such as "q4_0", in either case.
func Parse(name string) (Type, error) {
	for t, l := range table {
		if name != "" && strings.EqualFold(l.name, name) {
			return Type(t), nil
		}
	}
	return 0, fmt.Errorf("%w %q", ErrUnsupportedType, name)
}

// All lists the types that have a name, by number.
func All() []Type {
	var all []Type
	for t, l := range table {
		if l.name != "" {
			all = append(all, Type(t))
		}
	}
	return all
}
