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

// shrink takes the table out of memory, packs the rest, and puts a function that makes both at the program's start.
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
	tables, ok := pcTablesOf(image)
	if !ok {
		return fmt.Errorf("the tables of functions' lines are not found: %w", errForm)
	}
	if err := tables.clearLines(); err != nil {
		return err
	}
	unpack, err := m.pack(image)
	if err != nil {
		return err
	}
	return m.start(function(locals, unpack, t.fill()))
}

// The locals of the function that starts: spread's three, and the bucket.
const (
	locals = 4
	at     = 3
)

// fill is a loop over the buckets.
func (t table) fill() code {
	var c code
	c.op(opLoop, nothing, opGet, at).number(bucket).op(opMultiply, opGet, at).number(perEntry).op(opDivide, opStore, 2)
	c = binary.AppendUvarint(c, uint64(t.at))
	c.op(opGet, at).number(1).op(opAdd, opTee, at).number(t.buckets).op(opLess, opBranchIf, 0, endOfBlock)
	return c
}
