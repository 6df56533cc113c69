package gguf

import (
	"fmt"
	"io"
	"math"
	"math/bits"

	"quire/engine/quant"
)

const (
	defaultAlignment = 32
	leastPair        = 8 + 4 + 1         // an empty key with a one-byte value
	leastTensor      = 8 + 4 + 0 + 4 + 8 // an empty name, no dimensions
)

// limits bound what a header may hold and cost. They are fields so that tests can lower them.
type limits struct {
	nesting    int    // of arrays
	key, name  int    // bytes of a key, and of a tensor's name
	dims       int    // of a tensor
	numbers    uint64 // elements of a tensor, its bytes, and its place
	header     int64  // bytes: a broken length must not pull gigabytes of a large file into memory; the largest vocabularies take some 20 MiB
	firstPiece int    // bytes that are read at first, and at most, at once
	largePiece int
}

var usualLimits = limits{
	nesting: 8, key: 1<<16 - 1, name: 1 << 10, dims: 4, numbers: math.MaxInt64,
	header: 256 << 20, firstPiece: 64 << 10, largePiece: 1 << 20,
}

// File is the header of a GGUF file.
type File struct {
	Version    uint32
	Metadata   Metadata
	Tensors    []Tensor // in file order
	DataOffset int64    // where tensor data starts; may lie past the end of a file without tensors
	Alignment  uint32   // of tensor data in bytes, a power of two or a multiple of 8
	Size       int64    // of the whole file in bytes

	index map[string]int
}

// Tensor describes one tensor.
type Tensor struct {
	Name   string
	Type   quant.Type
	Shape  []uint64 // in ggml's order: Shape[0] is the row length
	Offset int64    // of its data from the start of the file
	Bytes  int64    // of its data, -1 where the type is unknown
}

// Elements is the number of weights.
func (t *Tensor) Elements() uint64 {
	n := uint64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Tensor gives the tensor of a name.
func (f *File) Tensor(name string) (*Tensor, bool) {
	i, ok := f.index[name]
	if !ok {
		return nil, false
	}
	return &f.Tensors[i], true
}

// Read reads the header of a GGUF file of version 2 or 3: metadata and tensor descriptions, not the
// tensor data. It reads r from the start in pieces of at most 1 MiB. Anything that breaks the format
// gives a *FormatError, a file of another kind a *KindError; an error of r itself is wrapped.
func Read(r io.ReaderAt, size int64) (*File, error) { return readWithin(usualLimits, r, size) }

func readWithin(l limits, r io.ReaderAt, size int64) (*File, error) {
	if size < 0 {
		return nil, &FormatError{Field: "size", Reason: fmt.Sprintf("is negative (%d)", size)}
	}
	in := newReader(l, r, size)
	f := &File{Alignment: defaultAlignment}
	tensors, pairs, err := f.readCounts(in)
	if err != nil {
		return nil, err
	}
	for i := range pairs {
		if err := f.readPair(in, i); err != nil {
			return nil, err
		}
	}
	f.index = make(map[string]int, min(tensors, l.largePiece/leastTensor))
	var places []int64
	for i := range tensors {
		at, err := f.readTensor(in, i)
		if err != nil {
			return nil, err
		}
		places = append(places, at)
	}
	f.Size = in.size
	align := int64(f.Alignment)
	f.DataOffset = (in.offset() + align - 1) / align * align
	for i := range f.Tensors {
		if err := f.place(&f.Tensors[i], places[i]); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *File) readCounts(in *reader) (tensors, pairs int, err error) {
	if err := f.readVersion(in); err != nil {
		return 0, 0, err
	}
	in.field = "tensor count"
	if tensors, err = in.count(leastTensor); err != nil {
		return 0, 0, err
	}
	in.field = "metadata count"
	pairs, err = in.count(leastPair)
	return tensors, pairs, err
}

func (f *File) readPair(in *reader, i int) error {
	in.field = fmt.Sprintf("key of metadata pair %d", i)
	start := in.offset()
	key, err := in.name(in.limits.key)
	if err != nil {
		return err
	}
	in.field = fmt.Sprintf("metadata %q", key)
	if _, twice := f.Metadata.Get(key); twice {
		return &FormatError{Offset: start, Field: in.field, Reason: "key occurs twice"}
	}
	number, err := in.uint32()
	if err != nil {
		return err
	}
	v, err := in.value(ValueType(number), 0)
	if err != nil {
		return err
	}
	f.Metadata.set(key, v)
	if key != alignmentKey {
		return nil
	}
	f.Alignment, _, err = f.Metadata.Uint32(key)
	if err != nil || !isAlignment(f.Alignment) {
		return &FormatError{Offset: start, Field: in.field, Reason: fmt.Sprintf("%s is no power of two and no multiple of 8", v)}
	}
	return nil
}

// isAlignment: the format's text wants a multiple of 8, its first program a power of two.
func isAlignment(n uint32) bool { return n != 0 && (n%8 == 0 || bits.OnesCount32(n) == 1) }

func (in *reader) name(longest int) (string, error) {
	start := in.offset()
	s, err := in.string()
	if err == nil && len(s) > longest {
		err = &FormatError{Offset: start, Field: in.field, Reason: fmt.Sprintf("is longer than %d bytes", longest)}
	}
	return s, err
}

func (in *reader) value(t ValueType, depth int) (Value, error) {
	switch {
	case !t.known():
		return Value{}, in.fail("unknown value type %d", uint32(t))
	case t == String:
		s, err := in.string()
		return Value{Type: String, data: s}, err
	case t == Array:
		return in.array(depth)
	}
	word, err := in.bits(t.size())
	if t == Bool {
		word = boolBits(word != 0) // any other byte is true, too
	}
	return Value{Type: t, bits: word}, err
}

func (in *reader) array(depth int) (Value, error) {
	if depth == in.limits.nesting {
		return Value{}, in.fail("arrays nest deeper than %d", in.limits.nesting)
	}
	number, err := in.uint32()
	if err != nil {
		return Value{}, err
	}
	elem := ValueType(number)
	if !elem.known() {
		return Value{}, in.fail("unknown type %d of array elements", number)
	}
	n, err := in.count(elem.minBytes())
	if err != nil {
		return Value{}, err
	}
	v := Value{Type: Array, Elem: elem}
	switch elem {
	case String:
		v.data, err = in.strings(n)
	case Array:
		var items []Value
		for range n {
			item, err := in.value(Array, depth+1)
			if err != nil {
				return Value{}, err
			}
			items = append(items, item)
		}
		v.data = items
	default:
		var data []byte
		data, err = in.bytes(int64(n) * int64(elem.size()))
		for i, b := range data {
			if elem == Bool && b > 1 {
				data[i] = 1
			}
		}
		v.data = data
	}
	return v, err
}

// readTensor reads a description and returns its offset within the tensor data.
func (f *File) readTensor(in *reader, i int) (place int64, err error) {
	in.field = fmt.Sprintf("name of tensor %d", i)
	start := in.offset()
	var t Tensor
	if t.Name, err = in.name(in.limits.name); err != nil {
		return 0, err
	}
	in.field = fmt.Sprintf("tensor %q", t.Name)
	if _, twice := f.index[t.Name]; twice {
		return 0, &FormatError{Offset: start, Field: in.field, Reason: "name occurs twice"}
	}
	dims, err := in.uint32()
	if err != nil {
		return 0, err
	}
	if int64(dims) > int64(in.limits.dims) {
		return 0, in.fail("has %d dimensions (at most %d)", dims, in.limits.dims)
	}
	t.Shape = make([]uint64, dims)
	for k := range t.Shape {
		if t.Shape[k], err = in.uint64(); err != nil {
			return 0, err
		}
	}
	number, err := in.uint32()
	if err != nil {
		return 0, err
	}
	t.Type = quant.Type(number)
	at, err := in.uint64()
	if err != nil {
		return 0, err
	}
	if at > in.limits.numbers || at%uint64(f.Alignment) != 0 {
		return 0, in.fail("data offset %d is no multiple of the alignment %d", at, f.Alignment)
	}
	if t.Bytes, err = tensorBytes(t.Type, t.Shape, in.limits.numbers); err != nil {
		return 0, in.fail("%s", err)
	}
	f.index[t.Name] = len(f.Tensors)
	f.Tensors = append(f.Tensors, t)
	return int64(at), nil
}

// tensorBytes gives the size of a tensor's data, -1 for unknown types. Neither it nor the number of elements may be over most.
func tensorBytes(t quant.Type, shape []uint64, most uint64) (int64, error) {
	row, rows := uint64(1), uint64(1)
	for k, d := range shape {
		if d > most {
			return 0, fmt.Errorf("dimension %d of %d is too large", k, d)
		}
		if k == 0 {
			row = d
			continue
		}
		high, low := bits.Mul64(rows, max(d, 1))
		if high != 0 || low > most {
			return 0, fmt.Errorf("shape %d overflows", shape)
		}
		rows = low
	}
	if high, low := bits.Mul64(max(row, 1), rows); high != 0 || low > most {
		return 0, fmt.Errorf("shape %d overflows", shape)
	}
	if !t.Known() {
		return -1, nil
	}
	if row%uint64(t.BlockWeights()) != 0 {
		return 0, fmt.Errorf("row length %d is no multiple of %s's block of %d", row, t, t.BlockWeights())
	}
	total := uint64(1)
	for _, d := range shape {
		total *= d
	}
	bytes := t.RowBytes(total)
	if bytes < 0 || uint64(bytes) > most {
		return 0, fmt.Errorf("shape %d overflows", shape)
	}
	return bytes, nil
}

// place checks that a tensor's data lies inside the file.
func (f *File) place(t *Tensor, at int64) error {
	last := f.Size - max(t.Bytes, 0)
	if f.DataOffset > last || at > last-f.DataOffset {
		return &FormatError{Offset: f.DataOffset, Field: fmt.Sprintf("tensor %q", t.Name),
			Reason: fmt.Sprintf("its %d bytes at data offset %d lie past the file's end at %d", max(t.Bytes, 0), at, f.Size)}
	}
	t.Offset = f.DataOffset + at
	return nil
}
