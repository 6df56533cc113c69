package gguf

import (
	"errors"
	"fmt"
	"io"

	"quire/engine/quant"
)

// Writer writes a GGUF version 3 file: first the header from metadata and declared tensors, then the
// tensors' data in the order of declaration.
//
//	w := gguf.NewWriter(out)
//	w.Metadata.Set("general.architecture", "llama")
//	w.Declare("output.weight", quant.Q8_0, 4096, 32000)
//	w.WriteTensor(data)
//	w.Close()
type Writer struct {
	Metadata Metadata // to be filled before the first WriteTensor or Close

	out     io.Writer
	file    File
	started bool
	written int // tensors
	at      int64
}

// NewWriter makes a writer to out, which need not seek.
func NewWriter(out io.Writer) *Writer {
	return &Writer{out: out, file: File{Alignment: defaultAlignment, index: map[string]int{}}}
}

// Declare adds a tensor to the header. The shape is in ggml's order, row length first.
func (w *Writer) Declare(name string, t quant.Type, shape ...uint64) error {
	if w.started {
		return fmt.Errorf("gguf: declare tensor %q: the header is already written", name)
	}
	if _, twice := w.file.index[name]; twice {
		return fmt.Errorf("gguf: declare tensor %q: name occurs twice", name)
	}
	if len(name) > usualLimits.name || len(shape) > usualLimits.dims {
		return fmt.Errorf("gguf: declare tensor %q: more than %d bytes of name or %d dimensions", name, usualLimits.name, usualLimits.dims)
	}
	size, err := tensorBytes(t, shape, usualLimits.numbers)
	if err == nil && size < 0 {
		err = quant.ErrUnsupportedType
	}
	if err != nil {
		return fmt.Errorf("gguf: declare tensor %q of %s: %w", name, t, err)
	}
	w.file.index[name] = len(w.file.Tensors)
	w.file.Tensors = append(w.file.Tensors, Tensor{Name: name, Type: t, Shape: shape, Bytes: size})
	return nil
}

// WriteHeader writes the header, up to where tensor data starts. Without it the first WriteTensor or Close does.
func (w *Writer) WriteHeader() error { return w.start() }

// WriteTensor writes the next tensor's data, reading exactly its size from data. The first call
// writes the header.
func (w *Writer) WriteTensor(data io.Reader) error {
	if err := w.start(); err != nil {
		return err
	}
	if w.written == len(w.file.Tensors) {
		return fmt.Errorf("gguf: all %d declared tensors are written", w.written)
	}
	t := w.file.Tensors[w.written]
	n, err := io.CopyN(w.out, data, t.Bytes)
	if err != nil {
		return fmt.Errorf("gguf: write tensor %q: after %d of %d bytes: %w", t.Name, n, t.Bytes, err)
	}
	w.written++
	w.at += n
	return w.pad()
}

// Close writes the header if no tensor has, and fails if a declared tensor has no data. It does not
// close the output.
func (w *Writer) Close() error {
	if err := w.start(); err != nil {
		return err
	}
	if w.written < len(w.file.Tensors) {
		return fmt.Errorf("gguf: tensor %q has no data", w.file.Tensors[w.written].Name)
	}
	return nil
}

func (w *Writer) start() error {
	if w.started {
		return nil
	}
	align, ok, err := w.Metadata.Uint32(alignmentKey)
	switch {
	case err != nil:
		return err
	case ok && !isAlignment(align):
		return &MetadataError{Key: alignmentKey, Reason: fmt.Sprintf("%d is no power of two and no multiple of 8", align)}
	case ok:
		w.file.Alignment = align
	}
	header, err := w.header()
	if err != nil {
		return err
	}
	w.started = true
	if _, err := w.out.Write(header); err != nil {
		return fmt.Errorf("gguf: write header: %w", err)
	}
	w.at = int64(len(header))
	return w.pad()
}

func (w *Writer) header() ([]byte, error) {
	for key := range w.Metadata.All() {
		if len(key) > usualLimits.key {
			return nil, &MetadataError{Key: key, Reason: "key is too long"}
		}
	}
	at := int64(0)
	for i := range w.file.Tensors {
		t := &w.file.Tensors[i]
		t.Offset = at
		end := at + t.Bytes + w.padding(at+t.Bytes)
		if end < at {
			return nil, errors.New("gguf: the tensors are larger than a file can be")
		}
		at = end
	}
	return appendHeader(nil, &w.Metadata, w.file.Tensors), nil
}

func appendString(b []byte, s string) []byte {
	return append(appendBits(b, 8, uint64(len(s))), s...)
}

func appendValue(b []byte, v Value) []byte {
	if v.Type != Array && v.Type != String {
		return appendBits(b, v.Type.size(), v.bits)
	}
	if s, ok := v.data.(string); ok {
		return appendString(b, s)
	}
	b = appendBits(b, 4, uint64(v.Elem))
	b = appendBits(b, 8, uint64(v.Len()))
	switch data := v.data.(type) {
	case []byte:
		b = append(b, data...)
	case []string:
		for _, s := range data {
			b = appendString(b, s)
		}
	case []Value:
		for _, item := range data {
			b = appendValue(b, item)
		}
	}
	return b
}

func (w *Writer) padding(at int64) int64 {
	align := int64(w.file.Alignment)
	return (align - at%align) % align
}

// pad fills up to the alignment, but not behind a header without tensors.
func (w *Writer) pad() error {
	n := w.padding(w.at)
	if n == 0 || len(w.file.Tensors) == 0 {
		return nil
	}
	if _, err := w.out.Write(make([]byte, n)); err != nil {
		return fmt.Errorf("gguf: write padding: %w", err)
	}
	w.at += n
	return nil
}
