package quant

import (
	"encoding/binary"
	"fmt"
)

// Dequantize turns the blocks in src into len(dst) weights, as ggml does, bit for bit. A type whose blocks cannot be read
// gives ErrUnsupportedType.
func Dequantize(t Type, src []byte, dst []float32) error {
	decode := decoder(t)
	if decode == nil {
		return fmt.Errorf("quant: convert from type %s: %w", t, ErrUnsupportedType)
	}
	if err := checkLengths(t, len(dst), len(src)); err != nil {
		return err
	}
	weights, bytes, blocks := t.row().blocks(len(dst))
	for b := range blocks {
		decode(src[b*bytes:(b+1)*bytes], dst[b*weights:(b+1)*weights])
	}
	return nil
}

// Quantize turns weights into blocks, Q8_0, Q4_0, Q4_1 and Q5_0 as ggml's reference quantizers do; K types take a block's
// own range, where ggml searches for a better one. A type whose blocks cannot be made gives ErrUnsupportedType, and a block
// whose scale does not fit f16 is an error.
func Quantize(t Type, src []float32, dst []byte) error {
	encode := encoders[t]
	if encode == nil {
		return fmt.Errorf("quant: convert to type %s: %w", t, ErrUnsupportedType)
	}
	if err := checkLengths(t, len(src), len(dst)); err != nil {
		return err
	}
	weights, bytes, blocks := t.row().blocks(len(src))
	for b := range blocks {
		if !encode(src[b*weights:(b+1)*weights], dst[b*bytes:(b+1)*bytes]) {
			return fmt.Errorf("quant: quantize to %s: weights %d to %d are not finite or too large for an f16 scale", t, b*weights, (b+1)*weights-1)
		}
	}
	return nil
}

// blocks says in which pieces n weights are converted: plain types all at once.
func (l row) blocks(n int) (weights, bytes, blocks int) {
	if l.weights == 1 {
		return n, n * l.bytes, min(n, 1)
	}
	return l.weights, l.bytes, n / l.weights
}

func checkLengths(t Type, weights, bytes int) error {
	if want := t.RowBytes(uint64(weights)); want != int64(bytes) {
		return fmt.Errorf("quant: convert type %s: %d weights do not match %d bytes (blocks of %d weights in %d bytes)",
			t, weights, bytes, t.BlockWeights(), t.BlockBytes())
	}
	return nil
}

// extremes gives the least and the largest of some weights; a NaN among them stays.
func extremes(in []float32) (low, high float32) {
	low, high = in[0], in[0]
	for _, f := range in {
		low, high = min(low, f), max(high, f)
	}
	return low, high
}

// farthest gives the weight of the largest magnitude, of two the first.
func farthest(in []float32) float32 {
	extreme := float32(0)
	for _, f := range in {
		if max(f, -f) > max(extreme, -extreme) {
			extreme = f
		}
	}
	return extreme
}

func inverse(d float32) float32 {
	if inv := 1 / d; d != 0 && finite(inv) {
		return inv
	}
	return 0
}

func finite(f float32) bool { return f-f == 0 }

// putHalf writes an f16 and says whether it is finite.
func putHalf(out []byte, f float32) bool {
	h := F32ToF16(f)
	binary.LittleEndian.PutUint16(out, h)
	return h&0x7C00 != 0x7C00
}

// halfAt reads an f16.
func halfAt(in []byte) float32 { return F16ToF32(binary.LittleEndian.Uint16(in)) }
