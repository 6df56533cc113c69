package gguf

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// reader walks the header of a file in pieces that double up to the largest.
type reader struct {
	src io.ReaderAt
	limits
	limit int64  // where header reading must end: by the file's size or the limits
	size  int64  // of the file
	start int64  // offset of piece in the file
	piece []byte // the bytes at hand
	at    int    // read so far from piece
	next  int    // size of the next piece
	field string // what is being read, for errors
	word  [8]byte
}

func newReader(l limits, src io.ReaderAt, size int64) *reader {
	return &reader{src: src, limits: l, limit: min(size, l.header), size: size, next: l.firstPiece, field: "magic"}
}

func (r *reader) offset() int64    { return r.start + int64(r.at) }
func (r *reader) remaining() int64 { return r.limit - r.offset() }

func (r *reader) fail(reason string, args ...any) error {
	return &FormatError{Offset: r.offset(), Field: r.field, Reason: fmt.Sprintf(reason, args...)}
}

// need fails unless n more bytes can follow.
func (r *reader) need(n int64) error {
	switch {
	case n <= r.remaining():
		return nil
	case r.limit < r.size:
		return r.fail("header is over %d MiB", r.header>>20)
	}
	return r.fail("file ends after %d of %d bytes", r.remaining(), n)
}

// fill replaces the piece, which is used up, by the next one.
func (r *reader) fill() error {
	r.start += int64(len(r.piece))
	r.piece, r.at = r.piece[:0], 0
	if err := r.need(1); err != nil {
		return err
	}
	n := int(min(int64(r.next), r.limit-r.start))
	r.next = min(2*r.next, r.largePiece)
	if cap(r.piece) < n {
		r.piece = make([]byte, n)
	}
	r.piece = r.piece[:n]
	got, err := r.src.ReadAt(r.piece, r.start)
	if got == n {
		return nil
	}
	r.piece = r.piece[:max(got, 0)]
	if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("gguf: read %d bytes at %d: %w", n, r.start, err)
	}
	// The file is shorter than was said; what is there may still hold the header.
	r.size = r.start + int64(len(r.piece))
	r.limit = min(r.limit, r.size)
	return r.need(1)
}

// each hands over the next n bytes in parts; a part is valid until the next read.
func (r *reader) each(n int64, use func(part []byte)) error {
	if err := r.need(n); err != nil {
		return err
	}
	for n > 0 {
		if r.at == len(r.piece) {
			if err := r.fill(); err != nil {
				return err
			}
		}
		part := r.piece[r.at:]
		part = part[:min(n, int64(len(part)))]
		use(part)
		r.at += len(part)
		n -= int64(len(part))
	}
	return nil
}

// bits reads a little-endian number of 1, 2, 4 or 8 bytes.
func (r *reader) bits(size int) (uint64, error) {
	if len(r.piece)-r.at >= size {
		bits := loadBits(r.piece[r.at:], size)
		r.at += size
		return bits, nil
	}
	at := 0
	if err := r.each(int64(size), func(part []byte) { at += copy(r.word[at:], part) }); err != nil {
		return 0, err
	}
	return loadBits(r.word[:], size), nil
}

func (r *reader) uint32() (uint32, error) {
	bits, err := r.bits(4)
	return uint32(bits), err
}

func (r *reader) uint64() (uint64, error) { return r.bits(8) }

// count reads a number of things of at least least bytes each, all of which must still fit.
func (r *reader) count(least int64) (int, error) {
	n, err := r.uint64()
	if err != nil {
		return 0, err
	}
	if n > uint64(r.remaining()/least) {
		return 0, r.fail("count or length %d is more than the rest of the header can hold (%d bytes)", n, r.remaining())
	}
	return int(n), nil
}

func (r *reader) string() (string, error) {
	n, err := r.count(1)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if n <= len(r.piece)-r.at {
		b.Grow(n)
	}
	err = r.each(int64(n), func(part []byte) { b.Write(part) })
	return b.String(), err
}

// strings reads n strings into one backing string.
func (r *reader) strings(n int) ([]string, error) {
	var all []byte
	ends := make([]uint32, 0, min(n, r.largePiece/4))
	for range n {
		// Nearly all lie in the piece at hand, and there may be half a million.
		if piece := r.piece[r.at:]; len(piece) >= 8 {
			if size := loadBits(piece, 8); size <= uint64(len(piece)-8) {
				all = append(all, piece[8:8+size]...)
				r.at += 8 + int(size)
				ends = append(ends, uint32(len(all)))
				continue
			}
		}
		size, err := r.count(1)
		if err != nil {
			return nil, err
		}
		if err := r.each(int64(size), func(part []byte) { all = append(all, part...) }); err != nil {
			return nil, err
		}
		ends = append(ends, uint32(len(all)))
	}
	text, out, start := string(all), make([]string, n), uint32(0)
	for i, end := range ends {
		out[i] = text[start:end]
		start = end
	}
	return out, nil
}

func (r *reader) bytes(n int64) ([]byte, error) {
	if err := r.need(n); err != nil {
		return nil, err
	}
	out := make([]byte, 0, min(n, int64(r.largePiece)))
	err := r.each(n, func(part []byte) { out = append(out, part...) })
	return out, err
}
