package main

import (
	"bytes"
	"encoding/binary"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// drawMemory draws memory with runs of zeros.
func drawMemory(t *rapid.T) []byte {
	image := []byte{}
	for range rapid.IntRange(0, 6).Draw(t, "runs") {
		image = append(image, make([]byte, rapid.SampledFrom([]int{0, 1, 2, 3, 20, 254, 255, 256, 70000}).Draw(t, "zeros"))...)
		image = append(image, rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes")...)
		image = append(image, bytes.Repeat([]byte{7}, rapid.SampledFrom([]int{0, 254, 255, 256, 600}).Draw(t, "sevens"))...)
	}
	return image
}

// spreadOut does what spread's code does.
func spreadOut(data []byte, size int) []byte {
	out, to := make([]byte, size), 0
	for len(data) > 0 {
		zeros := int(data[0])
		if zeros == 255 {
			zeros = int(binary.LittleEndian.Uint32(data[1:]))
			data = data[4:]
		}
		n := int(data[1])
		to += zeros
		to += copy(out[to:], data[2:2+n])
		data = data[2+n:]
	}
	return out
}

func TestPacked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		image := drawMemory(t)
		data := packed(image)
		assert.Equal(t, image, spreadOut(data, len(image)))
		assert.LessOrEqual(t, len(data), len(image)*257/255+2)
	})
}

// A later segment may lie before an earlier one, or over it.
func TestMemoryTakesSegmentsAsTheyCome(t *testing.T) {
	image, err := memory([]byte{3, 0, constant, 4, endOfBlock, 2, 'c', 'd', 0, constant, 1, endOfBlock, 1, 'a', 0, constant, 5, endOfBlock, 1, 'e'})
	require.NoError(t, err)
	assert.Equal(t, "\x00a\x00\x00ce", string(image))
}

func testTable(functions int) []byte {
	out := make([]byte, functions*perEntry*bucket)
	for i := range functions * perEntry {
		binary.LittleEndian.PutUint32(out[i*bucket:], uint32(i/perEntry))
	}
	return out
}

func TestFind(t *testing.T) {
	before := []byte{1, 2, 3, 4, 0, 0, 0, 0}
	image := append(append(before, testTable(2000)...), 9, 9, 9, 9)
	at, ok := find(image)
	assert.True(t, ok)
	assert.Equal(t, table{len(before), 2000 * perEntry}, at)
	image[len(before)+500*perEntry*bucket+7] = 1 // a bucket that does more than count
	_, ok = find(image)
	assert.False(t, ok)
	_, ok = find(testTable(10))
	assert.False(t, ok, "so short a run may be anything")
}

// testLines are what the runtime knows of one function: a header, a unit's files, a file's name, tables, the list, and the function,
// whose stack's table begins at 1, whose files' and lines' at 4, and whose third at a byte that is given.
func testLines(third uint32) []byte {
	const units, files, steps, list = tablesHeader, tablesHeader + 4, tablesHeader + 6, tablesHeader + 14
	var out []byte
	for _, n := range []uint64{0x0801_0000_FFFF_FFF1, 1, 1, 0, tablesHeader, units, files, steps, list} {
		out = binary.LittleEndian.AppendUint64(out, n)
	}
	out = append(out, 5, 6, 7, 8, 'a', 0)
	out = append(out, 0, 2, 9, 0, 0x82, 1, 3, 0)
	for _, n := range []uint32{0, 8, 21, 22, 23, 24, 1, 4, 4, 1, 5, 33, 0x01000002, third} {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return out
}

func TestLinesAreLeftOut(t *testing.T) {
	image := append([]byte("text"), testLines(0)...)
	p, ok := pcTablesOf(image)
	require.True(t, ok)
	require.NoError(t, p.clearLines())
	want := append([]byte("text"), testLines(0)...)
	clear(want[p.units : p.steps+1])
	clear(want[p.steps+4 : p.list])
	for _, number := range []int{functionFile, functionLine, functionUnit, functionStart} {
		clear(want[p.list+8+4*number:][:4])
	}
	assert.Equal(t, want, image)

	for third, message := range map[uint32]string{4: "", 7: "a table has no end", 1 << 30: "a table has no end"} {
		p, ok := pcTablesOf(testLines(third))
		require.True(t, ok)
		err := p.clearLines()
		if message == "" {
			assert.NoError(t, err)
			assert.Equal(t, []byte{0x82, 1, 3, 0}, p.image[p.steps+4:p.list], "what another table shares stays")
			continue
		}
		assert.ErrorContains(t, err, message)
	}
	for _, wrong := range [][]byte{nil, testLines(0)[:tablesHeader-1], testLines(0)[:tablesHeader+20], testLines(0)[4:]} {
		_, ok := pcTablesOf(wrong)
		assert.False(t, ok)
	}
}

// A program of the tab does what it did: it walks stacks to collect garbage and to recover, and its panics name functions.
func TestShrunkProgramRuns(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs node")
	}
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(`package main

import "runtime"

//go:noinline
func dig(n int, kept *[]int) int {
	held := make([]int, 1000)
	held[n] = n
	if n == 500 {
		runtime.GC()
		panic("the bottom")
	}
	return dig(n+1, &held) + held[n] + len(*kept)
}

func recovers() {
	defer func() { println("recovered", recover().(string)) }()
	dig(0, new([]int))
}

func main() {
	recovers()
	dig(400, new([]int))
}
`), 0o644))
	program, small := filepath.Join(folder, "program.wasm"), t.TempDir()
	compile := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, filepath.Join(folder, "main.go"))
	compile.Env = append(compile.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := compile.CombinedOutput()
	require.NoError(t, err, string(out))
	require.NoError(t, run([]string{program, small}))
	out, err = exec.Command(node, filepath.Join(build.Default.GOROOT, "lib", "wasm", "wasm_exec_node.js"), filepath.Join(small, "program.wasm")).CombinedOutput()
	assert.Error(t, err)
	assert.Contains(t, string(out), "recovered the bottom\n")
	assert.Contains(t, string(out), "panic: the bottom\n")
	assert.Contains(t, string(out), "main.dig(")
	assert.NotContains(t, string(out), "main.go")
}

// segment is a data section of one.
func segment(at int, data []byte) []byte {
	return appendBytes(append(appendSigned([]byte{1, inFirst, constant}, int64(at)), endOfBlock), data)
}

func testModule(image []byte) *module {
	return &module{[]section{
		{typeSection, []byte{1, 0x60, 1, 0x7F, 0}}, {importSection, []byte{1, 1, 'a', 1, 'b', 0, 0}}, {functionSection, []byte{1, 0}},
		{memorySection, []byte{1, 0, 7}}, {elementSection, []byte{0}}, {codeSection, []byte{1, 2, 0, endOfBlock}}, {dataSection, segment(0, image)},
	}}
}

func TestShrink(t *testing.T) {
	image := append([]byte("text"), testTable(1500)...)
	image = append(image, testLines(0)...)
	m := testModule(image)
	long := len(m.write())
	require.NoError(t, m.shrink())
	m, err := parse(m.write())
	require.NoError(t, err)
	assert.Less(t, len(m.write()), long-1000*perEntry)
	ids := ""
	for _, s := range m.sections {
		ids += string('a' + rune(s.id))
	}
	assert.Equal(t, "bcdfijkl", ids, "the start stands before the elements")
	start, err := m.of(startSection)
	require.NoError(t, err)
	assert.Equal(t, []byte{2}, start.body, "after the one imported function and the program's one")
	pages, err := m.of(memorySection)
	require.NoError(t, err)
	assert.Equal(t, []byte{1, 0, 8}, pages.body)
	data, err := m.of(dataSection)
	require.NoError(t, err)
	clear(image[4 : 4+len(testTable(1500))])
	lines, ok := pcTablesOf(image)
	require.True(t, ok)
	require.NoError(t, lines.clearLines())
	assert.Equal(t, segment(7*page, packed(image)), data.body)
	assert.ErrorIs(t, m.shrink(), errForm, "once is all")
}

func TestWrongFiles(t *testing.T) {
	for _, wrong := range []string{"", "\x00asm", "\x00asm\x01\x00\x00\x00\x01", "\x00asm\x01\x00\x00\x00\x01\x05abc", "\x7fELF\x01\x00\x00\x00"} {
		_, err := parse([]byte(wrong))
		assert.Error(t, err, "%q", wrong)
	}
	for _, wrong := range [][]byte{{}, {1}, {1, 1}, {1, 0, constant}, {1, 0, constant, 0, endOfBlock, 3, 'a'}, {1, 1, 0}, {1, 0, constant, 0x7F, endOfBlock, 0}} {
		_, err := memory(wrong)
		assert.Error(t, err, wrong)
	}
	m, err := parse(testModule([]byte("no table")).write())
	require.NoError(t, err)
	assert.ErrorContains(t, m.shrink(), "the table of functions is not found")
	m, err = parse(testModule(testTable(1500)).write())
	require.NoError(t, err)
	assert.ErrorContains(t, m.shrink(), "the tables of functions' lines are not found")
}

func TestSigned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := int64(rapid.Int32().Draw(t, "value"))
		r := reader{appendSigned(nil, value)}
		back, err := r.signed()
		require.NoError(t, err)
		assert.Equal(t, value, back)
		assert.Empty(t, r.left)
	})
}
