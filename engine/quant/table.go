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

// row is all that is known of a type. A block's weights and bytes are the file's. decode and encode convert one block, or
// of plain types, whose blocks are single weights, any number; encode says whether the block's scales hold the weights.
// Where one is nil the type is not converted that way, and without planes no kernel reads it.
type row struct {
	name           string
	weights, bytes int
	decode         func(in []byte, out []float32)
	encode         func(in []float32, out []byte) bool
	planes         Planes
}

var table = map[Type]row{
	F32:  {"F32", 1, 4, decodeF32, encodeF32, Planes{32, 0, 32}},
	F16:  {"F16", 1, 2, decodeF16, encodeF16, Planes{16, 0, 32}},
	BF16: {"BF16", 1, 2, decodeBF16, encodeBF16, Planes{16, 0, 32}},
	Q8_0: {"Q8_0", 32, 34, decodeQ8_0, encodeQ8_0, Planes{8, 1, 64}},
	Q4_0: {"Q4_0", 32, 18, decodeQ4_0, encodeQ4_0, Planes{4, 1, 64}},
	Q4_1: {"Q4_1", 32, 20, decodeQ4_1, encodeQ4_1, Planes{4, 1, 32}},
	Q5_1: {"Q5_1", 32, 24, decodeQ5_1, encodeQ5_1, Planes{5, 1, 32}},
	Q5_0: {"Q5_0", 32, 22, decodeQ5_0, encodeQ5_0, Planes{5, 1, 64}},
	Q4_K: {"Q4_K", 256, 144, decodeQ4_K, encodeQ4_K, Planes{4, 5, 256}},
	Q5_K: {"Q5_K", 256, 176, decodeQ5_K, encodeQ5_K, Planes{5, 5, 256}},
	Q6_K: {"Q6_K", 256, 210, decodeQ6_K, encodeQ6_K, Planes{6, 5, 256}},

	Q8_1:    {name: "Q8_1", weights: 32, bytes: 36},
	Q2_K:    {name: "Q2_K", weights: 256, bytes: 84, decode: decodeQ2_K},
	Q3_K:    {name: "Q3_K", weights: 256, bytes: 110, decode: decodeQ3_K},
	Q8_K:    {name: "Q8_K", weights: 256, bytes: 292},
	IQ1_S:   {name: "IQ1_S", weights: 256, bytes: 50, decode: decodeIQ1_S},
	IQ1_M:   {name: "IQ1_M", weights: 256, bytes: 56, decode: decodeIQ1_M},
	IQ2_XXS: {name: "IQ2_XXS", weights: 256, bytes: 66, decode: decodeIQ2_XXS},
	IQ2_XS:  {name: "IQ2_XS", weights: 256, bytes: 74, decode: decodeIQ2_XS},
	IQ2_S:   {name: "IQ2_S", weights: 256, bytes: 82, decode: decodeIQ2_S},
	IQ3_XXS: {name: "IQ3_XXS", weights: 256, bytes: 98, decode: decodeIQ3_XXS},
	IQ3_S:   {name: "IQ3_S", weights: 256, bytes: 110, decode: decodeIQ3_S},
	IQ4_XS:  {name: "IQ4_XS", weights: 256, bytes: 136, decode: decodeIQ4_XS},
	IQ4_NL:  {name: "IQ4_NL", weights: 32, bytes: 18, decode: decodeIQ4_NL},
	TQ1_0:   {name: "TQ1_0", weights: 256, bytes: 54, decode: decodeTQ1_0},
	TQ2_0:   {name: "TQ2_0", weights: 256, bytes: 66, decode: decodeTQ2_0},
	MXFP4:   {name: "MXFP4", weights: 32, bytes: 17, decode: decodeMXFP4},
	NVFP4:   {name: "NVFP4", weights: 64, bytes: 36, decode: decodeNVFP4},
	Q1_0:    {name: "Q1_0", weights: 128, bytes: 18},
	I8:      {name: "I8", weights: 1, bytes: 1},
	I16:     {name: "I16", weights: 1, bytes: 2},
	I32:     {name: "I32", weights: 1, bytes: 4},
	I64:     {name: "I64", weights: 1, bytes: 8},
	F64:     {name: "F64", weights: 1, bytes: 8},
	Q2_0:    {name: "Q2_0"}, // files in the wild have two layouts
}
