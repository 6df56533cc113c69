package quant

import (
	"encoding/binary"
	"math"
)

func decodeF32(in []byte, out []float32) {
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(in[4*i:]))
	}
}

func encodeF32(in []float32, out []byte) bool {
	for i, f := range in {
		binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(f))
	}
	return true
}

func decodeF16(in []byte, out []float32) {
	for i := range out {
		out[i] = halfAt(in[2*i:])
	}
}

func encodeF16(in []float32, out []byte) bool {
	for i, f := range in {
		binary.LittleEndian.PutUint16(out[2*i:], F32ToF16(f))
	}
	return true
}

func decodeBF16(in []byte, out []float32) {
	for i := range out {
		out[i] = BF16ToF32(binary.LittleEndian.Uint16(in[2*i:]))
	}
}

func encodeBF16(in []float32, out []byte) bool {
	for i, f := range in {
		binary.LittleEndian.PutUint16(out[2*i:], F32ToBF16(f))
	}
	return true
}
