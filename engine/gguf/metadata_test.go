package gguf

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// got is what a typed getter gave.
type got struct {
	value any
	ok    bool
	err   string
}

func result[T any](v T, ok bool, err error) got {
	if err != nil {
		return got{nil, ok, err.Error()}
	}
	return got{v, ok, ""}
}

func TestGetters(t *testing.T) {
	f, err := read(smallFile(t))
	require.NoError(t, err)
	m := &f.Metadata
	wrong := func(key, reason string) got { return got{nil, true, `gguf: metadata "` + key + `": ` + reason} }
	for name, tc := range map[string]struct{ got, want got }{
		"string":             {result(m.String("general.architecture")), got{"llama", true, ""}},
		"empty string":       {result(m.String("empty")), got{"", true, ""}},
		"absent string":      {result(m.String("none")), got{"", false, ""}},
		"string of number":   {result(m.String("u8")), wrong("u8", "is uint8, want a string")},
		"string of array":    {result(m.String("i32s")), wrong("i32s", "is array of int32, want a string")},
		"yes":                {result(m.Bool("yes")), got{true, true, ""}},
		"no":                 {result(m.Bool("no")), got{false, true, ""}},
		"absent bool":        {result(m.Bool("none")), got{false, false, ""}},
		"bool of number":     {result(m.Bool("u8")), wrong("u8", "is uint8, want a bool")},
		"uint32":             {result(m.Uint32("u32")), got{uint32(math.MaxUint32), true, ""}},
		"uint32 of uint8":    {result(m.Uint32("u8")), got{uint32(200), true, ""}},
		"uint32 of uint16":   {result(m.Uint32("u16")), got{uint32(60000), true, ""}},
		"uint32 of negative": {result(m.Uint32("i8")), wrong("i8", "-5 does not fit uint32")},
		"uint32 of int64":    {result(m.Uint32("i64")), wrong("i64", "-1099511627776 does not fit uint32")},
		"uint32 of uint64":   {result(m.Uint32("u64")), wrong("u64", "9223372036854775808 does not fit uint32")},
		"uint32 of float":    {result(m.Uint32("f32")), wrong("f32", "is float32, want an integer")},
		"absent uint32":      {result(m.Uint32("none")), got{uint32(0), false, ""}},
		"int64":              {result(m.Int64("i64")), got{int64(-1 << 40), true, ""}},
		"int64 of int16":     {result(m.Int64("i16")), got{int64(-300), true, ""}},
		"int64 of int32":     {result(m.Int64("i32")), got{int64(-70000), true, ""}},
		"int64 of uint64":    {result(m.Int64("u64")), wrong("u64", "9223372036854775808 does not fit int64")},
		"float32":            {result(m.Float32("f32")), got{float32(1.5), true, ""}},
		"float32 of float64": {result(m.Float32("f64")), got{float32(2.25), true, ""}},
		"float32 of integer": {result(m.Float32("u8")), wrong("u8", "is uint8, want a float")},
		"strings":            {result(m.Strings("strings")), got{[]string{"a", "", "héllo"}, true, ""}},
		"no strings":         {result(m.Strings("no strings")), got{[]string{}, true, ""}},
		"absent strings":     {result(m.Strings("none")), got{[]string(nil), false, ""}},
		"strings of string":  {result(m.Strings("empty")), wrong("empty", "is string, want an array of strings")},
		"int32s":             {result(m.Int32s("i32s")), got{[]int32{-1, 2, 3}, true, ""}},
		"int32s of uint8s":   {result(m.Int32s("u8s")), got{[]int32{1, 255}, true, ""}},
		"int32s of int16s":   {result(m.Int32s("i16s")), got{[]int32{-1, 2}, true, ""}},
		"int32s of int64s":   {result(m.Int32s("i64s")), got{[]int32{-9}, true, ""}},
		"int32s of uint32s":  {result(m.Int32s("u32s")), wrong("u32s", "element 1 does not fit int32")},
		"int32s of uint64s":  {result(m.Int32s("u64s")), wrong("u64s", "element 0 does not fit int32")},
		"int32s of scalar":   {result(m.Int32s("u8")), wrong("u8", "is uint8, want an array of integers")},
		"int32s of floats":   {result(m.Int32s("f32s")), wrong("f32s", "is array of float32, want an array of integers")},
		"int32s of strings":  {result(m.Int32s("strings")), wrong("strings", "is array of string, want an array of integers")},
		"int32s of arrays":   {result(m.Int32s("nested")), wrong("nested", "is array of array, want an array of integers")},
		"float32s":           {result(m.Float32s("f32s")), got{[]float32{0.5, -2}, true, ""}},
		"float32s of f64s":   {result(m.Float32s("f64s")), got{[]float32{0.25}, true, ""}},
		"float32s of ints":   {result(m.Float32s("i32s")), wrong("i32s", "is array of int32, want an array of floats")},
		"absent float32s":    {result(m.Float32s("none")), got{[]float32(nil), false, ""}},
	} {
		assert.Equal(t, tc.want, tc.got, name)
	}
}

func TestValues(t *testing.T) {
	f, err := read(smallFile(t))
	require.NoError(t, err)
	for key, want := range map[string]struct {
		any  any
		text string
	}{
		"general.architecture": {"llama", "llama"}, "i8": {int64(-5), "-5"}, "u64": {uint64(1 << 63), "9223372036854775808"},
		"f32": {1.5, "1.5"}, "yes": {true, "true"}, "bools": {[]bool{true, false}, "[2]bool"},
		"u64s": {[]uint64{1 << 40}, "[1]uint64"}, "f64s": {[]float64{0.25}, "[1]float64"},
		"strings": {[]string{"a", "", "héllo"}, "[3]string"},
		"nested":  {[]any{[]int64{1, 2}, []string{"x", ""}}, "[2]array"},
	} {
		v, ok := f.Metadata.Get(key)
		require.True(t, ok, key)
		assert.Equal(t, want.any, v.Any(), key)
		assert.Equal(t, want.text, v.String(), key)
	}
}

func TestSetKeepsOrderAndReplaces(t *testing.T) {
	var m Metadata
	for _, key := range []string{"b", "a", "b"} {
		require.NoError(t, m.Set(key, int32(m.Len())))
	}
	var keys []string
	for key := range m.All() {
		keys = append(keys, key)
	}
	assert.Equal(t, []string{"b", "a"}, keys)
	n, _, err := m.Int64("b")
	require.NoError(t, err)
	assert.EqualValues(t, 2, n)
}
