package gguf

import (
	"fmt"
	"iter"
	"math"
)

// Metadata holds a file's key-value pairs in file order. The zero value is empty and ready to use.
//
// Each typed getter gives ok = false and no error where the key is absent, and a *MetadataError where
// its value has another type or does not fit.
type Metadata struct {
	keys   []string
	values []Value
	index  map[string]int
}

// Len is the number of keys.
func (m *Metadata) Len() int { return len(m.keys) }

// All goes through keys and values in file order.
func (m *Metadata) All() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for i, key := range m.keys {
			if !yield(key, m.values[i]) {
				return
			}
		}
	}
}

// Get gives the value under a key.
func (m *Metadata) Get(key string) (Value, bool) {
	i, ok := m.index[key]
	if !ok {
		return Value{}, false
	}
	return m.values[i], true
}

// Set adds a key or replaces its value, which is anything that ValueOf takes.
func (m *Metadata) Set(key string, value any) error {
	v, err := ValueOf(value)
	if err != nil {
		return fmt.Errorf("%w (key %q)", err, key)
	}
	m.set(key, v)
	return nil
}

func (m *Metadata) set(key string, v Value) {
	if i, ok := m.index[key]; ok {
		m.values[i] = v
		return
	}
	if m.index == nil {
		m.index = make(map[string]int)
	}
	m.index[key] = len(m.keys)
	m.keys = append(m.keys, key)
	m.values = append(m.values, v)
}

// String gives a string.
func (m *Metadata) String(key string) (s string, ok bool, err error) {
	v, ok := m.Get(key)
	if !ok {
		return "", false, nil
	}
	s, isString := v.data.(string)
	if !isString {
		return "", true, wrongType(key, v, "a string")
	}
	return s, true, nil
}

// Bool gives a bool.
func (m *Metadata) Bool(key string) (b bool, ok bool, err error) {
	v, ok := m.Get(key)
	if !ok {
		return false, false, nil
	}
	if v.Type != Bool {
		return false, true, wrongType(key, v, "a bool")
	}
	return v.bits != 0, true, nil
}

// Uint32 gives an integer of any width that fits uint32.
func (m *Metadata) Uint32(key string) (n uint32, ok bool, err error) {
	v, ok := m.Get(key)
	if !ok {
		return 0, false, nil
	}
	i, fits, err := integer(key, v)
	if err != nil {
		return 0, true, err
	}
	if !fits || i < 0 || i > math.MaxUint32 {
		return 0, true, &MetadataError{Key: key, Reason: fmt.Sprintf("%s does not fit uint32", v)}
	}
	return uint32(i), true, nil
}

// Int64 gives an integer of any width that fits int64.
func (m *Metadata) Int64(key string) (n int64, ok bool, err error) {
	v, ok := m.Get(key)
	if !ok {
		return 0, false, nil
	}
	i, fits, err := integer(key, v)
	if err == nil && !fits {
		err = &MetadataError{Key: key, Reason: fmt.Sprintf("%s does not fit int64", v)}
	}
	return i, true, err
}

// Float32 gives a float of either width.
func (m *Metadata) Float32(key string) (f float32, ok bool, err error) {
	v, ok := m.Get(key)
	if !ok {
		return 0, false, nil
	}
	x, isFloat := scalarFloat(v.Type, v.bits)
	if !isFloat {
		return 0, true, wrongType(key, v, "a float")
	}
	return float32(x), true, nil
}

// Strings gives an array of strings, which the caller must not change.
func (m *Metadata) Strings(key string) (s []string, ok bool, err error) {
	v, ok := m.Get(key)
	if !ok {
		return nil, false, nil
	}
	s, isStrings := v.data.([]string)
	if !isStrings {
		return nil, true, wrongType(key, v, "an array of strings")
	}
	return s, true, nil
}

// Int32s gives an array of integers of any width that all fit int32.
func (m *Metadata) Int32s(key string) (n []int32, ok bool, err error) {
	v, ok := m.Get(key)
	if !ok {
		return nil, false, nil
	}
	if _, isInt := scalarInt(v.Elem, 0); v.Type != Array || !isInt {
		return nil, true, wrongType(key, v, "an array of integers")
	}
	n = make([]int32, v.Len())
	for k := range n {
		i, fits := scalarInt(v.Elem, v.at(k))
		if !fits || i < math.MinInt32 || i > math.MaxInt32 {
			return nil, true, &MetadataError{Key: key, Reason: fmt.Sprintf("element %d does not fit int32", k)}
		}
		n[k] = int32(i)
	}
	return n, true, nil
}

// Float32s gives an array of floats of either width.
func (m *Metadata) Float32s(key string) (f []float32, ok bool, err error) {
	v, ok := m.Get(key)
	if !ok {
		return nil, false, nil
	}
	if _, isFloat := scalarFloat(v.Elem, 0); v.Type != Array || !isFloat {
		return nil, true, wrongType(key, v, "an array of floats")
	}
	f = make([]float32, v.Len())
	for k := range f {
		x, _ := scalarFloat(v.Elem, v.at(k))
		f[k] = float32(x)
	}
	return f, true, nil
}

func integer(key string, v Value) (i int64, fits bool, err error) {
	if _, isInt := scalarInt(v.Type, 0); !isInt {
		return 0, false, wrongType(key, v, "an integer")
	}
	i, fits = scalarInt(v.Type, v.bits)
	return i, fits, nil
}

func wrongType(key string, v Value, want string) error {
	got := v.Type.String()
	if v.Type == Array {
		got = "array of " + v.Elem.String()
	}
	return &MetadataError{Key: key, Reason: "is " + got + ", want " + want}
}
