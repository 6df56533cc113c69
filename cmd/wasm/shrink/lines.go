package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// A panic names its functions in the tab without their files and lines, which take a twenty-fifth of the program. Where a table of
// them begins at 0, the runtime takes it that there is none.
//
// The tables' header, in numbers of 8 bytes behind a magic one, and a function's numbers of 4 bytes: Go's runtime/symtab.go.
const (
	headerFunctions, headerUnits, headerFiles, headerTables, headerList = 1, 5, 6, 7, 8
	tablesHeader                                                        = 9 * 8
	functionStack, functionFile, functionLine, functionTables           = 4, 5, 6, 7
	functionUnit, functionStart, functionData                           = 8, 9, 11
)

// pcTables is what the runtime knows of functions.
type pcTables struct {
	image                     []byte
	functions                 int
	units, files, steps, list int // where they begin: what files a unit has, their names, all functions' tables, functions
}

// pcTablesOf finds the tables by their header.
func pcTablesOf(image []byte) (*pcTables, bool) {
	magic := []byte{0xF1, 0xFF, 0xFF, 0xFF, 0, 0, 1, 8}
	for from := 0; ; {
		i := bytes.Index(image[from:], magic)
		if i < 0 || from+i+tablesHeader > len(image) {
			return nil, false
		}
		at := from + i
		number := func(i int) int { return int(binary.LittleEndian.Uint32(image[at+8*i:])) }
		p := &pcTables{image, number(headerFunctions), at + number(headerUnits), at + number(headerFiles), at + number(headerTables), at + number(headerList)}
		if at < p.units && p.units <= p.files && p.files <= p.steps && p.steps < p.list && p.list+8*p.functions <= len(image) && p.functions > 0 {
			return p, true
		}
		from += i + len(magic)
	}
}

// clearLines takes files and lines out.
func (p *pcTables) clearLines() error {
	used := make([]bool, p.list-p.steps) // bytes of the tables that stay
	keep := func(table uint32) error {
		if table == 0 {
			return nil
		}
		end, err := p.end(int(table))
		if err != nil {
			return err
		}
		for i := int(table); i < end; i++ {
			used[i] = true
		}
		return nil
	}
	for i := range p.functions {
		at := p.list + int(binary.LittleEndian.Uint32(p.image[p.list+8*i+4:]))
		if at+4*functionData > len(p.image) {
			return fmt.Errorf("function %d lies outside: %w", i, errForm)
		}
		f := p.image[at:]
		number := func(i int) uint32 { return binary.LittleEndian.Uint32(f[4*i:]) }
		tables := int(number(functionTables))
		if 4*(functionData+tables) > len(f) {
			return fmt.Errorf("function %d has too many tables: %w", i, errForm)
		}
		err := keep(number(functionStack))
		for j := range tables {
			if err == nil {
				err = keep(number(functionData + j))
			}
		}
		if err != nil {
			return fmt.Errorf("function %d: %w", i, err)
		}
		for _, none := range []int{functionFile, functionLine, functionUnit, functionStart} {
			binary.LittleEndian.PutUint32(f[4*none:], 0)
		}
	}
	for i := range used {
		if !used[i] {
			p.image[p.steps+i] = 0
		}
	}
	clear(p.image[p.units:p.steps])
	return nil
}

// end is where a table ends: pairs of numbers, the first of which is 0 only behind the last pair.
func (p *pcTables) end(table int) (int, error) {
	for first := true; ; first = false {
		for i := range 2 {
			if table >= p.list-p.steps {
				return 0, fmt.Errorf("a table has no end: %w", errForm)
			}
			n, size := binary.Uvarint(p.image[p.steps+table : p.list])
			if size <= 0 {
				return 0, errForm
			}
			table += size
			if i == 0 && n == 0 && !first {
				return table, nil
			}
		}
	}
}
