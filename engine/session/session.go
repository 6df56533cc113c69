// Package session is the file format of a saved conversation: its tokens, the K and V of its leading whole blocks as the cache
// holds them, and the state behind those of a model that keeps one. It knows no model and no GPU.
//
// A file is, little-endian: a magic number, the version, and the header's length (u32 each but for the magic's 8 bytes); the header
// (fingerprint, then block size, bytes of a block, number of tokens and of blocks, bytes of the state and of the note as u32); the tokens;
// the note, where there is one; the blocks; and the state behind them, where there are any. Each of these is followed by its CRC-32C, so
// that damage is found before it is believed. The end is the SHA-256 of all before it but the blocks and the state, for which their
// CRC-32C stand: a browser takes long for the SHA-256 of what a GPU computes in no time.
//
// The versions before had the SHA-256 of all at their end, the first no state and no note, and the second no note in its header.
package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"slices"

	"quire/engine/sha256"
)

// Version is that of what is written; those before are read.
const Version = 4

const (
	versionState = 2
	versionNote  = 3
)

const (
	magic       = "QuireKV\n"
	headerBytes = sha256.Size + 4*4 // of the first version
	versionRest = 2                 // numbers that the header has had since
	blockMost   = 1 << 30           // bytes of a block: more is no cache's
	noteMost    = 1 << 28           // bytes of a note
	piece       = 1 << 20           // bytes that are believed at once
)

var (
	// ErrFormat says that a file is no session, or of another version.
	ErrFormat = errors.New("session: this is no conversation that this version reads")
	// ErrDamaged says that a file is cut short or altered.
	ErrDamaged = errors.New("session: the file is damaged")
	// ErrModel says that a session was saved with another model, or with other settings of the cache.
	ErrModel = errors.New("session: the conversation does not fit")
)

// Error says which part of a file is wrong; it wraps ErrFormat, ErrDamaged or ErrModel.
type Error struct {
	Part string // "magic", "version", "header", "tokens", "block 3", "checksum"
	Err  error
	Why  string
}

func (e *Error) Error() string { return fmt.Sprintf("%v: %s: %s", e.Err, e.Part, e.Why) }

func (e *Error) Unwrap() error { return e.Err }

// Fingerprint names what K and V depend on: the model, and how its cache is laid out.
type Fingerprint [sha256.Size]byte

// State is a conversation as it is saved, but for its blocks: those are written and read one after another.
type State struct {
	Fingerprint Fingerprint
	Tokens      []int32
	BlockSize   int // tokens a block
	BlockBytes  int // of a block of K and V, all layers
	Blocks      int // of the first Blocks · BlockSize tokens
	StateBytes  int // of the state after those tokens; 0: the model keeps none

	Note []byte // what the host keeps beside the tokens, such as the messages that they are of; may be empty
}

// hasState says whether the state follows the blocks.
func (s *State) hasState() bool { return s.StateBytes > 0 && s.Blocks > 0 }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Writer writes a session.
type Writer struct {
	out   output
	sum   hash.Hash
	left  int // blocks
	bytes int // of a block
	state int // bytes of the state that is to come
}

// NewWriter begins a session. Its blocks are to follow, and then Close.
func NewWriter(to io.Writer, s *State) (*Writer, error) {
	w := &Writer{sum: sha256.New(), left: s.Blocks, bytes: s.BlockBytes}
	if s.hasState() {
		w.state = s.StateBytes
	}
	w.out.w, w.out.sum = to, w.sum
	start := append([]byte(magic), make([]byte, 8)...)
	header := append([]byte(nil), s.Fingerprint[:]...)
	for _, v := range []int{s.BlockSize, s.BlockBytes, len(s.Tokens), s.Blocks, s.StateBytes, len(s.Note)} {
		header = binary.LittleEndian.AppendUint32(header, uint32(v))
	}
	binary.LittleEndian.PutUint32(start[8:], Version)
	binary.LittleEndian.PutUint32(start[12:], uint32(len(header)))
	tokens := make([]byte, 0, 4*len(s.Tokens))
	for _, t := range s.Tokens {
		tokens = binary.LittleEndian.AppendUint32(tokens, uint32(t))
	}
	w.out.write(start)
	w.out.section(header)
	w.out.section(tokens)
	if len(s.Note) > 0 {
		w.out.section(s.Note)
	}
	return w, w.out.err
}

// Block writes the next block.
func (w *Writer) Block(data []byte) error {
	if w.left == 0 || len(data) != w.bytes {
		return fmt.Errorf("session: a block of %d bytes, with %d blocks of %d bytes to come", len(data), w.left, w.bytes)
	}
	w.left--
	w.out.large(data)
	return w.out.err
}

// State writes the state, after the blocks, if there are any.
func (w *Writer) State(data []byte) error {
	if w.left > 0 || w.state == 0 || len(data) != w.state {
		return fmt.Errorf("session: a state of %d bytes, with %d blocks and a state of %d bytes to come", len(data), w.left, w.state)
	}
	w.state = 0
	w.out.large(data)
	return w.out.err
}

// Close ends the session. The writer below stays open.
func (w *Writer) Close() error {
	if w.left > 0 || w.state > 0 {
		return fmt.Errorf("session: %d blocks and a state of %d bytes are not written", w.left, w.state)
	}
	w.out.put(w.sum.Sum(nil))
	return w.out.err
}

// output writes until the first error.
type output struct {
	w   io.Writer
	sum hash.Hash // of what is written, but for large sections
	err error
}

func (c *output) put(data []byte) {
	if c.err == nil {
		_, c.err = c.w.Write(data)
	}
}

func (c *output) write(data []byte) {
	c.put(data)
	c.sum.Write(data)
}

// section writes data and its checksum.
func (c *output) section(data []byte) {
	c.write(data)
	c.write(binary.LittleEndian.AppendUint32(nil, crc32.Checksum(data, castagnoli)))
}

// large does the same with data for which its checksum stands in the sum.
func (c *output) large(data []byte) {
	c.put(data)
	c.write(binary.LittleEndian.AppendUint32(nil, crc32.Checksum(data, castagnoli)))
}

// Check says whether the state was saved where it is to be used.
func (s *State) Check(f Fingerprint, blockSize, blockBytes, stateBytes int) error {
	switch {
	case s.Fingerprint != f:
		return &Error{"header", ErrModel, "the fingerprint differs"}
	case s.BlockSize != blockSize || s.BlockBytes != blockBytes:
		return &Error{"header", ErrModel, fmt.Sprintf("blocks of %d tokens and %d bytes, the cache has %d and %d",
			s.BlockSize, s.BlockBytes, blockSize, blockBytes)}
	case s.StateBytes != stateBytes:
		return &Error{"header", ErrModel, fmt.Sprintf("a state of %d bytes, the cache has %d", s.StateBytes, stateBytes)}
	}
	return nil
}

// Reader reads a session. Its errors are *Error, but for those of what it reads from other than an early end.
type Reader struct {
	State
	in   reader
	sum  hash.Hash
	next int // block
}

// NewReader reads a session's beginning.
func NewReader(from io.Reader) (*Reader, error) {
	r := &Reader{sum: sha256.New()}
	r.in.r, r.in.sum = from, r.sum
	first, err := r.in.take("magic", len(magic))
	if damaged := (*Error)(nil); errors.As(err, &damaged) {
		return nil, &Error{"magic", ErrFormat, damaged.Why}
	}
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, []byte(magic)) {
		return nil, &Error{"magic", ErrFormat, "the file begins otherwise"}
	}
	r.sum.Write(first)
	start, err := r.in.take("header", 8)
	if err != nil {
		return nil, err
	}
	r.sum.Write(start)
	version := binary.LittleEndian.Uint32(start)
	if version < 1 || version > Version {
		return nil, &Error{"version", ErrFormat, fmt.Sprintf("it is %d, not 1 to %d", version, Version)}
	}
	r.in.all = version < Version
	length := headerBytes + 4*min(int(version)-1, versionRest)
	if n := binary.LittleEndian.Uint32(start[4:]); n != uint32(length) {
		return nil, &Error{"header", ErrFormat, fmt.Sprintf("it has %d bytes, not %d", n, length)}
	}
	header, err := r.in.section("header", length)
	if err != nil {
		return nil, err
	}
	copy(r.Fingerprint[:], header)
	var v [6]int
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
	tokens, err := r.in.section("tokens", 4*count)
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
		data, err := r.in.section("note", note)
		if err != nil {
			return nil, err
		}
		r.Note = bytes.Clone(data)
	}
	return r, nil
}

// Trust has blocks and the state believed that Verify has read before, where nobody can have changed them since.
func (r *Reader) Trust() { r.in.ok = true }

// Block reads the next block, of which there are Blocks. What it gives is good until the next call.
func (r *Reader) Block() ([]byte, error) {
	r.next++
	return r.in.large(fmt.Sprintf("block %d", r.next-1), r.BlockBytes)
}

// StateData reads the state, after the blocks; nil where there is none.
func (r *Reader) StateData() ([]byte, error) {
	if !r.hasState() {
		return nil, nil
	}
	return r.in.large("state", r.StateBytes)
}

// Close reads a session's end, after its blocks and state and no further.
func (r *Reader) Close() error {
	want := r.sum.Sum(nil)
	total, err := r.in.take("checksum", len(want))
	if err != nil {
		return err
	}
	if !bytes.Equal(total, want) {
		return &Error{"checksum", ErrDamaged, "it does not fit what was read"}
	}
	return nil
}

// Verify reads a session to its end and keeps nothing of it.
func Verify(from io.Reader) error {
	r, err := NewReader(from)
	if err != nil {
		return err
	}
	for range r.Blocks {
		if _, err := r.Block(); err != nil {
			return err
		}
	}
	if _, err := r.StateData(); err != nil {
		return err
	}
	return r.Close()
}

type reader struct {
	r   io.Reader
	sum hash.Hash // of what sections are read
	all bool      // of large ones, too
	ok  bool      // large ones are known to be sound
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

// large does the same for what has only its checksum in the sum.
func (in *reader) large(part string, n int) ([]byte, error) {
	if in.all {
		return in.checked(part, n, 0)
	}
	return in.checked(part, n, n)
}

// checked reads n bytes and their checksum, and adds them to the sum from an offset on.
func (in *reader) checked(part string, n, from int) ([]byte, error) {
	data, err := in.take(part, n+4)
	if err != nil {
		return nil, err
	}
	if !(in.ok && from > 0) && binary.LittleEndian.Uint32(data[n:]) != crc32.Checksum(data[:n], castagnoli) {
		return nil, &Error{part, ErrDamaged, "its checksum does not fit"}
	}
	in.sum.Write(data[from:])
	return data[:n], nil
}
