package session

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func example() *State {
	s := &State{Fingerprint: Fingerprint{1, 2, 3}, Tokens: []int32{5, 6, 7, 8, 9, 1 << 30, 11}, BlockSize: 2, BlockBytes: 24}
	for i := range 3 * s.BlockBytes {
		s.Blocks = append(s.Blocks, byte(i*7))
	}
	return s
}

func written(t testing.TB, s *State) []byte {
	var b bytes.Buffer
	n, err := s.WriteTo(&b)
	require.NoError(t, err)
	require.Equal(t, int64(b.Len()), n)
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	for _, s := range []*State{example(), {BlockSize: 16, BlockBytes: 1, Tokens: []int32{3}}, {BlockSize: 1, BlockBytes: 1}} {
		r := io.MultiReader(bytes.NewReader(written(t, s)), bytes.NewReader([]byte("rest")))
		got, err := Read(r)
		require.NoError(t, err)
		assert.Equal(t, s, got)
		rest, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.Equal(t, "rest", string(rest), "read to its end and no further")
	}
}

// A file cut short or altered anywhere is refused with an error that says where.
func TestDamage(t *testing.T) {
	file := written(t, example())
	check := func(data []byte, what string, at int) {
		s, err := Read(bytes.NewReader(data))
		var e *Error
		if !assert.True(t, errors.As(err, &e), "%s at %d: %v", what, at, err) {
			return
		}
		assert.Nil(t, s)
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
		{16 + headerBytes + 4 + 9, "tokens", ErrDamaged}, {16 + headerBytes + 4 + 7*4 + 4 + 28 + 3, "block 1", ErrDamaged},
		{len(file) - 1, "checksum", ErrDamaged}} {
		bad := bytes.Clone(file)
		bad[test.at] ^= 4
		_, err := Read(bytes.NewReader(bad))
		var e *Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, test.part, e.Part)
		require.ErrorIs(t, err, test.err)
	}
}

func TestCheck(t *testing.T) {
	s := example()
	require.NoError(t, s.Check(Fingerprint{1, 2, 3}, 2, 24))
	require.ErrorIs(t, s.Check(Fingerprint{1, 2, 4}, 2, 24), ErrModel)
	require.ErrorIs(t, s.Check(Fingerprint{1, 2, 3}, 4, 24), ErrModel)
	require.ErrorIs(t, s.Check(Fingerprint{1, 2, 3}, 2, 48), ErrModel)
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Read([]byte) (int, error)  { return 0, errBroken }
func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestReaderErrors(t *testing.T) {
	_, err := Read(io.MultiReader(bytes.NewReader(written(t, example())[:40]), broken{}))
	require.ErrorIs(t, err, errBroken)
	_, err = example().WriteTo(broken{})
	require.ErrorIs(t, err, errBroken)
}

func FuzzRead(f *testing.F) {
	f.Add(written(f, example()))
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Read(bytes.NewReader(data))
		if err != nil {
			var e *Error
			require.ErrorAs(t, err, &e)
			return
		}
		again := written(t, s)
		require.Equal(t, again, data[:len(again)])
	})
}
