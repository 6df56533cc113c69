package session

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
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
	for run := range s.Runs() {
		var data []byte
		for i := range run.Blocks {
			data = append(data, block(s, run.First+i)...)
		}
		if err := w.Run(data); err != nil {
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

// read reads a session, with its blocks.
func read(file []byte) (*State, [][]byte, error) {
	in, err := Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, nil, err
	}
	var blocks [][]byte
	for run := range in.Runs() {
		data := file[run.At:][:run.Bytes]
		if err := in.CheckSums(run, Sums(data)); err != nil {
			return nil, nil, err
		}
		blocks = slices.AppendSeq(blocks, slices.Chunk(data, in.BlockBytes))
	}
	if in.hasState() && !bytes.Equal(in.Kept, state(&in.State)) {
		return nil, nil, errors.New("the state is another")
	}
	return &in.State, blocks, nil
}

func verify(file []byte) error {
	_, _, err := read(file)
	return err
}

func TestRoundTrip(t *testing.T) {
	both := exampleState()
	both.Note = []byte("a note")
	for _, s := range []*State{example(), exampleState(), exampleNote(), both, {BlockSize: 16, BlockBytes: 1, Tokens: []int32{3}, StateBytes: 8}, {BlockSize: 16, BlockBytes: 1, Tokens: []int32{3}}, {BlockSize: 1, BlockBytes: 1}} {
		got, blocks, err := read(append(written(t, s), "rest"...))
		require.NoError(t, err)
		assert.Equal(t, s, got)
		for i, data := range blocks {
			assert.Equal(t, block(s, i), data)
		}
	}
}

// Blocks come in runs, whose parts have sums of their own.
func TestRuns(t *testing.T) {
	s := &State{Tokens: make([]int32, 9), BlockSize: 2, BlockBytes: 12 << 20, Blocks: 4}
	file := written(t, s)
	in, err := Open(bytes.NewReader(file), int64(len(file)))
	require.NoError(t, err)
	runs := slices.Collect(in.Runs())
	require.Len(t, runs, 2)
	assert.Equal(t, Run{First: 2, Blocks: 2, At: runs[0].At + 24<<20, Bytes: 24 << 20}, runs[1])
	assert.Equal(t, 24<<20, s.RunBytes())
	for _, run := range runs {
		data := file[run.At:][:run.Bytes]
		sums := Sums(data)
		assert.Len(t, sums, 6*sha256.Size)
		require.NoError(t, in.CheckSums(run, sums))
		data[PartBytes]++
		err := in.CheckSums(run, Sums(data))
		require.ErrorIs(t, err, ErrDamaged)
		assert.Contains(t, err.Error(), fmt.Sprintf("blocks %d to %d", run.First, run.First+1))
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
		err := verify(data)
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
	}{{0, "magic", ErrFormat}, {9, "version", ErrFormat}, {12, "header", ErrFormat}, {20, "header", ErrDamaged},
		{16 + headerBytes + 12 + 4 + 9, "tokens", ErrDamaged}, {16 + headerBytes + 12 + 4 + 7*4 + 4 + 28 + 3, "blocks 0 to 2", ErrDamaged},
		{len(file) - 1, "checksum", ErrDamaged}} {
		bad := bytes.Clone(file)
		bad[test.at] ^= 4
		err := verify(bad)
		var e *Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, test.part, e.Part)
		require.ErrorIs(t, err, test.err)
	}
	require.ErrorIs(t, verify([]byte("hello\n")), ErrFormat, "shorter than the magic")
	require.ErrorIs(t, verify(file[:12]), ErrDamaged)
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

func (broken) ReadAt([]byte, int64) (int, error) { return 0, errBroken }
func (broken) Write([]byte) (int, error)         { return 0, errBroken }

func TestReaderErrors(t *testing.T) {
	_, err := Open(broken{}, 100)
	require.ErrorIs(t, err, errBroken)
	require.ErrorIs(t, write(broken{}, example(), block), errBroken)
}

// What programs before have written is read, but for the blocks: the files are theirs.
func TestVersions(t *testing.T) {
	assert.Equal(t, byte(Version), written(t, example())[len(magic)])
	for version, want := range map[int]*State{1: example(), versionState: exampleState(), versionNote: exampleNote(), 4: exampleNote()} {
		file, err := os.ReadFile(fmt.Sprintf("testdata/version-%d.session", version))
		require.NoError(t, err)
		require.Equal(t, byte(version), file[len(magic)])
		got, blocks, err := read(file)
		require.NoError(t, err)
		want.Blocks = 0
		assert.Equal(t, want, got)
		assert.Empty(t, blocks)
		require.ErrorIs(t, verify(file[:90]), ErrDamaged)
	}
}

// A writer is held to what it announced.
func TestWriterCountsBlocks(t *testing.T) {
	s := example()
	w, err := NewWriter(io.Discard, s)
	require.NoError(t, err)
	all := make([]byte, 3*s.BlockBytes)
	require.Error(t, w.Run(append(all, 0)))
	require.NoError(t, w.Run(all[:s.BlockBytes]))
	require.Error(t, w.Close(), "two blocks are missing")
	require.Error(t, w.Written(s, make([]byte, sha256.Size)), "some came otherwise")
	require.NoError(t, w.Run(all[s.BlockBytes:]))
	require.Error(t, w.Run(all[:1]))
	require.NoError(t, w.Close())

	var file bytes.Buffer
	w, err = NewWriter(&file, s)
	require.NoError(t, err)
	file.Write(all)
	require.Error(t, w.Written(s, nil))
	require.NoError(t, w.Written(s, Sums(all)))
	require.NoError(t, w.Close())
	require.NoError(t, verify(file.Bytes()))
}

func FuzzRead(f *testing.F) {
	f.Add(written(f, example()))
	f.Add(written(f, exampleNote()))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, blocks, err := read(data)
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			return
		}
		var again bytes.Buffer
		require.NoError(t, write(&again, s, func(_ *State, i int) []byte { return blocks[i] }))
		same, others, err := read(again.Bytes())
		require.NoError(t, err)
		require.Equal(t, s, same)
		require.Equal(t, blocks, others)
	})
}
