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
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
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
