package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// What the runtime knows of functions begins with a header, in numbers of 8 bytes behind a magic one. A function has an entry in a list,
// which is its number and where its record is, and the record: words of 4 bytes, some of which say where its tables are, or data.
// Go's runtime/symtab.go and runtime2.go tell more.
const (
	headerFunctions, headerUnits, headerFiles, headerTables, headerList = 1, 5, 6, 7, 8
	functionsHeader                                                     = 9 * 8

	entry, word                                            = 8, 4
	recordNumber, recordName, recordArguments, recordDefer = 0 * word, 1 * word, 2 * word, 3 * word
	recordStack, recordFile, recordLine, recordTables      = 4 * word, 5 * word, 6 * word, 7 * word
	recordUnit, recordFirst, recordCounts, recordEnd       = 8 * word, 9 * word, 10 * word, 11 * word
	recordData                                             = recordCounts + 3 // a byte
	mostTables                                             = 16               // of a function; there are 5 kinds
	stopTable                                              = 0                // where a function may be stopped, which nobody does in a tab
)

// functions is what the runtime knows of them.
type functions struct {
	image                      []byte
	units, files, tables, list int   // where they begin: what files a unit has, their names, all functions' tables, the list
	number                     int   // of the first function
	records                    []int // where they are
	mostTables, mostData       int   // of a function
}

// functionsOf finds them by their header.
func functionsOf(image []byte) (*functions, error) {
	magic := []byte{0xF1, 0xFF, 0xFF, 0xFF, 0, 0, 1, 8}
	for from := 0; ; {
		i := bytes.Index(image[from:], magic)
		if i < 0 || from+i+functionsHeader > len(image) {
			return nil, fmt.Errorf("what is known of functions is not found: %w", errForm)
		}
		at := from + i
		header := func(i int) int { return int(binary.LittleEndian.Uint32(image[at+8*i:])) }
		f := &functions{image: image, units: at + header(headerUnits), files: at + header(headerFiles), tables: at + header(headerTables), list: at + header(headerList)}
		if n := header(headerFunctions); at < f.units && f.units <= f.files && f.files <= f.tables && f.tables < f.list && f.list+entry*n <= len(image) && n > 0 {
			return f, f.read(n)
		}
		from += i + len(magic)
	}
}

func (f *functions) word(at int) int { return int(binary.LittleEndian.Uint32(f.image[at:])) }

func (f *functions) set(at, value int) { binary.LittleEndian.PutUint32(f.image[at:], uint32(value)) }

// read finds the records, which follow each other as their functions do.
func (f *functions) read(n int) error {
	f.number = f.word(f.list)
	next := f.list + f.word(f.list+word)
	for i := range n {
		at := f.list + entry*i
		if f.word(at) != f.number+i || f.list+f.word(at+word) != next || next+recordEnd > len(f.image) || f.word(next) != f.number+i {
			return fmt.Errorf("function %d is not where it is expected: %w", i, errForm)
		}
		tables, data := f.word(next+recordTables), int(f.image[next+recordData])
		end := next + recordEnd + word*(tables+data)
		if tables > mostTables || end > len(f.image) {
			return fmt.Errorf("function %d has too many tables: %w", i, errForm)
		}
		f.records = append(f.records, next)
		f.mostTables, f.mostData = max(f.mostTables, tables), max(f.mostData, data)
		next = (end + entry - 1) / entry * entry
	}
	return nil
}

// columnsApart takes out of memory what is known of functions, but for their names and tables, and returns it as columns.
func (f *functions) columnsApart() ([]byte, error) {
	f.clearLines()
	if err := f.orderTables(); err != nil {
		return nil, err
	}
	return f.take()
}

// clearLines takes files and lines out, which only a panic's text would tell and which take a twenty-fifth of the program: where a
// table of them begins at 0, the runtime takes it that there is none. A panic names its functions all the same.
func (f *functions) clearLines() {
	for _, at := range f.records {
		for _, none := range []int{recordFile, recordLine, recordUnit, recordFirst} {
			f.set(at+none, 0)
		}
		if f.word(at+recordTables) > stopTable {
			f.set(at+recordEnd+word*stopTable, 0)
		}
	}
	clear(f.image[f.units:f.tables])
}

// orderTables leaves the tables that are asked for, in the order in which the columns of records ask.
func (f *functions) orderTables() error {
	ordered := []byte{0} // none begins at 0
	to := map[int]int{0: 0}
	for _, c := range f.columns() {
		if !c.namesTables() {
			continue
		}
		for _, record := range f.records {
			at, ok := c.of(f, record)
			if !ok {
				continue
			}
			table := f.word(at)
			if _, ok := to[table]; !ok {
				end, err := f.endOf(table)
				if err != nil {
					return err
				}
				to[table] = len(ordered)
				ordered = append(ordered, f.image[f.tables+table:f.tables+end]...)
			}
			f.set(at, to[table])
		}
	}
	if len(ordered) > f.list-f.tables {
		return errForm
	}
	clear(f.image[f.tables:f.list])
	copy(f.image[f.tables:], ordered)
	return nil
}

// endOf is where a table ends: pairs of numbers, the first of which is 0 only behind the last pair.
func (f *functions) endOf(table int) (int, error) {
	for first := true; ; first = false {
		for i := range 2 {
			if table >= f.list-f.tables {
				return 0, fmt.Errorf("a table has no end: %w", errForm)
			}
			n, size := binary.Uvarint(f.image[f.tables+table : f.list])
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
