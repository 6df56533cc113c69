// Package session is the file format of a saved conversation: its tokens, the K and V of its leading whole blocks as the cache
// holds them, and the state behind those of a model that keeps one. It knows no model and no GPU.
//
// A file is, little-endian: a magic number, the version, and the header's length (u32 each but for the magic's 8 bytes); the header
// (fingerprint, then block size, bytes of a block, number of tokens and of blocks, bytes of the state and of the note, and blocks of a run as
// u32); the tokens; the note, where there is one; the blocks; the state behind them, where there are any; and the sums of the blocks. Each
// of these but the blocks is followed by its CRC-32C, so that damage is found before it is believed. The end is the SHA-256 of all before it
// but the blocks, for which their sums stand, and the state, for which its CRC-32C does: a browser takes long for the SHA-256 of what a GPU
// computes in no time.
//
// Blocks come in runs of at most runBytes: what a layer keeps of all blocks of a run lies together, so that few copies bring it to the GPU. Their
// sums are the SHA-256 of each PartBytes of a run, which several threads make at once.
//
// The versions before had other blocks, which are not read: what they held is computed again.
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
	"sync"

	"quire/engine/sha256"
)

// Version is that of what is written; of those before all but the blocks is read.
const Version = 5

const (
	versionState = 2
	versionNote  = 3
)

const (
	// PartBytes is how much of a run has a SHA-256 of its own.
	PartBytes = 4 << 20

	magic       = "QuireKV\n"
	headerBytes = sha256.Size + 4*4 // of the first version
	runBytes    = 32 << 20          // of whole blocks, or one block
	blockMost   = 1 << 30           // bytes of a block: more is no cache's
	noteMost    = 1 << 28           // bytes of a note
	piece       = 1 << 20           // bytes that are believed at once
)

// headerMore is how many numbers each version's header has that the first has not.
var headerMore = [Version + 1]int{versionState: 1, versionNote: 2, 4: 2, Version: 3}

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
	Part string // "magic", "version", "header", "tokens", "blocks 64 to 127", "checksum"
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
	RunBlocks   int // of a run, but for the last; 0, to NewWriter: as many as runBytes hold
	StateBytes  int // of the state after those tokens; 0: the model keeps none

	Note []byte // what the host keeps beside the tokens, such as the messages that they are of; may be empty
}

// hasState says whether the state follows the blocks.
func (s *State) hasState() bool { return s.StateBytes > 0 && s.Blocks > 0 }

// mostBlocks is how many blocks a run may have.
func (s *State) mostBlocks() int { return max(1, runBytes/max(1, s.BlockBytes)) }

// Run is blocks that lie together.
type Run struct {
	First, Blocks int
	At            int64 // in the file, of one that is read
	Bytes         int
}

// Runs gives a session's runs in order.
func (s *State) Runs() iter.Seq[Run] {
	return func(yield func(Run) bool) {
		for at := 0; at < s.Blocks; at += s.RunBlocks {
			n := min(s.RunBlocks, s.Blocks-at)
			if !yield(Run{First: at, Blocks: n, Bytes: n * s.BlockBytes}) {
				return
			}
		}
	}
}

// RunBytes is the size of all runs but the last, which may be smaller.
func (s *State) RunBytes() int { return min(s.RunBlocks, s.Blocks) * s.BlockBytes }

// parts is how many sums so many bytes of a run have.
func parts(bytes int) int { return (bytes + PartBytes - 1) / PartBytes }

// Sums gives the sums of a run's bytes.
func Sums(data []byte) []byte {
	sums := make([]byte, parts(len(data))*sha256.Size)
	var all sync.WaitGroup
	for i := range parts(len(data)) {
		all.Go(func() {
			sum := sha256.Sum256(data[i*PartBytes : min((i+1)*PartBytes, len(data))])
			copy(sums[i*sha256.Size:], sum[:])
		})
	}
	all.Wait()
	return sums
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Writer writes a session.
type Writer struct {
	out   output
	left  int64 // bytes of blocks that are to come
	sums  []byte
	state int // bytes of the state that is to come
}

// NewWriter begins a session. Its runs are to follow, its state, and then Close.
func NewWriter(to io.Writer, s *State) (*Writer, error) {
	if s.RunBlocks == 0 {
		s.RunBlocks = s.mostBlocks()
	}
	w := &Writer{left: int64(s.Blocks) * int64(s.BlockBytes)}
	if s.hasState() {
		w.state = s.StateBytes
	}
	w.out.w, w.out.sum = to, sha256.New()
	start := append([]byte(magic), make([]byte, 8)...)
	header := append([]byte(nil), s.Fingerprint[:]...)
	for _, v := range []int{s.BlockSize, s.BlockBytes, len(s.Tokens), s.Blocks, s.StateBytes, len(s.Note), s.RunBlocks} {
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

// Run writes the next run.
func (w *Writer) Run(data []byte) error {
	if int64(len(data)) > w.left {
		return fmt.Errorf("session: %d bytes of blocks, where %d are to come", len(data), w.left)
	}
	w.left -= int64(len(data))
	w.sums = append(w.sums, Sums(data)...)
	w.out.put(data)
	return w.out.err
}

// Written says that all runs, of these sums, have been written where the rest goes.
func (w *Writer) Written(s *State, sums []byte) error {
	count := 0
	for run := range s.Runs() {
		count += parts(run.Bytes)
	}
	if len(w.sums) > 0 || len(sums) != count*sha256.Size {
		return fmt.Errorf("session: %d bytes of sums of blocks in %d parts", len(sums), count)
	}
	w.left, w.sums = 0, sums
	return nil
}

// State writes the state, after the blocks, if there are any.
func (w *Writer) State(data []byte) error {
	if w.left > 0 || w.state == 0 || len(data) != w.state {
		return fmt.Errorf("session: a state of %d bytes, with %d bytes of blocks and a state of %d to come", len(data), w.left, w.state)
	}
	w.state = 0
	w.out.large(data)
	return w.out.err
}

// Close ends the session. The writer below stays open.
func (w *Writer) Close() error {
	if w.left > 0 || w.state > 0 {
		return fmt.Errorf("session: %d bytes of blocks and a state of %d are not written", w.left, w.state)
	}
	w.out.section(w.sums)
	w.out.put(w.out.sum.Sum(nil))
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
