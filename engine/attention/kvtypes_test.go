package attention

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"quire/engine/kernel"
	"quire/engine/quant"
	"quire/engine/reference"
)

// storeRow makes of a row of K or V what a cache of the type gives back.
func storeRow(kv kernel.KVType, row []float32) {
	switch kv {
	case kernel.KVF16:
		for i, x := range row {
			row[i] = quant.F16ToF32(quant.F32ToF16(x))
		}
	case kernel.KVBF16:
		for i, x := range row {
			row[i] = quant.BF16ToF32(quant.F32ToBF16(x))
		}
	case kernel.KVQ8:
		q, scale := reference.Q8Row(row)
		for i := range row {
			row[i] = float32(q[i]) * scale
		}
	}
}

// appendRow appends a row as a cache of the type holds it. What pads a row, or stands for a NaN, is NaN where a float
// would be read, and the largest integer in 8 bits.
func appendRow(out []byte, kv kernel.KVType, row []float32) []byte {
	switch kv {
	case kernel.KVF32:
		for _, x := range row {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(x))
		}
	case kernel.KVF16, kernel.KVBF16:
		half, none := quant.F32ToF16, uint16(0x7E00)
		if kv == kernel.KVBF16 {
			half, none = quant.F32ToBF16, 0x7FC0
		}
		for _, x := range row {
			out = binary.LittleEndian.AppendUint16(out, half(x))
		}
		if len(row)%2 != 0 {
			out = binary.LittleEndian.AppendUint16(out, none)
		}
	case kernel.KVQ8:
		quants, scale := make([]int8, len(row)), uint16(0x7E00)
		if row[0] == row[0] {
			q, s := reference.Q8Row(row)
			quants, scale = q, quant.F32ToF16(s)
		}
		for _, q := range quants {
			out = append(out, byte(int(q)+128))
		}
		for range (4 - len(row)%4) % 4 {
			out = append(out, 0xFF)
		}
		out = binary.LittleEndian.AppendUint16(out, scale)
		out = binary.LittleEndian.AppendUint16(out, 0x7E00)
	}
	return out
}

func TestPackedCaches(t *testing.T) {
	for i, c := range []struct {
		name            string
		params          Params
		lengths, counts []int
	}{
		{"bf16 head dim 64", Params{HeadDim: 64, Heads: 8, KVHeads: 2, KVType: kernel.KVBF16}, []int{1, 16, 17, 65, 31}, []int{1, 16, 3, 1, 22}},
		{"q8 head dim 64", Params{HeadDim: 64, Heads: 8, KVHeads: 2, KVType: kernel.KVQ8}, []int{1, 16, 17, 65, 31}, []int{1, 16, 3, 1, 22}},
		{"bf16 head dim 111", Params{HeadDim: 111, Heads: 2, KVHeads: 2, Window: 20, KVType: kernel.KVBF16}, []int{70, 40}, []int{1, 40}},
		{"q8 head dim 111", Params{HeadDim: 111, Heads: 2, KVHeads: 2, Window: 20, KVType: kernel.KVQ8}, []int{70, 40}, []int{1, 40}},
		{"q8 head dim 59", Params{HeadDim: 59, Heads: 3, KVHeads: 1, Deterministic: true, KVType: kernel.KVQ8}, []int{65, 31}, []int{1, 22}},
	} {
		if caseShare() > 1 && i != 1 { // TestCovering has the others, TestPackedRowsExactly the deterministic ones
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			c.params.BlockSize = 16
			s := newScene(t, c.params, 32, c.lengths, c.counts)
			s.check(s.run(), 2, 1e-5)
		})
	}
}

// A query that sees one key gives that key's V as the cache holds it, bit for bit.
func TestPackedRowsExactly(t *testing.T) {
	for _, kv := range []kernel.KVType{kernel.KVBF16, kernel.KVQ8} {
		t.Run(kv.String(), func(t *testing.T) {
			p := Params{HeadDim: 256, Heads: 1, KVHeads: 1, KVType: kv, BlockSize: 4, Deterministic: true}
			counts := []int{1, 1, 1, 1, 1}
			s := newScene(t, p, 16, counts, counts)
			for i, scale := range []float32{1, 0.001, 1.0 / (1 << 14), 500, 0} {
				for e := range s.sequences[i].v {
					s.sequences[i].v[e] = float32(e-127) * scale
				}
			}
			got := s.run()
			for i, seq := range s.sequences {
				require.Equal(t, seq.v, got[i], "row %d", i)
			}
		})
	}
}
