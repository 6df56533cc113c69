package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Dequantize turns the blocks in src into len(dst) weights. It knows F32, F16, BF16, Q8_0, Q4_0 and
// Q4_1; another type gives ErrUnsupportedType.
func Dequantize(t Type, src []byte, dst []float32) error {
	if err := checkLengths(t, len(dst), len(src)); err != nil {
		return err
	}
	le := binary.LittleEndian
	switch t {
	case F32:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(src[4*i:]))
		}
	case F16:
		for i := range dst {
			dst[i] = F16ToF32(le.Uint16(src[2*i:]))
		}
	case BF16:
		for i := range dst {
			dst[i] = BF16ToF32(le.Uint16(src[2*i:]))
		}
	case Q8_0:
		for b := range len(dst) / 32 {
			block, out := src[34*b:34*b+34], dst[32*b:32*b+32]
			d := F16ToF32(le.Uint16(block))
			for i := range out {
				out[i] = d * float32(int8(block[2+i]))
			}
		}
	case Q4_0:
		for b := range len(dst) / 32 {
			block, out := src[18*b:18*b+18], dst[32*b:32*b+32]
			d := F16ToF32(le.Uint16(block))
			for i, q := range block[2:] {
				out[i] = d * float32(int(q&15)-8)
				out[i+16] = d * float32(int(q>>4)-8)
			}
		}
	case Q4_1:
		for b := range len(dst) / 32 {
			block, out := src[20*b:20*b+20], dst[32*b:32*b+32]
			d, m := F16ToF32(le.Uint16(block)), F16ToF32(le.Uint16(block[2:]))
			for i, q := range block[4:] {
				out[i] = float32(d*float32(q&15)) + m
				out[i+16] = float32(d*float32(q>>4)) + m
			}
		}
	}
	return nil
}

// Quantize turns weights into blocks as ggml's reference quantizers do: per block of 32, Q8_0 scales
// by the largest magnitude over 127, Q4_0 maps the value of largest magnitude to -8, and Q4_1 spans
// minimum to maximum in 15 steps. A block whose scale does not fit f16 is an error.
func Quantize(t Type, src []float32, dst []byte) error {
	if err := checkLengths(t, len(src), len(dst)); err != nil {
		return err
	}
	le := binary.LittleEndian
	switch t {
	case F32:
		for i, f := range src {
			le.PutUint32(dst[4*i:], math.Float32bits(f))
		}
		return nil
	case F16:
		for i, f := range src {
			le.PutUint16(dst[2*i:], F32ToF16(f))
		}
		return nil
	case BF16:
		for i, f := range src {
			le.PutUint16(dst[2*i:], F32ToBF16(f))
		}
		return nil
	}
	quantize := quantizers[t]
	for b := range len(src) / 32 {
		in, size := src[32*b:32*b+32], t.BlockBytes()
		low, high := in[0], in[0]
		for _, f := range in {
			low, high = min(low, f), max(high, f) // NaN stays
		}
		if !quantize(in, low, high, dst[size*b:size*(b+1)]) {
			return fmt.Errorf("gguf: quantize to %s: weights %d to %d are not finite or too large for an f16 scale", t, 32*b, 32*b+31)
		}
	}
	return nil
}

// quantizers write one block from 32 weights and their range; false says that a scale does not fit f16.
var quantizers = map[Type]func(in []float32, low, high float32, out []byte) bool{
	Q8_0: quantizeQ8_0, Q4_0: quantizeQ4_0, Q4_1: quantizeQ4_1,
}

func quantizeQ8_0(in []float32, low, high float32, out []byte) bool {
	d := max(-low, high) / 127
	if !putScale(out, d) {
		return false
	}
	inv := inverse(d)
	for i, f := range in {
		out[2+i] = byte(int8(math.Round(float64(f * inv))))
	}
	return true
}

func quantizeQ4_0(in []float32, low, high float32, out []byte) bool {
	// Of two extremes of equal magnitude ggml takes the first in the block.
	extreme := float32(0)
	for _, f := range in {
		if max(f, -f) > max(extreme, -extreme) {
			extreme = f
		}
	}
	d := extreme / -8
	if !putScale(out, d) || !finite(low) || !finite(high) {
		return false
	}
	inv := inverse(d)
	nibble := func(f float32) byte { return byte(min(15, int(float32(f*inv)+8.5))) }
	for i := range 16 {
		out[2+i] = nibble(in[i]) | nibble(in[i+16])<<4
	}
	return true
}

func quantizeQ4_1(in []float32, low, high float32, out []byte) bool {
	d := (high - low) / 15
	if !putScale(out, d) || !putScale(out[2:], low) {
		return false
	}
	inv := inverse(d)
	nibble := func(f float32) byte { return byte(min(15, int(float32((f-low)*inv)+0.5))) }
	for i := range 16 {
		out[4+i] = nibble(in[i]) | nibble(in[i+16])<<4
	}
	return true
}

func inverse(d float32) float32 {
	if inv := 1 / d; d != 0 && finite(inv) {
		return inv
	}
	return 0
}

func finite(f float32) bool { return f-f == 0 }

// putScale writes an f16 and says whether it is finite.
func putScale(out []byte, f float32) bool {
	h := F32ToF16(f)
	binary.LittleEndian.PutUint16(out, h)
	return h&0x7C00 != 0x7C00
}

func checkLengths(t Type, weights, bytes int) error {
	switch t {
	case F32, F16, BF16, Q8_0, Q4_0, Q4_1:
	default:
		return fmt.Errorf("gguf: convert type %s: %w", t, ErrUnsupportedType)
	}
	if want := t.RowBytes(uint64(weights)); want != int64(bytes) {
		return fmt.Errorf("gguf: convert type %s: %d weights do not match %d bytes (blocks of %d weights in %d bytes)",
			t, weights, bytes, t.BlockSize(), t.BlockBytes())
	}
	return nil
}
