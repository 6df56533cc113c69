package main

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// testFunction is what the runtime knows of a function. Its places of tables are numbers of testTables, from 1; 0 is none.
type testFunction struct {
	name, arguments, deferred, stack int
	tables, data                     []int
}

var testTables = [][]byte{{2, 9, 0}, {0x82, 1, 3, 0}, {0, 4, 0x90, 1, 2, 0}}

// testImage is memory that begins with a text and ends with what is known of functions. Every table lies behind one of lines.
func testImage(functions ...testFunction) []byte {
	const units, files, tables = functionsHeader, functionsHeader + 4, functionsHeader + 6
	lines := []byte{2, 7, 0}
	at, all := []int{0}, []byte{0}
	for _, table := range testTables {
		all = append(all, lines...)
		at = append(at, len(all))
		all = append(all, table...)
	}
	list := (tables+len(all)+7)/8*8 + 8
	out := []byte("the text")
	for _, n := range []int{0x0801_0000_FFFF_FFF1, len(functions), 1, 0, functionsHeader, units, files, tables, list} {
		out = binary.LittleEndian.AppendUint64(out, uint64(n))
	}
	out = append(append(out, 5, 6, 7, 8, 'a', 0), all...)
	out = append(out, make([]byte, list+8-len(out))...)
	words := func(to []byte, all ...int) []byte {
		for _, n := range all {
			to = binary.LittleEndian.AppendUint32(to, uint32(n))
		}
		return to
	}
	const first = 4096
	next := entry*(len(functions)+1) + 8
	var records []byte
	for i, f := range functions {
		out = words(out, first+i, next)
		record := words(nil, first+i, f.name, f.arguments, f.deferred, at[f.stack], 1, 1, len(f.tables), 1, 33, len(f.data)<<24|0x0102)
		for _, table := range f.tables {
			record = words(record, at[table])
		}
		record = words(record, f.data...)
		record = append(record, make([]byte, (8-len(record)%8)%8)...)
		records, next = append(records, record...), next+len(record)
	}
	return append(words(out, first+len(functions), 0, 0, 0), records...)
}

// testFunctions draws some, with every number of tables and data.
func testFunctions(n int) (all []testFunction) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		f := testFunction{name: 11 * i, arguments: []int{0, 16, 1 << 31, 8}[random.IntN(4)], deferred: random.IntN(300), stack: random.IntN(4)}
		for range i % 4 {
			f.tables = append(f.tables, random.IntN(4))
		}
		for range i % 9 {
			f.data = append(f.data, []int{-1, 0, 1, 500, 3000 + 8*i, random.IntN(1 << 30)}[random.IntN(6)])
		}
		all = append(all, f)
	}
	return all
}

func TestFunctions(t *testing.T) {
	want := testFunctions(100)
	image := testImage(want...)
	f, err := functionsOf(image)
	require.NoError(t, err)
	require.Len(t, f.records, len(want))
	f.clearLines()
	require.NoError(t, f.orderTables())
	table := func(at int) int {
		if at == 0 {
			return 0
		}
		end, err := f.endOf(at)
		require.NoError(t, err)
		return 1 + slices.IndexFunc(testTables, func(table []byte) bool { return string(table) == string(image[f.tables+at:f.tables+end]) })
	}
	for i, w := range want {
		record := f.records[i]
		assert.Equal(t, []int{w.name, w.arguments, w.deferred, w.stack}, []int{f.word(record + recordName), f.word(record + recordArguments),
			f.word(record + recordDefer), table(f.word(record + recordStack))})
		for _, line := range []int{recordFile, recordLine, recordUnit, recordFirst} {
			assert.Zero(t, f.word(record+line))
		}
		for k, stays := range w.tables {
			if k == stopTable {
				stays = 0
			}
			assert.Equal(t, stays, table(f.word(record+recordEnd+word*k)), "table %d of function %d", k, i)
		}
	}
	size := 1
	for _, table := range testTables {
		size += len(table)
	}
	assert.Equal(t, make([]byte, f.list-f.tables-size), image[f.tables+size:f.list], "nothing but the tables that are asked for")
	assert.Equal(t, make([]byte, f.tables-f.units), image[f.units:f.tables])
	columns, err := f.take()
	require.NoError(t, err)
	assert.Less(t, len(columns), 20*len(want))
	taken := image[f.list:]
	assert.Equal(t, make([]byte, len(taken)-4), append(slices.Clone(taken[:entry*len(want)]), taken[entry*len(want)+4:]...), "only the list's end stays")
}

func TestWrongFunctions(t *testing.T) {
	some := testFunctions(20)
	good := testImage(some...)
	for _, wrong := range [][]byte{nil, good[:functionsHeader-1], good[:functionsHeader+20], good[12:]} {
		_, err := functionsOf(wrong)
		assert.ErrorContains(t, err, "what is known of functions is not found")
	}
	f, err := functionsOf(good)
	require.NoError(t, err)
	for _, tt := range []struct {
		at, value int
		message   string
	}{
		{f.list + entry*3, 77, "function 3 is not where it is expected"},
		{f.list + entry*3 + word, 8, "function 3 is not where it is expected"},
		{f.records[3], 77, "function 3 is not where it is expected"},
		{f.records[19] + recordTables, 17, "function 19 has too many tables"},
		{f.records[19] + recordCounts, 0x7F00_0000, "function 19 has too many tables"},
		{f.records[5] + recordCounts, 0x0501_0000, "a function has the numbers 0x5010000"},
		{f.records[5] + recordStack, 1 << 20, "a table has no end"},
		{f.records[5] + recordEnd + word, 0xBFFF_FFFF, "a function has the number 0xc0000000"},
	} {
		image := slices.Clone(good)
		binary.LittleEndian.PutUint32(image[tt.at:], uint32(tt.value))
		f, err := functionsOf(image)
		if err == nil {
			_, err = f.columnsApart()
		}
		assert.ErrorIs(t, err, errForm)
		assert.ErrorContains(t, err, tt.message)
	}
}
