package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/sha256"
)

func example() *State {
	return &State{Fingerprint: Fingerprint{1, 2, 3}, Tokens: []int32{5, 6, 7, 8, 9, 1 << 30, 11}, BlockSize: 2, BlockBytes: 24, Blocks: 3}
}

// exampleState is an example of a model that keeps a state.
func exampleState() *State {
	s := example()
	s.StateBytes = 20
	return s
}

// exampleNote is an example with a note.
func exampleNote() *State {
	s := example()
	s.Note = []byte(`[{"role":"user","content":"Hi."}]`)
	return s
}

// state is what a session's state holds.
func state(s *State) []byte { return bytes.Repeat([]byte{9}, s.StateBytes) }

// block is what a block of an example holds.
func block(s *State, i int) []byte {
	data := make([]byte, s.BlockBytes)
	for k := range data {
		data[k] = byte((i*s.BlockBytes + k) * 7)
	}
	return data
}

func write(to io.Writer, s *State, block func(*State, int) []byte) error {
	w, err := NewWriter(to, s)
	if err != nil {
		return err
	}
	for i := range s.Blocks {
		if err := w.Block(block(s, i)); err != nil {
			return err
		}
	}
	if s.hasState() {
		if err := w.State(state(s)); err != nil {
			return err
		}
	}
	return w.Close()
}

func written(t testing.TB, s *State) []byte {
	var b bytes.Buffer
	require.NoError(t, write(&b, s, block))
	return b.Bytes()
}

// read reads a session to its end.
func read(r io.Reader) (*State, [][]byte, error) {
	in, err := NewReader(r)
	if err != nil {
		return nil, nil, err
	}
	var blocks [][]byte
	for range in.Blocks {
		data, err := in.Block()
		if err != nil {
			return nil, nil, err
		}
		blocks = append(blocks, bytes.Clone(data))
	}
	data, err := in.StateData()
	if err != nil {
		return nil, nil, err
	}
	if in.hasState() && !bytes.Equal(data, state(&in.State)) {
		return nil, nil, errors.New("the state is another")
	}
	if err := in.Close(); err != nil {
		return nil, nil, err
	}
	return &in.State, blocks, nil
}

func TestRoundTrip(t *testing.T) {
	both := exampleState()
	both.Note = []byte("a note")
	for _, s := range []*State{example(), exampleState(), exampleNote(), both, {BlockSize: 16, BlockBytes: 1, Tokens: []int32{3}, StateBytes: 8}, {BlockSize: 16, BlockBytes: 1, Tokens: []int32{3}}, {BlockSize: 1, BlockBytes: 1}} {
		r := io.MultiReader(bytes.NewReader(written(t, s)), bytes.NewReader([]byte("rest")))
		got, blocks, err := read(r)
		require.NoError(t, err)
		assert.Equal(t, s, got)
		for i, data := range blocks {
			assert.Equal(t, block(s, i), data)
		}
		rest, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.Equal(t, "rest", string(rest), "read to its end and no further")
	}
}

// A file cut short or altered anywhere is refused with an error that says where.
func TestDamage(t *testing.T) {
	testDamage(t, written(t, example()))
	testDamage(t, written(t, exampleState()))
	testDamage(t, written(t, exampleNote()))
}

func testDamage(t *testing.T, file []byte) {
	check := func(data []byte, what string, at int) {
		err := Verify(bytes.NewReader(data))
		var e *Error
		if !assert.True(t, errors.As(err, &e), "%s at %d: %v", what, at, err) {
			return
		}
		assert.True(t, errors.Is(err, ErrFormat) || errors.Is(err, ErrDamaged), "%v", err)
		assert.NotEmpty(t, e.Part)
	}
	for at := range file {
		check(file[:at], "cut", at)
		for _, flip := range []byte{1, 0x80, 0xff} {
			bad := bytes.Clone(file)
			bad[at] ^= flip
			check(bad, "altered", at)
		}
	}
}

func TestErrorsNameThePart(t *testing.T) {
	file := written(t, example())
	for _, test := range []struct {
		at   int
		part string
		err  error
	}{{0, "magic", ErrFormat}, {8, "version", ErrFormat}, {12, "header", ErrFormat}, {20, "header", ErrDamaged},
		{16 + headerBytes + 8 + 4 + 9, "tokens", ErrDamaged}, {16 + headerBytes + 8 + 4 + 7*4 + 4 + 28 + 3, "block 1", ErrDamaged},
		{len(file) - 1, "checksum", ErrDamaged}} {
		bad := bytes.Clone(file)
		bad[test.at] ^= 4
		err := Verify(bytes.NewReader(bad))
		var e *Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, test.part, e.Part)
		require.ErrorIs(t, err, test.err)
	}
	require.ErrorIs(t, Verify(strings.NewReader("hello\n")), ErrFormat, "shorter than the magic")
	require.ErrorIs(t, Verify(bytes.NewReader(file[:12])), ErrDamaged)
}

func TestCheck(t *testing.T) {
	s := example()
	require.NoError(t, s.Check(Fingerprint{1, 2, 3}, 2, 24, 0))
	require.ErrorIs(t, s.Check(Fingerprint{1, 2, 4}, 2, 24, 0), ErrModel)
	require.ErrorIs(t, s.Check(Fingerprint{1, 2, 3}, 4, 24, 0), ErrModel)
	require.ErrorIs(t, s.Check(Fingerprint{1, 2, 3}, 2, 48, 0), ErrModel)
	require.ErrorIs(t, s.Check(Fingerprint{1, 2, 3}, 2, 24, 8), ErrModel, "a state that the file does not have")
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Read([]byte) (int, error)  { return 0, errBroken }
func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestReaderErrors(t *testing.T) {
	require.ErrorIs(t, Verify(io.MultiReader(bytes.NewReader(written(t, example())[:40]), broken{})), errBroken)
	require.ErrorIs(t, write(broken{}, example(), block), errBroken)
}

// What programs before have written is read: the files are theirs.
func TestVersions(t *testing.T) {
	assert.Equal(t, byte(Version), written(t, example())[len(magic)])
	for version, want := range map[int]*State{1: example(), versionState: exampleState(), versionNote: exampleNote()} {
		file, err := os.ReadFile(fmt.Sprintf("testdata/version-%d.session", version))
		require.NoError(t, err)
		require.Equal(t, byte(version), file[len(magic)])
		got, blocks, err := read(bytes.NewReader(file))
		require.NoError(t, err)
		assert.Equal(t, want, got)
		for i, data := range blocks {
			assert.Equal(t, block(want, i), data)
		}
		testDamage(t, file)
	}
}

// Blocks that have changed places do not go unnoticed, though each fits its checksum.
func TestOrderOfBlocks(t *testing.T) {
	s := example()
	file, n := written(t, s), s.BlockBytes+4
	start := len(file) - sha256.Size - 3*n
	bad := slices.Concat(file[:start], file[start+n:start+2*n], file[start:start+n], file[start+2*n:])
	var e *Error
	require.ErrorAs(t, Verify(bytes.NewReader(bad)), &e)
	assert.Equal(t, "checksum", e.Part)
}

// A writer is held to what it announced.
func TestWriterCountsBlocks(t *testing.T) {
	s := example()
	w, err := NewWriter(io.Discard, s)
	require.NoError(t, err)
	require.Error(t, w.Block(make([]byte, s.BlockBytes-1)))
	require.NoError(t, w.Block(block(s, 0)))
	require.Error(t, w.Close(), "two blocks are missing")
	require.NoError(t, w.Block(block(s, 1)))
	require.NoError(t, w.Block(block(s, 2)))
	require.Error(t, w.Block(block(s, 3)))
	require.NoError(t, w.Close())
}

func FuzzRead(f *testing.F) {
	f.Add(written(f, example()))
	f.Add(written(f, exampleNote()))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, blocks, err := read(bytes.NewReader(data))
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			return
		}
		var again bytes.Buffer
		require.NoError(t, write(&again, s, func(_ *State, i int) []byte { return blocks[i] }))
		same, others, err := read(&again)
		require.NoError(t, err)
		require.Equal(t, s, same)
		require.Equal(t, blocks, others)
	})
}
