package gpu

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall/js"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The files come from tests/wasmexec's /source/, which says what each kind does.

func pattern(size int) []byte {
	out := make([]byte, size)
	for i := range out {
		out[i] = byte(i*i>>7 ^ i)
	}
	return out
}

// sourceURL names a file of the test's own, and a function that counts the requests for it.
func sourceURL(t *testing.T, kind, query string) (string, func() int) {
	js.Global().Get("quireGPU").Set("retryPause", 2)
	key := fmt.Sprintf("%s-%d", t.Name(), time.Now().UnixNano())
	count := func() int {
		n, err := strconv.Atoi(fetch(t, "/source/count?key="+key, ""))
		require.NoError(t, err)
		return n
	}
	return "/source/" + kind + "?key=" + key + "&" + query, count
}

// fetch asks for a text, or a range of one, as a page would.
func fetch(t *testing.T, url, ranges string) string {
	t.Helper()
	request := js.Global().Get("XMLHttpRequest").New()
	request.Call("open", "GET", url, false)
	if ranges != "" {
		request.Call("setRequestHeader", "Range", ranges)
	}
	request.Call("send")
	require.Equal(t, 2, request.Get("status").Int()/100, url)
	return request.Get("responseText").String()
}

func openURL(t *testing.T, url string) Source {
	t.Helper()
	s, err := OpenURL(context.Background(), url)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// readBack uploads bytes [offset, offset+n) of s and returns what lies on the GPU.
func readBack(t *testing.T, d *Device, s Source, offset, n int64) []byte {
	t.Helper()
	b := buffer(t, d, "target", int(n)+12, Storage)
	defer b.Release()
	require.NoError(t, b.Upload(0, words(0xaaaaaaaa, 0xaaaaaaaa)))
	require.NoError(t, s.Upload(context.Background(), b, 4, offset, n))
	got := make([]byte, (n+3)&^3+4)
	require.NoError(t, b.Read(context.Background(), 0, got))
	require.Equal(t, words(0xaaaaaaaa), got[:4], "bytes before the target")
	for _, pad := range got[4+n:] {
		require.Zero(t, pad, "rounding up")
	}
	return got[4 : 4+n]
}

func TestSourceServers(t *testing.T) {
	d := open(t)
	const size = 6<<20 + 13
	want := pattern(size)
	for name, kind := range map[string]struct{ kind, query string }{
		"ranges":                  {"ranges", ""},
		"plain":                   {"plain", ""},
		"cut once":                {"cut", "&times=1&at=1500001"},
		"cut often":               {"cut", "&times=4&at=1500003"},
		"cut at once":             {"cut", "&times=2&at=0"},
		"cut without ranges":      {"cutplain", "&times=2&at=3000001"},
		"a server that starts up": {"flaky", "&times=1"},
		"no length":               {"endless", ""},
		"parts of a part":         {"pieces", "&at=300000"},
		"a length to be found":    {"whole", ""},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := sourceURL(t, kind.kind, fmt.Sprintf("size=%d%s", size, kind.query))
			s := openURL(t, url)
			require.Equal(t, int64(size), s.Size())
			head := make([]byte, 1000)
			n, err := s.ReadAt(head, 3)
			require.NoError(t, err)
			require.Equal(t, 1000, n)
			require.Equal(t, want[3:1003], head)
			for _, part := range []struct{ offset, n int64 }{
				{517, 1}, {518, 3}, {521, 4}, {777, 2<<20 + 1}, {2<<20 + 778, size - 2<<20 - 778},
				{0, 5}, {size - 5, 5}, {1 << 20, 70001}, {0, size},
			} {
				got := readBack(t, d, s, part.offset, part.n)
				require.True(t, string(want[part.offset:part.offset+part.n]) == string(got), "%d bytes at %d", part.n, part.offset)
			}
			tail := make([]byte, 10)
			n, err = s.ReadAt(tail, size-4)
			require.ErrorIs(t, err, io.EOF)
			require.Equal(t, want[size-4:], tail[:n])
		})
	}
}

func TestSourceReadsForwardInOneRequest(t *testing.T) {
	d := open(t)
	const size = 5 << 20
	url, requests := sourceURL(t, "ranges", fmt.Sprintf("size=%d", size))
	s := openURL(t, url)
	_, err := s.ReadAt(make([]byte, 100), 0)
	require.NoError(t, err)
	for at := int64(4096); at < size; at += 1 << 18 {
		n := min(1<<18-32, size-at)
		require.True(t, string(pattern(size)[at:at+n]) == string(readBack(t, d, s, at, n)), "at %d", at)
	}
	require.Equal(t, 1, requests())
	readBack(t, d, s, 0, 4)
	require.Equal(t, 1, requests(), "the header's piece is kept")
	readBack(t, d, s, 2<<20, 4)
	require.Equal(t, 2, requests(), "going back asks again")
}

// What is read again, as after a lost GPU, comes from the browser's cache where the server lets it; Firefox's keeps no files
// that are asked for from the middle.
func TestSourceGoesBackThroughTheCache(t *testing.T) {
	d := open(t)
	const size = 3 << 20
	want := pattern(size)
	url, requests := sourceURL(t, "kept", fmt.Sprintf("size=%d", size))
	s := openURL(t, url)
	_, err := s.ReadAt(make([]byte, 100), 0)
	require.NoError(t, err)
	for range 3 {
		require.True(t, string(want[1<<20:]) == string(readBack(t, d, s, 1<<20, size-1<<20)))
	}
	wanted := 1
	if inFirefox() {
		wanted = 3
	}
	require.Equal(t, wanted, requests())
}

// The cache may hold parts of an older file; they are never mixed into a newer one.
func TestSourceTellsCachedFilesApart(t *testing.T) {
	d := open(t)
	const size = 3 << 20
	url, _ := sourceURL(t, "kept", fmt.Sprintf("size=%d", size))
	fetch(t, url, "bytes=1048576-")
	fetch(t, strings.Replace(url, "/kept?", "/change?", 1), "")
	s := openURL(t, url)
	got := readBack(t, d, s, 0, size)
	again := readBack(t, d, s, 0, size)
	for i, was := range pattern(size) {
		if got[i] != was+1 || again[i] != was+1 {
			require.Equal(t, []byte{was + 1, was + 1}, []byte{got[i], again[i]}, "byte %d", i)
		}
	}
}

func TestSourceJumpsFarForward(t *testing.T) {
	d := open(t)
	const size = 64 << 20
	url, requests := sourceURL(t, "ranges", fmt.Sprintf("size=%d", size))
	s := openURL(t, url)
	got := readBack(t, d, s, size-8, 8)
	require.Equal(t, pattern(size)[size-8:], got)
	require.Equal(t, 2, requests())
}

func TestSourceOfAnotherOrigin(t *testing.T) {
	d := open(t)
	const size = 3 << 20
	url, _ := sourceURL(t, "open", fmt.Sprintf("size=%d", size))
	port := js.Global().Get("location").Get("port").String()
	s := openURL(t, "http://localhost:"+port+url)
	require.Equal(t, int64(size), s.Size())
	got := readBack(t, d, s, size-9, 9)
	require.Equal(t, pattern(size)[size-9:], got)
	require.Equal(t, pattern(size)[5:9], readBack(t, d, s, 5, 4))

	url, _ = sourceURL(t, "ranges", "size=100")
	_, err := OpenURL(context.Background(), "http://localhost:"+port+url)
	require.ErrorContains(t, err, "CORS")
}

func TestSourceErrors(t *testing.T) {
	d := open(t)
	b := buffer(t, d, "target", 4<<20, Storage)
	for name, c := range map[string]struct{ kind, query, open, upload string }{
		"missing":                   {"status", "code=404", "there is no such file (HTTP 404", ""},
		"forbidden":                 {"status", "code=403", "HTTP 403", ""},
		"failing server":            {"flaky", "times=9", "HTTP 503", ""},
		"changed while it was read": {"changed", "size=3000000&at=1000001", "", "the file changed"},
		"longer than before":        {"grown", "size=3000000&at=1000001", "", "the file changed"},
		// A busy browser drops what it has not given out when a connection ends, so the byte may be an earlier one.
		"always cut": {"cutplain", "size=3000000&at=1000001&times=99", "", "8 times in a row"},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := sourceURL(t, c.kind, c.query)
			s, err := OpenURL(context.Background(), url)
			if c.open != "" {
				require.ErrorContains(t, err, c.open)
				require.ErrorContains(t, err, url)
				return
			}
			require.NoError(t, err)
			defer s.Close()
			err = s.Upload(context.Background(), b, 0, 0, s.Size())
			require.ErrorContains(t, err, c.upload)
			require.ErrorContains(t, err, url)
		})
	}
	_, err := OpenURL(context.Background(), "http://")
	require.ErrorContains(t, err, "not a whole address")

	url, _ := sourceURL(t, "ranges", "size=1000")
	s := openURL(t, url)
	require.ErrorContains(t, s.Upload(context.Background(), b, 0, 900, 200), "the file has 1000")
	require.ErrorContains(t, s.Upload(context.Background(), b, 4<<20-4, 0, 200), "do not fit")
	require.ErrorContains(t, s.Upload(context.Background(), b, 2, 0, 200), "do not fit")
	require.NoError(t, s.Close())
	require.Error(t, s.Upload(context.Background(), b, 0, 0, 200))
	_, err = s.ReadAt(make([]byte, 4), 0)
	require.Error(t, err)
	require.NoError(t, d.Err())
}

func TestSourceStopsWhenAsked(t *testing.T) {
	d := open(t)
	b := buffer(t, d, "target", 4<<20, Storage)
	url, _ := sourceURL(t, "stuck", "size=3000000&at=1000001")
	s := openURL(t, url)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Upload(ctx, b, 0, 0, 3000000), context.DeadlineExceeded)
	require.Equal(t, pattern(1000)[10:], readBack(t, d, s, 10, 990), "the source is of use after that")

	ctx, cancel = context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	time.AfterFunc(50*time.Millisecond, func() { d.Settle() })
	require.ErrorIs(t, s.Upload(ctx, b, 0, 0, 3000000), context.DeadlineExceeded)
	require.Equal(t, pattern(1000)[10:], readBack(t, d, s, 10, 990), "and after the memory for uploads was given back meanwhile")

	go func() {
		time.Sleep(50 * time.Millisecond)
		s.Close()
	}()
	require.Error(t, s.Upload(context.Background(), b, 0, 0, 3000000))
}

func TestBlobSource(t *testing.T) {
	d := open(t)
	const size = 3<<20 + 5
	data := js.Global().Get("Uint8Array").New(size)
	js.CopyBytesToJS(data, pattern(size))
	blob := js.Global().Get("Blob").New([]any{data})
	s, err := OpenBlob(context.Background(), blob)
	require.NoError(t, err)
	defer s.Close()
	require.Equal(t, int64(size), s.Size())
	head := make([]byte, 64)
	_, err = s.ReadAt(head, 1)
	require.NoError(t, err)
	require.Equal(t, pattern(65)[1:], head)
	require.True(t, string(pattern(size)[7:]) == string(readBack(t, d, s, 7, size-7)))
	require.Equal(t, pattern(9)[2:], readBack(t, d, s, 2, 7))

	_, err = OpenBlob(context.Background(), js.ValueOf("text"))
	require.ErrorContains(t, err, "not a Blob")
}
