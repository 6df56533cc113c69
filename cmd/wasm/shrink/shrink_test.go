package main

import (
	"bytes"
	"encoding/binary"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

const testPages = 16

func testModule(image []byte) *module {
	const exportSection = 7
	return &module{[]section{
		{typeSection, []byte{1, 0x60, 1, 0x7F, 0}}, {importSection, []byte{1, 1, 'a', 1, 'b', 0, 0}}, {functionSection, []byte{1, 0}},
		{memorySection, []byte{1, 0, testPages}}, {exportSection, []byte{1, 3, 'm', 'e', 'm', 2, 0}},
		{elementSection, []byte{0}}, {codeSection, []byte{1, 2, 0, endOfBlock}}, {dataSection, segment(0, image)},
	}}
}

func TestShrink(t *testing.T) {
	image := slices.Concat(testTable(1500), testImage(testFunctions(2000)...))
	m := testModule(slices.Clone(image))
	long := len(m.write())
	require.NoError(t, m.shrink())
	m, err := parse(m.write())
	require.NoError(t, err)
	assert.Less(t, len(m.write()), long-len(testTable(1500)))
	ids := ""
	for _, s := range m.sections {
		ids += string('a' + rune(s.id))
	}
	assert.Equal(t, "bcdfhijkl", ids, "the start stands before the elements")
	start, err := m.of(startSection)
	require.NoError(t, err)
	assert.Equal(t, []byte{2}, start.body, "after the one imported function and the program's one")
	pages, err := m.of(memorySection)
	require.NoError(t, err)
	assert.Equal(t, []byte{1, 0, testPages + 1}, pages.body)
	assert.ErrorIs(t, m.shrink(), errForm, "once is all")
}

// When the program starts, its memory is what it was, without lines of functions.
func TestMemoryIsRestored(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs node")
	}
	image := slices.Concat(testTable(1500), testImage(testFunctions(2000)...))
	m := testModule(slices.Clone(image))
	require.NoError(t, m.shrink())
	program := filepath.Join(t.TempDir(), "program.wasm")
	require.NoError(t, os.WriteFile(program, m.write(), 0o644))
	got, err := exec.Command(node, "--eval", `
		const module = new WebAssembly.Module(fs.readFileSync(process.argv[1]));
		process.stdout.write(new Uint8Array(new WebAssembly.Instance(module, {a: {b() {}}}).exports.mem.buffer));
	`, program).Output()
	require.NoError(t, err)
	f, err := functionsOf(image)
	require.NoError(t, err)
	f.clearLines()
	require.NoError(t, f.orderTables())
	require.Equal(t, (testPages+1)*page, len(got))
	assert.True(t, bytes.Equal(image, got[:len(image)]))
	assert.Zero(t, len(bytes.Trim(got[len(image):], "\x00")))
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
	assert.ErrorContains(t, m.shrink(), "what is known of functions is not found")
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
