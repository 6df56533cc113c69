package main

import (
	"encoding/binary"
	"fmt"
	"slices"
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

// shrink takes the table and the records out of memory, packs the rest, and puts a function that makes all three at the program's start.
func (m *module) shrink() error {
	section, err := m.of(dataSection)
	if err != nil {
		return err
	}
	image, err := memory(section.body)
	if err != nil {
		return err
	}
	t, ok := find(image)
	if !ok {
		return fmt.Errorf("the table of functions is not found: %w", errForm)
	}
	clear(image[t.at : t.at+t.buckets*bucket])
	functions, err := functionsOf(image)
	if err != nil {
		return err
	}
	columns, err := functions.columnsApart()
	if err != nil {
		return err
	}
	rest := packed(image)
	data := slices.Concat(rest, columns)
	from, err := m.put(data)
	if err != nil {
		return err
	}
	return m.start(function(locals, spread(from, len(rest)), functions.restore(from+len(rest)), cleared(from, len(data)), t.fill()))
}

// The locals of the function that starts: spread's three, the bucket, and restore's.
const (
	locals = 10
	at     = 3
)

// fill is a loop over the buckets.
func (t table) fill() code {
	var c code
	c.op(opLoop, nothing, opGet, at).number(bucket).op(opMultiply, opGet, at).number(perEntry).op(opDivide, opStore, 2).unsigned(t.at)
	c.op(opGet, at).number(1).op(opAdd, opTee, at).number(t.buckets).op(opLess, opBranchIf, 0, endOfBlock)
	return c
}
