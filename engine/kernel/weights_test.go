package kernel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/quant"
	"quire/tests/testdata"
)

// readWeights reads a matrix back as kernels read it, in one of the forms of a type's library.
func (r *rig) readWeights(m *Matrix, form string) []float32 {
	s := Spec{
		File: "read_weights", Variant: "baseline", Slots: weightSlots(m.Type, false),
		Bindings: []gpu.Binding{gpu.ReadWrite, gpu.ReadOnly, gpu.ReadOnly},
	}
	s.Slots["form"] = "form_" + form
	if form == "f16" {
		s.Needs = gpu.FeatureF16
	}
	var all []float32
	for _, p := range m.Pieces {
		s.Consts = []Const{{"STRIPS", m.strips()}, {"N", p.Rows}}
		module, err := Module(r.dev, s)
		require.NoError(r, err)
		k := r.dev.Kernel(module)
		require.NoError(r, k.Wait(context.Background()))
		width := RowStride(m.Cols)
		out, err := r.dev.NewBuffer("floats", uint64(4*p.Rows*width), gpu.Storage)
		require.NoError(r, err)
		bind, err := r.dev.Bind(k, out.All(), p.codes, p.scales)
		require.NoError(r, err)
		r.submit(func(rec *gpu.Recorder) { rec.Dispatch(k, bind, uint32(ceilDiv(m.strips()*4, 64)), uint32(p.Rows), 1) })
		floats := r.read(out)
		out.Release()
		for row := range p.Rows {
			all = append(all, floats[row*width:][:m.Cols]...)
		}
	}
	return all
}

// halfScales says where a type's blocks have scales in f16.
var halfScales = map[quant.Type][]int{
	quant.Q8_0: {0}, quant.Q4_0: {0}, quant.Q4_1: {0, 2}, quant.Q5_0: {0}, quant.Q5_1: {0, 2}, quant.Q4_K: {0, 2}, quant.Q5_K: {0, 2}, quant.Q6_K: {208},
	quant.Q2_K: {80, 82}, quant.Q3_K: {108}, quant.IQ4_NL: {0}, quant.IQ4_XS: {0}, quant.MXFP4: nil, quant.NVFP4: nil, quant.IQ3_S: {0}, quant.IQ3_XXS: {0}, quant.IQ2_S: {0},
	quant.IQ2_XS: {0}, quant.IQ2_XXS: {0}, quant.IQ1_S: {0}, quant.IQ1_M: nil, quant.TQ1_0: {52}, quant.TQ2_0: {64},
}

// anyBlocks makes rows of blocks of any bits, with scales of any finite f16; of MXFP4's those that products may have. What has none are random weights.
func (r *rig) anyBlocks(t quant.Type, rows, cols int) (raw []byte, w []float32) {
	at, ok := halfScales[t]
	if !ok {
		require.Equal(r, 1, t.BlockWeights(), "%s: where are its scales?", t)
		return r.weights(t, rows, cols)
	}
	raw, w = make([]byte, rows*int(t.RowBytes(uint64(cols)))), make([]float32, rows*cols)
	for i := range raw {
		raw[i] = byte(r.rng.Uint32())
	}
	extremes := []uint16{0, 0x8000, 1, 0x8001, 0x03FF, 0x0400, 0x7BFF, 0xFBFF}
	for b := 0; b < len(raw); b += t.BlockBytes() {
		for _, place := range at {
			h := uint16(r.rng.Uint32())
			if h&0x7C00 == 0x7C00 || r.rng.IntN(4) == 0 {
				h = extremes[r.rng.IntN(len(extremes))]
			}
			binary.LittleEndian.PutUint16(raw[b+place:], h)
		}
		switch t {
		case quant.MXFP4:
			raw[b] = 96 + raw[b]%64
		case quant.IQ1_M: // its scale's upper bits
			raw[b+55] &^= 0x40
		}
	}
	require.NoError(r, quant.Dequantize(t, raw, w))
	return raw, w
}

func bitsOf(w []float32) []uint32 {
	bits := make([]uint32, len(w))
	for i, f := range w {
		bits[i] = math.Float32bits(f)
	}
	return bits
}

// Whatever the bits of its blocks, and wherever rows begin, kernels read of a type what the CPU does: as f32 bit for bit.
func TestWeights(t *testing.T) {
	for _, typ := range runningTypes() {
		cols := 3 * typ.BlockWeights()
		if cols == 3 {
			cols = 41
		}
		const rows = 13
		for _, split := range []uint64{0, r8(typ, cols)} {
			t.Run(fmt.Sprintf("%s/%d", typ, split), func(t *testing.T) {
				r := newRig(t)
				raw, w := r.anyBlocks(typ, rows, cols)
				m := r.matrix(typ, rows, cols, raw, split)
				require.Len(t, m.Pieces, 1+int(min(split, 1)))
				assert.Equal(t, bitsOf(w), bitsOf(r.readWeights(m, "f32")))
				if split != 0 {
					return
				}
				if typ.BlockWeights() > 1 {
					assert.Equal(t, widen(w), widen(r.readWeights(m, "codes")), "as integers")
				}
				if !r.dev.Features().Has(gpu.FeatureF16) {
					return
				}
				for i, got := range r.readWeights(m, "f16") {
					// Adapters round to f16 as they like.
					want := min(max(float64(w[i]), -65504), 65504)
					require.InDelta(t, want, got, math.Abs(want)/1024+1.0/(1<<23), "weight %d as f16", i)
				}
			})
		}
	}
}

// Scales of any eight bits are what the CPU makes of them; where f32 has one only as a subnormal it may be 0, as on many GPUs.
func TestByteScales(t *testing.T) {
	for _, typ := range []quant.Type{quant.MXFP4, quant.NVFP4} {
		t.Run(typ.String(), func(t *testing.T) {
			r := newRig(t)
			scales := typ.BlockBytes() % 16 // a byte for 16 or 32 weights, then nibbles
			raw, w := make([]byte, 256*typ.BlockBytes()), make([]float32, 256*typ.BlockWeights())
			for i := range 256 {
				block := raw[i*typ.BlockBytes():][:typ.BlockBytes()]
				for at := range block {
					block[at] = byte(at * 29)
					if at < scales {
						block[at] = byte(i)
					}
				}
			}
			require.NoError(t, quant.Dequantize(typ, raw, w))
			const rows = 8
			for i, got := range r.readWeights(r.matrix(typ, rows, len(w)/rows, raw, 0), "f32") {
				if got != 0 || math.Abs(float64(w[i])) > 12*0x1p-127 {
					require.Equal(t, math.Float32bits(w[i]), math.Float32bits(got), "weight %d: %g, want %g", i, got, w[i])
				}
			}
		})
	}
}

// A matrix in NVFP4 may be scaled as a whole, in all its pieces.
func TestScaledMatrix(t *testing.T) {
	r := newRig(t)
	raw, w := r.weights(quant.NVFP4, 20, 128)
	m := r.matrix(quant.NVFP4, 20, 128, raw, r8(quant.NVFP4, 128))
	p, err := NewRepacker(r.dev)
	require.NoError(t, err)
	defer p.Release()
	require.NoError(t, p.Scale(m, r.rows("factor", []float32{-0.375}, 1, 1, 0).All()))
	for i := range w {
		w[i] *= -0.375
	}
	assert.Equal(t, widen(w), widen(r.readWeights(m, "f32")))
}

// Tensors of llama.cpp's quantizer, through repacking, are bit for bit what gguf-py and ggml dequantize. The first file is in
// the project.
func TestWeightsOfFiles(t *testing.T) {
	for _, name := range []string{"quant-q4_k_m", "quant-q5_0", "quant-q3_k_l", "quant-q4_0", "quant-q4_1", "quant-q8_0", "quant-iq4_nl",
		"quant-nvfp4", "quant-iq3_xxs", "quant-iq2_s", "quant-iq2_xxs", "quant-iq1_s", "quant-tq1_0"} {
		t.Run(name, func(t *testing.T) {
			var golden struct {
				Tensors map[string]struct{ SHA256 string } `json:"dequantized_sha256"`
			}
			require.NoError(t, json.Unmarshal(testdata.Bytes(t, "families/"+name+".json"), &golden))
			src, size := testdata.Open(t, "families/"+name+".gguf")
			defer src.Close()
			f, err := gguf.Read(src, size)
			require.NoError(t, err)
			for tensor, want := range golden.Tensors {
				info, ok := f.Tensor(tensor)
				require.True(t, ok, tensor)
				if !info.Type.Runs() {
					continue
				}
				raw, err := io.ReadAll(io.NewSectionReader(src, info.Offset, info.Bytes))
				require.NoError(t, err)
				r := newRig(t)
				w := r.readWeights(r.matrix(info.Type, int(info.Shape[1]), int(info.Shape[0]), raw, 0), "f32")
				var data bytes.Buffer
				require.NoError(t, binary.Write(&data, binary.LittleEndian, w))
				hash := sha256.Sum256(data.Bytes())
				assert.Equal(t, want.SHA256, hex.EncodeToString(hash[:]), "%s, %s", tensor, info.Type)
			}
		})
	}
}
