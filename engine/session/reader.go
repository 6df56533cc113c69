package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"iter"
	"slices"

	"quire/engine/sha256"
)

// Reader is a session that is read: all of it is there and sound but for its blocks, which lie where Runs says, and CheckSums is for.
type Reader struct {
	State
	Version int
	Kept    []byte // the state behind the blocks, where there is one

	at   int64  // of the blocks
	sums []byte // of all of them
}

// Open reads a session of at most so many bytes. Its errors are *Error, but for those of reading other than an early end.
func Open(from io.ReaderAt, size int64) (*Reader, error) {
	r := &Reader{}
	in := reader{r: io.NewSectionReader(from, 0, size), sum: sha256.New()}
	first, err := in.take("magic", len(magic))
	if damaged := (*Error)(nil); errors.As(err, &damaged) {
		return nil, &Error{"magic", ErrFormat, damaged.Why}
	}
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, []byte(magic)) {
		return nil, &Error{"magic", ErrFormat, "the file begins otherwise"}
	}
	in.sum.Write(first)
	start, err := in.take("header", 8)
	if err != nil {
		return nil, err
	}
	in.sum.Write(start)
	version := binary.LittleEndian.Uint32(start)
	if version < 1 || version > Version {
		return nil, &Error{"version", ErrFormat, fmt.Sprintf("it is %d, not 1 to %d", version, Version)}
	}
	r.Version = int(version)
	length := headerBytes + 4*headerMore[version]
	if n := binary.LittleEndian.Uint32(start[4:]); n != uint32(length) {
		return nil, &Error{"header", ErrFormat, fmt.Sprintf("it has %d bytes, not %d", n, length)}
	}
	header, err := in.section("header", length)
	if err != nil {
		return nil, err
	}
	copy(r.Fingerprint[:], header)
	var v [7]int
	for i := range (length - sha256.Size) / 4 {
		v[i] = int(binary.LittleEndian.Uint32(header[sha256.Size+4*i:]))
	}
	r.BlockSize, r.BlockBytes, r.Blocks, r.StateBytes = v[0], v[1], v[3], v[4]
	count, note := v[2], v[5]
	if r.StateBytes > blockMost || version == versionState && r.StateBytes < 1 || note > noteMost || version == versionNote && note < 1 {
		return nil, &Error{"header", ErrDamaged, fmt.Sprintf("a state of %d bytes and a note of %d cannot be", r.StateBytes, note)}
	}
	if r.BlockSize < 1 || r.BlockBytes < 1 || r.BlockBytes > blockMost || r.Blocks > count/r.BlockSize || count > 1<<30 {
		return nil, &Error{"header", ErrDamaged, fmt.Sprintf("%d tokens, %d blocks of %d tokens and %d bytes cannot be",
			count, r.Blocks, r.BlockSize, r.BlockBytes)}
	}
	if r.RunBlocks = v[6]; version == Version && (r.RunBlocks < 1 || r.RunBlocks > r.mostBlocks()) {
		return nil, &Error{"header", ErrDamaged, fmt.Sprintf("runs of %d blocks cannot be", r.RunBlocks)}
	}
	tokens, err := in.section("tokens", 4*count)
	if err != nil {
		return nil, err
	}
	for i := range count {
		token := int32(binary.LittleEndian.Uint32(tokens[4*i:]))
		if token < 0 {
			return nil, &Error{"tokens", ErrDamaged, fmt.Sprintf("token %d is %d", i, token)}
		}
		r.Tokens = append(r.Tokens, token)
	}
	if note > 0 {
		data, err := in.section("note", note)
		if err != nil {
			return nil, err
		}
		r.Note = bytes.Clone(data)
	}
	if version < Version {
		r.Blocks = 0
		return r, nil
	}
	return r, r.end(&in, size)
}

// end reads what follows the blocks.
func (r *Reader) end(in *reader, size int64) (err error) {
	if r.at, err = in.r.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	blocks := int64(r.Blocks) * int64(r.BlockBytes)
	if blocks > size-r.at {
		return &Error{"blocks", ErrDamaged, fmt.Sprintf("the file ends after %d of %d bytes", size-r.at, blocks)}
	}
	if _, err = in.r.Seek(blocks, io.SeekCurrent); err != nil {
		return err
	}
	if r.hasState() {
		data, err := in.checked("state", r.StateBytes, r.StateBytes)
		if err != nil {
			return err
		}
		r.Kept = bytes.Clone(data)
	}
	count := 0
	for run := range r.State.Runs() {
		count += parts(run.Bytes)
	}
	data, err := in.section("sums", count*sha256.Size)
	if err != nil {
		return err
	}
	r.sums = bytes.Clone(data)
	want := in.sum.Sum(nil)
	total, err := in.take("checksum", len(want))
	if err != nil {
		return err
	}
	if !bytes.Equal(total, want) {
		return &Error{"checksum", ErrDamaged, "it does not fit what was read"}
	}
	return nil
}

// Runs gives the runs in order, with their places.
func (r *Reader) Runs() iter.Seq[Run] {
	return func(yield func(Run) bool) {
		for run := range r.State.Runs() {
			run.At = r.at + int64(run.First)*int64(r.BlockBytes)
			if !yield(run) {
				return
			}
		}
	}
}

// End is where the blocks end.
func (r *Reader) End() int64 { return r.at + int64(r.Blocks)*int64(r.BlockBytes) }

// CheckSums says whether a run was read as it was written.
func (r *Reader) CheckSums(run Run, sums []byte) error {
	before := run.First / r.RunBlocks * parts(r.RunBytes()) * sha256.Size
	if want := r.sums[before:][:parts(run.Bytes)*sha256.Size]; !bytes.Equal(sums, want) {
		return &Error{fmt.Sprintf("blocks %d to %d", run.First, run.First+run.Blocks-1), ErrDamaged, "their checksum does not fit"}
	}
	return nil
}

type reader struct {
	r   *io.SectionReader
	sum hash.Hash // of what sections are read
	buf []byte    // what was read last
}

// take reads n bytes, a piece at a time: a number in a damaged file must not cost memory that the file does not fill.
func (in *reader) take(part string, n int) ([]byte, error) {
	in.buf = in.buf[:0]
	for len(in.buf) < n {
		at := len(in.buf)
		more := min(n-at, piece)
		in.buf = slices.Grow(in.buf, more)[:at+more]
		got, err := io.ReadFull(in.r, in.buf[at:])
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, &Error{part, ErrDamaged, fmt.Sprintf("the file ends after %d of %d bytes", at+got, n)}
		}
		if err != nil {
			return nil, fmt.Errorf("session: reading %s: %w", part, err)
		}
	}
	return in.buf, nil
}

// section reads n bytes and their checksum.
func (in *reader) section(part string, n int) ([]byte, error) { return in.checked(part, n, 0) }

// checked reads n bytes and their checksum, and adds them to the sum from an offset on.
func (in *reader) checked(part string, n, from int) ([]byte, error) {
	data, err := in.take(part, n+4)
	if err != nil {
		return nil, err
	}
	if binary.LittleEndian.Uint32(data[n:]) != crc32.Checksum(data[:n], castagnoli) {
		return nil, &Error{part, ErrDamaged, "its checksum does not fit"}
	}
	in.sum.Write(data[from:])
	return data[:n], nil
}
