package gguf

import (
	"bytes"
	"testing"

	"quire/engine/quant"

	"github.com/stretchr/testify/require"
)

// bytesOf concatenates strings as they are and numbers in little-endian order of their own width.
func bytesOf(parts ...any) []byte {
	var b []byte
	for _, part := range parts {
		if s, ok := part.(string); ok {
			b = append(b, s...)
			continue
		}
		v, err := ValueOf(part)
		if err != nil {
			panic(err)
		}
		b = appendBits(b, v.Type.size(), v.bits)
	}
	return b
}

// text is a string with its length in front.
func text(s string) string { return string(bytesOf(uint64(len(s)))) + s }

// header starts a version 3 file.
func header(tensors, pairs uint64) string { return string(bytesOf("GGUF", uint32(3), tensors, pairs)) }

// smallFile has a value of every type, nested arrays and three tensors.
func smallFile(t testing.TB) []byte {
	t.Helper()
	nested := Value{Type: Array, Elem: Array, data: []Value{mustValue(t, []int32{1, 2}), mustValue(t, []string{"x", ""})}}
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, pair := range []struct {
		key   string
		value any
	}{
		{"general.architecture", "llama"}, {"empty", ""}, {"u8", uint8(200)}, {"i8", int8(-5)},
		{"u16", uint16(60000)}, {"i16", int16(-300)}, {"u32", uint32(0xFFFFFFFF)}, {"i32", int32(-70000)},
		{"u64", uint64(1 << 63)}, {"i64", int64(-1 << 40)}, {"f32", float32(1.5)}, {"f64", 2.25},
		{"yes", true}, {"no", false}, {"strings", []string{"a", "", "héllo"}}, {"no strings", []string{}},
		{"u8s", []uint8{1, 255}}, {"i16s", []int16{-1, 2}}, {"u32s", []uint32{7, 1 << 31}},
		{"i32s", []int32{-1, 2, 3}}, {"u64s", []uint64{1 << 40}}, {"i64s", []int64{-9}},
		{"f32s", []float32{0.5, -2}}, {"f64s", []float64{0.25}}, {"bools", []bool{true, false}}, {"nested", nested},
	} {
		require.NoError(t, w.Metadata.Set(pair.key, pair.value))
	}
	require.NoError(t, w.Declare("a.weight", quant.F32, 3, 2))
	require.NoError(t, w.Declare("b.weight", quant.Q8_0, 32))
	require.NoError(t, w.Declare("c.weight", quant.F16, 5))
	for _, n := range []int{24, 34, 10} {
		require.NoError(t, w.WriteTensor(bytes.NewReader(bytes.Repeat([]byte{byte(n)}, n))))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func mustValue(t testing.TB, v any) Value {
	t.Helper()
	value, err := ValueOf(v)
	require.NoError(t, err)
	return value
}

func read(data []byte) (*File, error) { return Read(bytes.NewReader(data), int64(len(data))) }
