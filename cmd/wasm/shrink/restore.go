package main

// Locals of the code that restores records: two of spread's, and others.
const (
	restoreFrom, restoreByte = 0, 2
	restored                 = 4 // functions
	restoreRecord            = 5
	restoreBase              = 6 // what the column's place counts from
	restoreValue             = 7
	restoreShift             = 8
	restoreHighest           = 9
)

// restore is the code that makes the list and the records of the columns at a place.
func (f *functions) restore(from int) code {
	var c code
	c.number(from).op(opSet, restoreFrom)
	c = append(c, f.restoreList()...)
	for _, column := range f.columns() {
		c = append(c, f.restoreColumn(column)...)
	}
	return c
}

// restoreList makes the list, and what records do not have in columns.
func (f *functions) restoreList() code {
	var c code
	c.number(f.records[0]).op(opSet, restoreRecord)
	c.op(opLoop, nothing)
	c.op(opGet, restored).number(entry).op(opMultiply, opTee, restoreValue).op(opGet, restored).number(f.number).op(opAdd, opStore, 2).unsigned(f.list)
	c.op(opGet, restoreValue, opGet, restoreRecord).number(f.list).op(opSubtract, opStore, 2).unsigned(f.list + word)
	c.op(opGet, restoreRecord, opGet, restored).number(f.number).op(opAdd, opStore, 2).unsigned(recordNumber)
	c.op(opGet, restoreRecord, opGet, restoreFrom, opLoad, 0, 0).number(^tablesInCounts).op(opAnd, opStore, 2).unsigned(recordCounts)
	c.op(opGet, restoreRecord, opGet, restoreFrom, opLoadByte, 0, 2, opStore, 2).unsigned(recordTables)
	c.op(opGet, restoreFrom, opLoadByte, 0, 2, opGet, restoreFrom, opLoadByte, 0, 3, opAdd).number(word).op(opMultiply)
	c.number(recordEnd+entry-1).op(opAdd).number(-entry).op(opAnd, opGet, restoreRecord, opAdd, opSet, restoreRecord)
	c.op(opGet, restoreFrom).number(4).op(opAdd, opSet, restoreFrom)
	return *c.nextFunction(f)
}

// restoreColumn puts a column's numbers into the records that have one.
func (f *functions) restoreColumn(column column) code {
	var c code
	c.number(0).op(opSet, restored).number(beforeAll).op(opSet, restoreHighest)
	c.op(opLoop, nothing)
	c.op(opGet, restored).number(entry).op(opMultiply, opLoad, 2).unsigned(f.list+word).number(f.list).op(opAdd, opTee, restoreRecord, opSet, restoreBase)
	at := column.at
	if column.kind != ofRecord {
		at = recordEnd + word*column.at
	}
	switch column.kind {
	case ofRecord:
		c.number(1)
	case ofTables:
		c.number(column.at).op(opGet, restoreRecord, opLoad, 2).unsigned(recordTables).op(opLess)
	case ofData:
		c.number(column.at).op(opGet, restoreRecord, opLoadByte, 0).unsigned(recordData).op(opLess)
		c.op(opGet, restoreRecord, opLoad, 2).unsigned(recordTables).number(word).op(opMultiply, opGet, restoreRecord, opAdd, opSet, restoreBase)
	}
	c.op(opIf, nothing)
	c = append(c, restoreNumber()...)
	c.op(opGet, restoreValue).number(1).op(opAnd, opIf, nothing)
	c.op(opGet, restoreValue).number(1).op(opShiftRight, opGet, restoreHighest, opAdd, opTee, restoreHighest, opSet, restoreValue)
	c.op(opElse)
	c.op(opGet, restoreValue).number(1).op(opShiftRight, opSet, restoreValue)
	c.op(endOfBlock)
	c.op(opGet, restoreBase, opGet, restoreValue).number(column.none()).op(opSubtract, opStore, 2).unsigned(at)
	c.op(endOfBlock)
	return *c.nextFunction(f)
}

// restoreNumber reads a number of 7 bits a byte.
func restoreNumber() code {
	var c code
	c.number(0).op(opTee, restoreValue, opSet, restoreShift)
	c.op(opLoop, nothing)
	c.op(opGet, restoreFrom, opLoadByte, 0, 0, opTee, restoreByte).number(0x7F).op(opAnd, opGet, restoreShift, opShiftLeft)
	c.op(opGet, restoreValue, opOr, opSet, restoreValue)
	c.op(opGet, restoreShift).number(7).op(opAdd, opSet, restoreShift)
	c.op(opGet, restoreFrom).number(1).op(opAdd, opSet, restoreFrom)
	c.number(0x7F).op(opGet, restoreByte, opLess, opBranchIf, 0, endOfBlock)
	return c
}

// nextFunction ends a loop over functions.
func (c *code) nextFunction(f *functions) *code {
	return c.op(opGet, restored).number(1).op(opAdd, opTee, restored).number(len(f.records)).op(opLess, opBranchIf, 0, endOfBlock)
}
