package main

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Functions' records, as they lie in memory, and the list of them would be a thirteenth of the program when it is packed: what stands
// side by side in a record is unlike. So the file has columns: what stands first in all records, then what stands second, and so on. Before
// the columns stand the counts of each record, which say where the next one begins.
//
// Columns mostly climb: a function's tables and data lie behind those of the functions before it, or are some that many functions have.
// So a number that is not below the highest before it is told as the difference, twice and one more, and others as they are, twice.
type column struct {
	kind kind
	at   int // in the record, or among its tables or its data
}

type kind int

const (
	ofRecord kind = iota
	ofTables
	ofData
)

// beforeAll is what a column begins as if after. Differences stay below 1<<31 so, even that of 1<<31, the size of unknown arguments.
const beforeAll = 1

// tablesInCounts is a byte that is free in a record's counts, where the file has how many tables there are.
const tablesInCounts = 0xFF << 16

func (f *functions) columns() []column {
	all := []column{{ofRecord, recordName}, {ofRecord, recordArguments}, {ofRecord, recordDefer}, {ofRecord, recordStack}}
	for i := range f.mostTables {
		all = append(all, column{ofTables, i})
	}
	for i := range f.mostData {
		all = append(all, column{ofData, i})
	}
	return all
}

// namesTables says whether the column's numbers are places of tables.
func (c column) namesTables() bool { return c.kind == ofTables || c == column{ofRecord, recordStack} }

// none is what a number is told more by than it is: data that there is not is at -1.
func (c column) none() int {
	if c.kind == ofData {
		return 1
	}
	return 0
}

// of is where a record has it.
func (c column) of(f *functions, record int) (at int, ok bool) {
	tables := f.word(record + recordTables)
	switch c.kind {
	case ofTables:
		return record + recordEnd + word*c.at, c.at < tables
	case ofData:
		return record + recordEnd + word*(tables+c.at), c.at < int(f.image[record+recordData])
	}
	return record + c.at, true
}

// take takes the list and the records out of memory, and returns the columns.
func (f *functions) take() ([]byte, error) {
	var out []byte
	for _, record := range f.records {
		tables, counts := f.word(record+recordTables), f.word(record+recordCounts)
		if counts&tablesInCounts != 0 {
			return nil, fmt.Errorf("a function has the numbers %#x: %w", counts, errForm)
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(counts|tables<<16))
	}
	for _, c := range f.columns() {
		highest := uint32(beforeAll)
		for _, record := range f.records {
			at, ok := c.of(f, record)
			if !ok {
				continue
			}
			value := uint32(f.word(at) + c.none())
			told, more := value, uint32(0)
			if value >= highest {
				told, more, highest = value-highest, 1, value
			}
			if told > math.MaxInt32 {
				return nil, fmt.Errorf("a function has the number %#x: %w", value, errForm)
			}
			out = binary.AppendUvarint(out, uint64(told<<1|more))
		}
	}
	for i, record := range f.records {
		clear(f.image[f.list+entry*i:][:entry])
		end, _ := column{ofData, int(f.image[record+recordData])}.of(f, record)
		clear(f.image[record:end])
	}
	return out, nil
}
