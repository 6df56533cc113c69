package gguf

import (
	"bytes"
	"errors"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"

	"quire/engine/quant"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadBytesByHand(t *testing.T) {
	for _, version := range []uint32{2, 3} {
		file := bytesOf("GGUF", version, uint64(1), uint64(2),
			text("general.alignment"), uint32(4), uint32(16),
			text("n"), uint32(5), int32(-3),
			text("w"), uint32(2), uint64(32), uint64(2), uint32(2), uint64(16))
		data := (len(file) + 15) / 16 * 16
		file = append(file, make([]byte, data-len(file)+16+36)...)
		f, err := read(file)
		require.NoError(t, err)
		assert.Equal(t, version, f.Version)
		assert.Equal(t, uint32(16), f.Alignment)
		assert.EqualValues(t, data, f.DataOffset)
		assert.EqualValues(t, len(file), f.Size)
		assert.Equal(t, []Tensor{{Name: "w", Type: quant.Q4_0, Shape: []uint64{32, 2}, Offset: int64(data) + 16, Bytes: 36}}, f.Tensors)
		assert.EqualValues(t, 64, f.Tensors[0].Elements())
		_, err = read(file[:len(file)-1])
		assert.ErrorContains(t, err, `tensor "w"`)
	}
}

// Cut off anywhere, a file gives a FormatError within it, whether the stated size is the cut one or
// the full one.
func TestTruncationAnywhere(t *testing.T) {
	file := smallFile(t)
	f, err := read(file)
	require.NoError(t, err)
	end := f.Tensors[2].Offset + f.Tensors[2].Bytes
	for n := range int(end) {
		_, err := read(file[:n])
		var format *FormatError
		require.ErrorAs(t, err, &format, "cut at %d", n)
		assert.NotEmpty(t, format.Field, "cut at %d", n)
		assert.LessOrEqual(t, format.Offset, int64(n)+int64(f.Alignment), "cut at %d", n)

		_, err = Read(bytes.NewReader(file[:n]), int64(len(file)))
		require.ErrorAs(t, err, &format, "cut at %d of %d", n, len(file))
	}
	_, err = read(file[:end])
	assert.NoError(t, err)
}

// few are limits that small files reach, which harm no reader.
var few = func() limits {
	l := usualLimits
	l.nesting, l.key, l.name, l.dims, l.numbers = 2, 20, 10, 3, 1000
	return l
}()

func TestReadRefuses(t *testing.T) {
	pair := func(parts ...any) []byte { return bytesOf(append([]any{header(0, 1), text("k")}, parts...)...) }
	tensor := func(parts ...any) []byte { return bytesOf(append([]any{header(1, 0), text("w")}, parts...)...) }
	nest := func(depth int) []byte {
		b := pair(uint32(9))
		for range depth - 1 {
			b = append(b, bytesOf(uint32(9), uint64(1))...)
		}
		return append(b, bytesOf(uint32(0), uint64(1), uint8(1))...)
	}
	for _, tc := range []struct {
		name, field, says string
		file              []byte
	}{
		{"nothing", "magic", "is empty", nil},
		{"other bytes", "magic", "begins with the bytes 0001020304050607", []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08")},
		{"two bytes", "magic", "file ends", []byte("GG")},
		{"version 0", "version", "is 0;", bytesOf("GGUF", uint32(0), uint64(0), uint64(0))},
		{"version cut off", "version", "file ends", []byte("GGUF\x03\x00")},
		{"tensor count", "tensor count", "more than the rest", bytesOf(header(5, 0))},
		{"metadata count", "metadata count", "more than the rest", bytesOf(header(0, 5))},
		{"key length", "key of metadata pair 0", "more than the rest", bytesOf(header(0, 1), uint64(40), "more and more")},
		{"long key", "key of metadata pair 0", "longer than", bytesOf(header(0, 1), text(strings.Repeat("k", few.key+1)), uint32(0), uint8(0))},
		{"same key twice", `metadata "k"`, "twice", bytesOf(header(0, 2), text("k"), uint32(0), uint8(1), text("k"), uint32(0), uint8(1))},
		{"value type", `metadata "k"`, "unknown value type 13", pair(uint32(13), uint64(0))},
		{"string length", `metadata "k"`, "more than the rest", pair(uint32(8), uint64(40))},
		{"element type", `metadata "k"`, "unknown type 77", pair(uint32(9), uint32(77), uint64(1), uint64(0))},
		{"array of strings", `metadata "k"`, "more than the rest", pair(uint32(9), uint32(8), uint64(2), text("1234567"))},
		{"array of numbers", `metadata "k"`, "more than the rest", pair(uint32(9), uint32(12), uint64(5), uint64(0))},
		{"array of arrays", `metadata "k"`, "more than the rest", pair(uint32(9), uint32(9), uint64(2), uint32(0), uint64(0))},
		{"nesting", `metadata "k"`, "nest deeper", nest(few.nesting + 1)},
		{"alignment 0", `metadata "general.alignment"`, "power of two", bytesOf(header(0, 1), text("general.alignment"), uint32(4), uint32(0))},
		{"alignment 12", `metadata "general.alignment"`, "power of two", bytesOf(header(0, 1), text("general.alignment"), uint32(4), uint32(12))},
		{"alignment as text", `metadata "general.alignment"`, "power of two", bytesOf(header(0, 1), text("general.alignment"), uint32(8), text("32"))},
		{"long name", "name of tensor 0", "longer than", bytesOf(header(1, 0), text(strings.Repeat("w", few.name+1)), uint32(0), uint32(0), uint64(0))},
		{"dimensions", `tensor "w"`, "4 dimensions", tensor(uint32(4), uint64(1), uint64(1), uint64(1), uint64(1), uint32(0), uint64(0))},
		{"one dimension", `tensor "w"`, "too large", tensor(uint32(1), few.numbers+1, uint32(0), uint64(0))},
		{"product", `tensor "w"`, "overflows", tensor(uint32(3), uint64(10), uint64(40), uint64(30), uint32(0), uint64(0))},
		{"product behind 0", `tensor "w"`, "overflows", tensor(uint32(3), uint64(0), uint64(40), uint64(30), uint32(0), uint64(0))},
		{"product with the rows", `tensor "w"`, "overflows", tensor(uint32(3), uint64(32), uint64(10), uint64(9), uint32(8), uint64(0))},
		{"bytes", `tensor "w"`, "overflows", tensor(uint32(2), uint64(20), uint64(20), uint32(28), uint64(0))},
		{"row length", `tensor "w"`, "no multiple of Q8_0's block", tensor(uint32(2), uint64(31), uint64(32), uint32(8), uint64(0))},
		{"unaligned", `tensor "w"`, "no multiple of the alignment", tensor(uint32(1), uint64(1), uint32(0), uint64(8))},
		{"offset", `tensor "w"`, "past the file's end", tensor(uint32(1), uint64(1), uint32(0), uint64(64))},
		{"offset over the limit", `tensor "w"`, "no multiple", tensor(uint32(1), uint64(1), uint32(0), uint64(1024))},
		{"no data", `tensor "w"`, "past the file's end", tensor(uint32(1), uint64(1), uint32(0), uint64(0))},
		{"unknown type past the end", `tensor "w"`, "past the file's end", tensor(uint32(1), uint64(1), uint32(99), uint64(64))},
		{"same tensor twice", `tensor "w"`, "twice", bytesOf(header(2, 0),
			text("w"), uint32(0), uint32(24), uint64(0), text("w"), uint32(0), uint32(24), uint64(0), strings.Repeat("\x00", 64))},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := readWithin(few, bytes.NewReader(tc.file), int64(len(tc.file)))
			var format *FormatError
			require.ErrorAs(t, err, &format)
			assert.Equal(t, tc.field, format.Field)
			assert.Contains(t, format.Reason, tc.says)
			assert.Contains(t, err.Error(), tc.field)
		})
	}
	_, err := Read(bytes.NewReader(nil), -1)
	assert.ErrorContains(t, err, "negative")
	deepest := append(nest(few.nesting), make([]byte, 64)...)
	_, err = readWithin(few, bytes.NewReader(deepest), int64(len(deepest)))
	assert.NoError(t, err, "the deepest nesting that is allowed")
}

func TestUnknownTensorTypeIsShown(t *testing.T) {
	file := bytesOf(header(2, 0), text("w"), uint32(1), uint64(7), uint32(99), uint64(0), text("scalar"), uint32(0), uint32(24), uint64(32))
	f, err := read(append(file, make([]byte, 100)...))
	require.NoError(t, err)
	w, ok := f.Tensor("w")
	require.True(t, ok)
	assert.EqualValues(t, -1, w.Bytes)
	assert.Equal(t, "99", w.Type.String())
	assert.Equal(t, f.DataOffset, w.Offset)
	scalar, ok := f.Tensor("scalar")
	require.True(t, ok)
	assert.EqualValues(t, 1, scalar.Bytes)
	_, ok = f.Tensor("other")
	assert.False(t, ok)
}

// A file's stated size makes no promise: memory follows what can be read. The claims are too small to harm any reader.
func TestAllocationFollowsTheFile(t *testing.T) {
	low := usualLimits
	low.firstPiece, low.largePiece = 1<<10, 4<<10
	for name, claim := range map[string][]byte{
		"strings": bytesOf(uint32(9), uint32(8), uint64(1<<18)),
		"numbers": bytesOf(uint32(9), uint32(0), uint64(2<<20)),
		"string":  bytesOf(uint32(8), uint64(2<<20)),
		"arrays":  bytesOf(uint32(9), uint32(9), uint64(1<<18)),
	} {
		t.Run(name, func(t *testing.T) {
			// The claim ends with the first piece, before a short read can give it away.
			start := header(1<<15, 1<<16)
			filler := low.firstPiece - len(start) - 8 - 4 - 8 - len(text("k")) - len(claim)
			file := bytesOf(start, text(""), uint32(8), text(strings.Repeat(".", filler)), text("k"), string(claim))
			require.Len(t, file, low.firstPiece)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := readWithin(low, bytes.NewReader(file), 16<<20)
			runtime.ReadMemStats(&after)
			var format *FormatError
			require.ErrorAs(t, err, &format)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256<<10))
		})
	}
}

func TestHeaderHasALimit(t *testing.T) {
	low := usualLimits
	low.header = 1000
	_, err := readWithin(low, bytes.NewReader(bytesOf(header(0, 1), text("k"), uint32(8), uint64(2000))), 1<<20)
	assert.ErrorContains(t, err, "more than the rest of the header")
}

// TestUsualLimits: what is refused usually is what no model needs.
func TestUsualLimits(t *testing.T) {
	assert.Equal(t, limits{nesting: 8, key: 65535, name: 1024, dims: 4, numbers: math.MaxInt64, header: 256 << 20,
		firstPiece: 64 << 10, largePiece: 1 << 20}, usualLimits)
}

// recorder notes what is asked of it and fails at will.
type recorder struct {
	io.ReaderAt
	largest int
	last    int64
	fail    error
}

func (r *recorder) ReadAt(p []byte, at int64) (int, error) {
	r.largest, r.last = max(r.largest, len(p)), max(r.last, at+int64(len(p)))
	if r.fail != nil {
		return 0, r.fail
	}
	return r.ReaderAt.ReadAt(p, at)
}

func TestReadInPieces(t *testing.T) {
	long := make([]string, 300000)
	for i := range long {
		long[i] = strings.Repeat("t", i%20)
	}
	var out bytes.Buffer
	w := NewWriter(&out)
	require.NoError(t, w.Metadata.Set("tokens", long))
	require.NoError(t, w.Metadata.Set("scores", make([]float32, len(long))))
	require.NoError(t, w.Declare("w", quant.F32, 64<<20/4))
	require.NoError(t, w.WriteTensor(bytes.NewReader(make([]byte, 64<<20))))
	require.NoError(t, w.Close())
	src := &recorder{ReaderAt: bytes.NewReader(out.Bytes())}
	f, err := Read(src, int64(out.Len()))
	require.NoError(t, err)
	assert.LessOrEqual(t, src.largest, 1<<20)
	assert.Less(t, src.last, f.DataOffset+1<<20)
	got, _, err := f.Metadata.Strings("tokens")
	require.NoError(t, err)
	assert.Equal(t, long, got)

	src.fail = errors.New("connection lost")
	_, err = Read(src, int64(out.Len()))
	assert.ErrorIs(t, err, src.fail)
	var format *FormatError
	assert.False(t, errors.As(err, &format), "a failing source is no format error")
}

func FuzzRead(f *testing.F) {
	f.Add(smallFile(f))
	f.Add(bytesOf(header(0, 0)))
	f.Add(bytesOf(header(0, 1), text("general.alignment"), uint32(4), uint32(8)))
	f.Add(append(bytesOf(header(1, 0), text("w"), uint32(1), uint64(4), uint32(0), uint64(0)), make([]byte, 64)...))
	for _, start := range []string{"GGUF\x01\x00\x00\x00", "GGUF\x00\x00\x00\x03", "\x1f\x8b\x08", "<html>é", "{\"error\":", "\x80\x02c"} {
		f.Add([]byte(start))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := read(data)
		if err != nil {
			var format *FormatError
			var kind *KindError
			require.True(t, errors.As(err, &format) || errors.As(err, &kind), "%v", err)
			return
		}
		for i := range file.Tensors {
			tensor := &file.Tensors[i]
			require.GreaterOrEqual(t, tensor.Offset, file.DataOffset)
			require.LessOrEqual(t, tensor.Offset+max(tensor.Bytes, 0), file.Size)
			found, ok := file.Tensor(tensor.Name)
			require.True(t, ok)
			require.Same(t, tensor, found)
		}
		for key, v := range file.Metadata.All() {
			again, ok := file.Metadata.Get(key)
			require.True(t, ok)
			require.Equal(t, v, again)
			_, _ = v.Any(), v.String()
		}
	})
}
