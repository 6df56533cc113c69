package gguf

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Type is a tensor's element type, by ggml's number.
type Type uint32

// The tensor types. The gaps are types that ggml has removed. Q2_0 has a name and no layout: files in the wild have two.
const (
	F32     Type = 0
	F16     Type = 1
	Q4_0    Type = 2
	Q4_1    Type = 3
	Q5_0    Type = 6
	Q5_1    Type = 7
	Q8_0    Type = 8
	Q8_1    Type = 9
	Q2_K    Type = 10
	Q3_K    Type = 11
	Q4_K    Type = 12
	Q5_K    Type = 13
	Q6_K    Type = 14
	Q8_K    Type = 15
	IQ2_XXS Type = 16
	IQ2_XS  Type = 17
	IQ3_XXS Type = 18
	IQ1_S   Type = 19
	IQ4_NL  Type = 20
	IQ3_S   Type = 21
	IQ2_S   Type = 22
	IQ4_XS  Type = 23
	I8      Type = 24
	I16     Type = 25
	I32     Type = 26
	I64     Type = 27
	F64     Type = 28
	IQ1_M   Type = 29
	BF16    Type = 30
	TQ1_0   Type = 34
	TQ2_0   Type = 35
	MXFP4   Type = 39
	NVFP4   Type = 40
	Q1_0    Type = 41
	Q2_0    Type = 42
)

type layout struct {
	name       string
	blockSize  int
	blockBytes int
}

var layouts = map[Type]layout{
	F32: {"F32", 1, 4}, F16: {"F16", 1, 2}, BF16: {"BF16", 1, 2}, F64: {"F64", 1, 8},
	I8: {"I8", 1, 1}, I16: {"I16", 1, 2}, I32: {"I32", 1, 4}, I64: {"I64", 1, 8},
	Q4_0: {"Q4_0", 32, 18}, Q4_1: {"Q4_1", 32, 20}, Q5_0: {"Q5_0", 32, 22}, Q5_1: {"Q5_1", 32, 24},
	Q8_0: {"Q8_0", 32, 34}, Q8_1: {"Q8_1", 32, 36},
	Q2_K: {"Q2_K", 256, 84}, Q3_K: {"Q3_K", 256, 110}, Q4_K: {"Q4_K", 256, 144},
	Q5_K: {"Q5_K", 256, 176}, Q6_K: {"Q6_K", 256, 210}, Q8_K: {"Q8_K", 256, 292},
	IQ1_S: {"IQ1_S", 256, 50}, IQ1_M: {"IQ1_M", 256, 56}, IQ2_XXS: {"IQ2_XXS", 256, 66},
	IQ2_XS: {"IQ2_XS", 256, 74}, IQ2_S: {"IQ2_S", 256, 82}, IQ3_XXS: {"IQ3_XXS", 256, 98},
	IQ3_S: {"IQ3_S", 256, 110}, IQ4_XS: {"IQ4_XS", 256, 136}, IQ4_NL: {"IQ4_NL", 32, 18},
	TQ1_0: {"TQ1_0", 256, 54}, TQ2_0: {"TQ2_0", 256, 66}, MXFP4: {"MXFP4", 32, 17},
	NVFP4: {"NVFP4", 64, 36}, Q1_0: {"Q1_0", 128, 18}, Q2_0: {"Q2_0", 0, 0},
}

// Known says whether the type's layout is known.
func (t Type) Known() bool { return layouts[t].blockSize != 0 }

// BlockSize is the number of weights in a block, 1 for plain types and 0 for unknown ones.
func (t Type) BlockSize() int { return layouts[t].blockSize }

// BlockBytes is the size of a block in bytes, 0 for unknown types.
func (t Type) BlockBytes() int { return layouts[t].blockBytes }

// RowBytes is the size in bytes of n weights, or -1 where the type is unknown, n is no multiple of
// its block size, or the size does not fit.
func (t Type) RowBytes(n uint64) int64 {
	l := layouts[t]
	if l.blockSize == 0 || n%uint64(l.blockSize) != 0 {
		return -1
	}
	blocks := n / uint64(l.blockSize)
	if blocks > math.MaxInt64/uint64(l.blockBytes) {
		return -1
	}
	return int64(blocks) * int64(l.blockBytes)
}

// String is the type's name in ggml, or its number where that is unknown.
func (t Type) String() string {
	if l, ok := layouts[t]; ok {
		return l.name
	}
	return strconv.FormatUint(uint64(t), 10)
}

// ParseType gives the type of a name such as "q4_0", in either case.
func ParseType(name string) (Type, error) {
	for t, l := range layouts {
		if strings.EqualFold(l.name, name) {
			return t, nil
		}
	}
	return 0, fmt.Errorf("gguf: %w %q", ErrUnsupportedType, name)
}
