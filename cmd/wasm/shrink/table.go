package main

import (
	"encoding/binary"
	"fmt"
)

// The runtime's table of functions, findfunctab: a bucket is a function's number and 16 bytes that WebAssembly leaves 0.
const (
	bucket   = 20
	perEntry = 16 // buckets a function
	fewest   = 1000 * perEntry
)

// table is where the table lies. Bucket i holds i / 16.
type table struct{ at, buckets int }

// find looks for the table.
func find(image []byte) (table, bool) {
	for at := 0; at+fewest*bucket <= len(image); at += 4 {
		if t, ok := tableAt(image, at); ok {
			return t, true
		}
	}
	return table{}, false
}

// tableAt reads a table that begins with its first function, as far as it goes.
func tableAt(image []byte, at int) (table, bool) {
	t := table{at: at}
	for i := 0; at+(i+1)*bucket <= len(image); i++ {
		if !t.holds(image, i) {
			break
		}
		t.buckets++
	}
	return t, t.buckets >= fewest
}

func (t table) holds(image []byte, i int) bool {
	b := image[t.at+i*bucket:][:bucket]
	if binary.LittleEndian.Uint32(b) != uint32(i/perEntry) {
		return false
	}
	for _, rest := range b[4:] {
		if rest != 0 {
			return false
		}
	}
	return true
}

// shrink takes the table out of memory and puts a function that makes it at the program's start.
func (m *module) shrink() error {
	data, err := m.of(dataSection)
	if err != nil {
		return err
	}
	image, err := memory(data.body)
	if err != nil {
		return err
	}
	t, ok := find(image)
	if !ok {
		return fmt.Errorf("the table of functions is not found: %w", errForm)
	}
	clear(image[t.at : t.at+t.buckets*bucket])
	data.body = segments(image)
	return m.start(t.fill())
}

// fill is a function's code: a loop over the buckets.
func (t table) fill() []byte {
	const (
		loop, branchIf        = 0x03, 0x0D
		get, tee              = 0x20, 0x22
		store                 = 0x36
		add, multiply, divide = 0x6A, 0x6C, 0x6E // unsigned
		less                  = 0x49             // unsigned
		i32, nothing          = 0x7F, 0x40
	)
	code := []byte{1, 1, i32, loop, nothing, get, 0}
	number := func(n int, op byte) { code = append(appendSigned(append(code, constant), int64(n)), op) }
	number(bucket, multiply)
	code = append(code, get, 0)
	number(perEntry, divide)
	code = binary.AppendUvarint(append(code, store, 2), uint64(t.at))
	code = append(code, get, 0)
	number(1, add)
	code = append(code, tee, 0)
	number(t.buckets, less)
	return append(code, branchIf, 0, endOfBlock, endOfBlock)
}
