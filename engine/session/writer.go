package session

import (
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"quire/engine/sha256"
)

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
