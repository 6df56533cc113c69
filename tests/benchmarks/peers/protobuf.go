//go:build !js

package main

import (
	"encoding/binary"
	"fmt"
	"math"
)

// message is a protobuf message in the making: an ONNX model is one.
type message []byte

func (m *message) tag(field, wire int) { *m = binary.AppendUvarint(*m, uint64(field<<3|wire)) }

func (m *message) integer(field int, n int64) {
	m.tag(field, 0)
	*m = binary.AppendUvarint(*m, uint64(n))
}

func (m *message) bytes(field int, data []byte) {
	m.tag(field, 2)
	*m = append(binary.AppendUvarint(*m, uint64(len(data))), data...)
}

func (m *message) text(field int, s string) { m.bytes(field, []byte(s)) }

func (m *message) float(field int, x float32) {
	m.tag(field, 5)
	*m = binary.LittleEndian.AppendUint32(*m, math.Float32bits(x))
}

// Element types of ONNX.
const (
	onnxFloat   = 1
	onnxUint8   = 2
	onnxInt32   = 6
	onnxInt64   = 7
	onnxFloat16 = 10
)

// attributes of a node: whole numbers and floats.
type attributes map[string]any

func attribute(name string, value any) (m message) {
	m.text(1, name)
	switch v := value.(type) {
	case float64:
		m.float(2, float32(v))
		m.integer(20, 1)
	case int:
		m.integer(3, int64(v))
		m.integer(20, 2)
	default:
		panic(fmt.Sprintf("attribute %s of type %T", name, value))
	}
	return m
}

// valueInfo is an input or output; a dimension is a number or a name.
func valueInfo(name string, kind int, dims ...any) (m message) {
	var shape message
	for _, d := range dims {
		var dim message
		switch d := d.(type) {
		case int:
			dim.integer(1, int64(d))
		case string:
			dim.text(2, d)
		}
		shape.bytes(1, dim)
	}
	var tensor, typ message
	tensor.integer(1, int64(kind))
	tensor.bytes(2, shape)
	typ.bytes(1, tensor)
	m.text(1, name)
	m.bytes(2, typ)
	return m
}
