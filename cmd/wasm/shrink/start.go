package main

import (
	"encoding/binary"
	"slices"
)

// start adds a function that runs before the program does.
func (m *module) start(body []byte) error {
	imported, err := m.imported()
	if err != nil {
		return err
	}
	const functionType = 0x60
	kind, err := m.add(typeSection, []byte{functionType, 0, 0})
	if err != nil {
		return err
	}
	if _, err := m.add(functionSection, binary.AppendUvarint(nil, uint64(kind))); err != nil {
		return err
	}
	number, err := m.add(codeSection, appendBytes(nil, body))
	if err != nil {
		return err
	}
	if _, err := m.of(startSection); err == nil {
		return errForm
	}
	i := slices.IndexFunc(m.sections, func(s section) bool { return s.id >= elementSection })
	m.sections = slices.Insert(m.sections, i, section{startSection, binary.AppendUvarint(nil, uint64(imported+number))})
	return nil
}

// imported counts the functions that come from outside; nothing else does.
func (m *module) imported() (int, error) {
	s, err := m.of(importSection)
	if err != nil {
		return 0, err
	}
	r := reader{s.body}
	n, err := r.number()
	for range n {
		for range 2 { // names of module and function
			if _, err := r.bytes(); err != nil {
				return 0, err
			}
		}
		if kind, err := r.byte(); err != nil || kind != 0 {
			return 0, errForm
		}
		if _, err := r.number(); err != nil {
			return 0, err
		}
	}
	return int(n), err
}
