package quant

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// scalePlaces says where a block of a type has its f16 scales, that of minima second.
func scalePlaces(t Type) []int {
	switch t {
	case Q4_1, Q5_1, Q4_K, Q5_K:
		return []int{0, 2}
	case Q6_K:
		return []int{208}
	case Q2_K:
		return []int{80, 82}
	case Q3_K:
		return []int{108}
	case TQ1_0:
		return []int{52}
	case TQ2_0:
		return []int{64}
	case IQ1_M, MXFP4, NVFP4: // which have no such
		return nil
	}
	return []int{0}
}

// Random fills dst with blocks of weights whose standard deviation is about deviation: what Quantize makes of uniform ones, or
// blocks of random bits with scales to suit.
func Random(t Type, random *rand.Rand, deviation float32, dst []byte) error {
	l := t.row()
	if t.Quantizes() && len(dst)%l.bytes == 0 {
		weights := make([]float32, len(dst)/l.bytes*l.weights)
		for i := range weights {
			weights[i] = deviation * float32(math.Sqrt(3)) * (2*random.Float32() - 1)
		}
		return Quantize(t, weights, dst)
	}
	return Bits(t, random.Uint32, random.Float32, deviation, dst)
}

// Bits fills dst with blocks of any bits, and scales that give their weights about a standard deviation; scales of few bits are rounded
// up by chance. It knows no type whose blocks are plain numbers.
func Bits(t Type, bits func() uint32, chance func() float32, deviation float32, dst []byte) error {
	l := t.row()
	if decoder(t) == nil || l.weights < 2 || len(dst)%l.bytes != 0 {
		return fmt.Errorf("quant: random blocks of type %s: %w", t, ErrUnsupportedType)
	}
	weights := make([]float32, len(dst)/l.bytes*l.weights)
	for i := range dst {
		dst[i] = byte(bits())
		if t == TQ2_0 { // whose codes are below 3
			dst[i] ^= dst[i] & (dst[i] >> 1) & 0x55 << 1
		}
	}
	scale := func(by float32, chance func() float32) {
		for at := 0; at < len(dst); at += l.bytes {
			setScale(t, dst[at:at+l.bytes], by, chance)
		}
	}
	scale(1, func() float32 { return 0 })
	if err := Dequantize(t, dst, weights); err != nil {
		return err
	}
	squares := 0.0
	for _, f := range weights {
		squares += float64(f) * float64(f)
	}
	scale(deviation/float32(math.Sqrt(squares/float64(len(weights)))), chance)
	return nil
}

// setScale writes a block's scales. What has too few bits for them is rounded up as often as chance, below 1, says.
func setScale(t Type, block []byte, by float32, chance func() float32) {
	switch t {
	case MXFP4:
		fraction, exponent := math.Frexp(float64(by)) // by = fraction · 2^exponent, from ½ to 1
		block[0] = byte(127 + exponent)
		if 4*fraction*fraction-1 > 3*float64(chance()) { // so that squares are right in the mean
			block[0]++
		}
	case NVFP4:
		for i := range 4 {
			half := F32ToF16(by / 128)
			block[i] = byte(half >> 7)
			if float32(half&127) > 128*chance() {
				block[i]++
			}
		}
	case IQ1_M:
		half := F32ToF16(by)
		for i := range 4 {
			block[49+2*i] = block[49+2*i]&15 | byte(half>>(4*i)&15)<<4
		}
	default:
		for i, at := range scalePlaces(t) {
			if i == 1 { // minima: the codes' mean becomes 0
				by *= 1.5
			}
			binary.LittleEndian.PutUint16(block[at:], F32ToF16(by))
		}
	}
}
