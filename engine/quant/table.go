package quant

// The tensor types by ggml's numbers. The gaps are types that ggml has removed.
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

// row is how a type lies in a file and on the GPU. A block's weights and bytes are the file's. Without planes no kernel reads
// the type. table makes the words that kernels look codes up in.
type row struct {
	name           string
	weights, bytes int
	planes         Planes
	table          func() []uint32
}

// table is an array: a map's literal would be code, of which the tab has more to load.
var table = [...]row{
	F32:  {"F32", 1, 4, Planes{32, 32, 0, 32}, nil},
	F16:  {"F16", 1, 2, Planes{16, 32, 0, 32}, nil},
	BF16: {"BF16", 1, 2, Planes{16, 32, 0, 32}, nil},
	Q8_0: {"Q8_0", 32, 34, Planes{8, 32, 1, 64}, nil},
	Q4_0: {"Q4_0", 32, 18, Planes{4, 32, 1, 64}, nil},
	Q4_1: {"Q4_1", 32, 20, Planes{4, 32, 1, 32}, nil},
	Q5_1: {"Q5_1", 32, 24, Planes{5, 32, 1, 32}, nil},
	Q5_0: {"Q5_0", 32, 22, Planes{5, 32, 1, 64}, nil},
	Q2_K: {"Q2_K", 256, 84, Planes{2, 32, 5, 256}, nil},
	Q3_K: {"Q3_K", 256, 110, Planes{3, 32, 5, 256}, nil},
	Q4_K: {"Q4_K", 256, 144, Planes{4, 32, 5, 256}, nil},
	Q5_K: {"Q5_K", 256, 176, Planes{5, 32, 5, 256}, nil},
	Q6_K: {"Q6_K", 256, 210, Planes{6, 32, 8, 256}, nil},

	IQ4_NL:  {"IQ4_NL", 32, 18, Planes{4, 32, 1, 64}, nonlinear.words},
	IQ4_XS:  {"IQ4_XS", 256, 136, Planes{4, 32, 4, 256}, nonlinear.words},
	MXFP4:   {"MXFP4", 32, 17, Planes{4, 32, 1, 128}, nil},
	NVFP4:   {"NVFP4", 64, 36, Planes{4, 32, 1, 64}, factor},
	IQ3_S:   {"IQ3_S", 256, 110, Planes{3, 32, 4, 256}, grid3S.words},
	IQ3_XXS: {"IQ3_XXS", 256, 98, Planes{3, 32, 1, 256}, grid3XXS.words},
	IQ2_S:   {"IQ2_S", 256, 82, Planes{2, 32, 5, 256}, grid2S.words},
	IQ2_XS:  {"IQ2_XS", 256, 74, Planes{2, 32, 3, 256}, grid2XS.words},
	IQ2_XXS: {"IQ2_XXS", 256, 66, Planes{2, 32, 1, 256}, grid2XXS.words},
	IQ1_S:   {"IQ1_S", 256, 50, Planes{1, 32, 5, 256}, grid1.pairs},
	IQ1_M:   {"IQ1_M", 256, 56, Planes{1, 32, 7, 256}, grid1.pairs},
	TQ1_0:   {"TQ1_0", 256, 54, Planes{13, 256, 1, 256}, nil},
	TQ2_0:   {"TQ2_0", 256, 66, Planes{2, 32, 1, 256}, nil},

	Q8_1: {name: "Q8_1", weights: 32, bytes: 36},
	Q8_K: {name: "Q8_K", weights: 256, bytes: 292},
	Q1_0: {name: "Q1_0", weights: 128, bytes: 18},
	I8:   {name: "I8", weights: 1, bytes: 1},
	I16:  {name: "I16", weights: 1, bytes: 2},
	I32:  {name: "I32", weights: 1, bytes: 4},
	I64:  {name: "I64", weights: 1, bytes: 8},
	F64:  {name: "F64", weights: 1, bytes: 8},
	Q2_0: {name: "Q2_0"}, // files in the wild have two layouts
}

// row is a type's, which has no name where the type is unknown.
func (t Type) row() row {
	if uint64(t) >= uint64(len(table)) {
		return row{}
	}
	return table[t]
}

// decoders turn a block to floats, or of plain types, whose blocks are single weights, any number. They stand apart from the table: what
// never asks for them is linked without.
var decoders = [...]func(in []byte, out []float32){
	F32:     decodeF32,
	F16:     decodeF16,
	BF16:    decodeBF16,
	Q8_0:    decodeQ8_0,
	Q4_0:    decodeQ4_0,
	Q4_1:    decodeQ4_1,
	Q5_1:    decodeQ5_1,
	Q5_0:    decodeQ5_0,
	Q2_K:    decodeQ2_K,
	Q3_K:    decodeQ3_K,
	Q4_K:    decodeQ4_K,
	Q5_K:    decodeQ5_K,
	Q6_K:    decodeQ6_K,
	IQ4_NL:  decodeIQ4_NL,
	IQ4_XS:  decodeIQ4_XS,
	MXFP4:   decodeMXFP4,
	NVFP4:   decodeNVFP4,
	IQ3_S:   decodeIQ3_S,
	IQ3_XXS: decodeIQ3_XXS,
	IQ2_S:   decodeIQ2_S,
	IQ2_XS:  decodeIQ2_XS,
	IQ2_XXS: decodeIQ2_XXS,
	IQ1_S:   decodeIQ1_S,
	IQ1_M:   decodeIQ1_M,
	TQ1_0:   decodeTQ1_0,
	TQ2_0:   decodeTQ2_0,
}

// decoder is a type's, or nil.
func decoder(t Type) func(in []byte, out []float32) {
	if uint64(t) >= uint64(len(decoders)) {
		return nil
	}
	return decoders[t]
}

// encoders turn floats to a block, and say whether its scales hold them; the tab is linked without.
var encoders = map[Type]func(in []float32, out []byte) bool{
	F32:  encodeF32,
	F16:  encodeF16,
	BF16: encodeBF16,
	Q8_0: encodeQ8_0,
	Q4_0: encodeQ4_0,
	Q4_1: encodeQ4_1,
	Q5_1: encodeQ5_1,
	Q5_0: encodeQ5_0,
	Q4_K: encodeQ4_K,
	Q5_K: encodeQ5_K,
	Q6_K: encodeQ6_K,
}
