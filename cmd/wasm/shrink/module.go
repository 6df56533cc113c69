package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Sections by their ids.
const (
	typeSection     = 1
	importSection   = 2
	functionSection = 3
	memorySection   = 5
	startSection    = 8
	elementSection  = 9
	codeSection     = 10
	dataSection     = 11
)

type section struct {
	id   byte
	body []byte
}

// module is a WebAssembly file by sections.
type module struct{ sections []section }

var (
	header   = []byte("\x00asm\x01\x00\x00\x00")
	errShort = errors.New("it ends too early")
	errForm  = errors.New("this is not as Go's linker writes it")
)

func parse(data []byte) (*module, error) {
	data, ok := bytes.CutPrefix(data, header)
	if !ok {
		return nil, errors.New("it is no WebAssembly")
	}
	m := &module{}
	for r := (reader{data}); len(r.left) > 0; {
		id, err := r.byte()
		if err != nil {
			return nil, err
		}
		body, err := r.bytes()
		if err != nil {
			return nil, err
		}
		m.sections = append(m.sections, section{id, body})
	}
	return m, nil
}

func (m *module) write() []byte {
	out := slices.Clone(header)
	for _, s := range m.sections {
		out = append(out, s.id)
		out = appendBytes(out, s.body)
	}
	return out
}

func (m *module) of(id byte) (*section, error) {
	i := slices.IndexFunc(m.sections, func(s section) bool { return s.id == id })
	if i < 0 {
		return nil, fmt.Errorf("it has no section %d: %w", id, errForm)
	}
	return &m.sections[i], nil
}

// add appends an item to a section that is a list, and returns the item's number.
func (m *module) add(id byte, item []byte) (int, error) {
	s, err := m.of(id)
	if err != nil {
		return 0, err
	}
	r := reader{s.body}
	n, err := r.number()
	s.body = slices.Concat(binary.AppendUvarint(nil, n+1), r.left, item)
	return int(n), err
}

type reader struct{ left []byte }

func (r *reader) byte() (byte, error) {
	if len(r.left) == 0 {
		return 0, errShort
	}
	b := r.left[0]
	r.left = r.left[1:]
	return b, nil
}

func (r *reader) number() (uint64, error) {
	n, size := binary.Uvarint(r.left)
	if size <= 0 {
		return 0, errShort
	}
	r.left = r.left[size:]
	return n, nil
}

func (r *reader) bytes() ([]byte, error) {
	n, err := r.number()
	if err != nil || n > uint64(len(r.left)) {
		return nil, errShort
	}
	b := r.left[:n]
	r.left = r.left[n:]
	return b, nil
}

// signed reads a number of 32 bits in SLEB128.
func (r *reader) signed() (value int64, err error) {
	for shift := 0; shift < 35; shift += 7 {
		b, err := r.byte()
		if err != nil {
			return 0, err
		}
		value |= int64(b&0x7F) << shift
		if b < 0x80 {
			return value << (57 - shift) >> (57 - shift), nil
		}
	}
	return 0, errForm
}

func appendBytes(out, b []byte) []byte {
	return append(binary.AppendUvarint(out, uint64(len(b))), b...)
}

// appendSigned writes a number as SLEB128.
func appendSigned(out []byte, value int64) []byte {
	for {
		b := byte(value & 0x7F)
		value >>= 7
		if value == 0 && b < 0x40 || value == -1 && b >= 0x40 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}
