package testdata

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadAtAgreesWithBytes(t *testing.T) {
	const name = "models/quire-tales.gguf"
	whole := Bytes(t, name)
	require.Equal(t, "GGUF", string(whole[:4]))
	f, size := Open(t, name)
	defer f.Close()
	require.Equal(t, int64(len(whole)), size)
	for _, at := range []struct{ offset, n int64 }{
		{0, 1}, {1, 3}, {1<<20 - 3, 7}, {1 << 20, 5}, {5, 1<<20 + 9}, {size - 4, 4}, {size - 9, 9},
	} {
		if at.offset+at.n > size {
			continue
		}
		got := make([]byte, at.n)
		n, err := f.ReadAt(got, at.offset)
		require.NoError(t, err)
		require.Equal(t, int(at.n), n)
		require.Equal(t, whole[at.offset:at.offset+at.n], got, "%d bytes at %d", at.n, at.offset)
	}
	n, err := f.ReadAt(make([]byte, 8), size-3)
	require.Equal(t, 3, n)
	require.ErrorIs(t, err, io.EOF)
	_, err = f.ReadAt(make([]byte, 1), size+10)
	require.ErrorIs(t, err, io.EOF)
}

// asked stands in for a test that opens a file, and notes how it ended.
type asked struct {
	testing.TB
	said string
}

func (a *asked) Helper()                           {}
func (a *asked) Fatalf(format string, args ...any) { a.end("fail: ", format, args) }
func (a *asked) Skipf(format string, args ...any)  { a.end("skip: ", format, args) }

func (a *asked) end(how, format string, args []any) {
	a.said = how + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestMissingData(t *testing.T) {
	for ci, want := range map[string]string{"": "skip: needs models/none.gguf, ", "true": "fail: test data models/none.gguf is missing: "} {
		t.Setenv("CI", ci)
		a := &asked{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			Open(a, "models/none.gguf")
		}()
		<-done
		require.True(t, strings.HasPrefix(a.said, want), a.said)
	}
}

// What is our own is found whatever QUIRE_DATA says.
func TestProjectsData(t *testing.T) {
	t.Setenv("QUIRE_DATA", "no such folder")
	for _, name := range []string{"models/quire-tales.gguf", "models/tiny-tales.gguf", "golden/quire-tales/once.json", "families/llama-llama3.gguf"} {
		_, size := Open(t, name)
		require.Positive(t, size, name)
	}
}
