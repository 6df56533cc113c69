package gguf

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
)

// ValueType is the type of a metadata value, by GGUF's number.
type ValueType uint32

// The types of metadata values.
const (
	Uint8 ValueType = iota
	Int8
	Uint16
	Int16
	Uint32
	Int32
	Float32
	Bool
	String
	Array
	Uint64
	Int64
	Float64
)

var valueTypes = [...]struct {
	name string
	size int // bytes of a scalar, 0 where it varies
}{
	{"uint8", 1}, {"int8", 1}, {"uint16", 2}, {"int16", 2}, {"uint32", 4}, {"int32", 4},
	{"float32", 4}, {"bool", 1}, {"string", 0}, {"array", 0}, {"uint64", 8}, {"int64", 8}, {"float64", 8},
}

// String is the type's name.
func (t ValueType) String() string {
	if int(t) < len(valueTypes) {
		return valueTypes[t].name
	}
	return fmt.Sprintf("value type %d", uint32(t))
}

func (t ValueType) known() bool { return int(t) < len(valueTypes) }
func (t ValueType) size() int   { return valueTypes[t].size }

// minBytes is the least that one value of the type takes in a file.
func (t ValueType) minBytes() int64 {
	switch t {
	case String:
		return 8
	case Array:
		return 12
	}
	return int64(t.size())
}

// Value is one metadata value. Arrays of numbers stay as they lie in the file, and the strings of an
// array share one backing string.
type Value struct {
	Type ValueType
	Elem ValueType // of an Array: the type of its elements
	bits uint64    // a number or bool, in its own width
	data any       // string; or an Array's []string, []Value, or the []byte of its numbers
}

// Len is the number of elements of an array, and 1 for anything else.
func (v Value) Len() int {
	switch data := v.data.(type) {
	case []string:
		return len(data)
	case []Value:
		return len(data)
	case []byte:
		return len(data) / v.Elem.size()
	}
	return 1
}

// String writes a scalar as text, and an array as its length and type.
func (v Value) String() string {
	switch v.Type {
	case String:
		s, _ := v.data.(string)
		return s
	case Array:
		return fmt.Sprintf("[%d]%s", v.Len(), v.Elem)
	case Bool:
		return strconv.FormatBool(v.bits != 0)
	case Float32, Float64:
		f, _ := scalarFloat(v.Type, v.bits)
		bits := 64
		if v.Type == Float32 {
			bits = 32
		}
		return strconv.FormatFloat(f, 'g', -1, bits)
	case Uint64:
		return strconv.FormatUint(v.bits, 10)
	}
	i, _ := scalarInt(v.Type, v.bits)
	return strconv.FormatInt(i, 10)
}

// Any gives the value as a Go value: string, bool, int64, uint64 or float64 for scalars, []string,
// []bool, []int64, []uint64, []float64 or []any for arrays.
func (v Value) Any() any {
	switch data := v.data.(type) {
	case string:
		return data
	case []string:
		return data
	case []Value:
		out := make([]any, len(data))
		for i, item := range data {
			out[i] = item.Any()
		}
		return out
	case []byte:
		switch v.Elem {
		case Bool:
			return collect(v, func(bits uint64) bool { return bits != 0 })
		case Uint64:
			return collect(v, func(bits uint64) uint64 { return bits })
		case Float32, Float64:
			return collect(v, func(bits uint64) float64 { f, _ := scalarFloat(v.Elem, bits); return f })
		}
		return collect(v, func(bits uint64) int64 { i, _ := scalarInt(v.Elem, bits); return i })
	}
	switch v.Type {
	case Bool:
		return v.bits != 0
	case Uint64:
		return v.bits
	case Float32, Float64:
		f, _ := scalarFloat(v.Type, v.bits)
		return f
	}
	i, _ := scalarInt(v.Type, v.bits)
	return i
}

func collect[T any](v Value, convert func(bits uint64) T) []T {
	out := make([]T, v.Len())
	for i := range out {
		out[i] = convert(v.at(i))
	}
	return out
}

// at gives the bits of element i of an array of numbers.
func (v Value) at(i int) uint64 {
	data, _ := v.data.([]byte)
	return loadBits(data[i*v.Elem.size():], v.Elem.size())
}

func loadBits(b []byte, size int) uint64 {
	switch size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}

func appendBits(b []byte, size int, bits uint64) []byte {
	var word [8]byte
	binary.LittleEndian.PutUint64(word[:], bits)
	return append(b, word[:size]...)
}

// scalarInt gives an integer that fits int64; ok is false for other types and values.
func scalarInt(t ValueType, bits uint64) (i int64, ok bool) {
	switch t {
	case Uint8, Uint16, Uint32:
		return int64(bits), true
	case Int8:
		return int64(int8(bits)), true
	case Int16:
		return int64(int16(bits)), true
	case Int32:
		return int64(int32(bits)), true
	case Int64:
		return int64(bits), true
	case Uint64:
		return int64(bits), bits <= math.MaxInt64
	}
	return 0, false
}

func scalarFloat(t ValueType, bits uint64) (f float64, ok bool) {
	switch t {
	case Float32:
		return float64(math.Float32frombits(uint32(bits))), true
	case Float64:
		return math.Float64frombits(bits), true
	}
	return 0, false
}

// ValueOf makes a metadata value from a Go value: a bool, string, sized integer or float, a slice of
// one of these, or a Value.
func ValueOf(v any) (Value, error) {
	switch x := v.(type) {
	case Value:
		return x, nil
	case string:
		return Value{Type: String, data: x}, nil
	case []string:
		return Value{Type: Array, Elem: String, data: x}, nil
	case bool:
		return Value{Type: Bool, bits: boolBits(x)}, nil
	case uint8:
		return Value{Type: Uint8, bits: uint64(x)}, nil
	case int8:
		return Value{Type: Int8, bits: uint64(uint8(x))}, nil
	case uint16:
		return Value{Type: Uint16, bits: uint64(x)}, nil
	case int16:
		return Value{Type: Int16, bits: uint64(uint16(x))}, nil
	case uint32:
		return Value{Type: Uint32, bits: uint64(x)}, nil
	case int32:
		return Value{Type: Int32, bits: uint64(uint32(x))}, nil
	case uint64:
		return Value{Type: Uint64, bits: x}, nil
	case int64:
		return Value{Type: Int64, bits: uint64(x)}, nil
	case float32:
		return Value{Type: Float32, bits: uint64(math.Float32bits(x))}, nil
	case float64:
		return Value{Type: Float64, bits: math.Float64bits(x)}, nil
	case []bool:
		return numbers(Bool, x, boolBits), nil
	case []uint8:
		return numbers(Uint8, x, func(n uint8) uint64 { return uint64(n) }), nil
	case []int8:
		return numbers(Int8, x, func(n int8) uint64 { return uint64(n) }), nil
	case []uint16:
		return numbers(Uint16, x, func(n uint16) uint64 { return uint64(n) }), nil
	case []int16:
		return numbers(Int16, x, func(n int16) uint64 { return uint64(n) }), nil
	case []uint32:
		return numbers(Uint32, x, func(n uint32) uint64 { return uint64(n) }), nil
	case []int32:
		return numbers(Int32, x, func(n int32) uint64 { return uint64(n) }), nil
	case []uint64:
		return numbers(Uint64, x, func(n uint64) uint64 { return n }), nil
	case []int64:
		return numbers(Int64, x, func(n int64) uint64 { return uint64(n) }), nil
	case []float32:
		return numbers(Float32, x, func(f float32) uint64 { return uint64(math.Float32bits(f)) }), nil
	case []float64:
		return numbers(Float64, x, math.Float64bits), nil
	}
	return Value{}, fmt.Errorf("gguf: metadata cannot hold a %T", v)
}

func boolBits(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

func numbers[T any](elem ValueType, items []T, bits func(T) uint64) Value {
	data := make([]byte, 0, len(items)*elem.size())
	for _, item := range items {
		data = appendBits(data, elem.size(), bits(item))
	}
	return Value{Type: Array, Elem: elem, data: data}
}
