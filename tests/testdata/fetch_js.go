package testdata

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"sync"
	"syscall/js"
	"testing"
)

// root is where the site that runs the tests (tests/wasmexec) serves what Path finds.
const root = "/data/"

const (
	pieceSize  = 1 << 20 // bytes of one request
	keptPieces = 8
)

// Open opens a file by its path below the data folder and returns it with its size in bytes.
// Without the file it fails the test when CI=true and skips it otherwise.
func Open(t testing.TB, name string) (File, int64) {
	t.Helper()
	f := &remoteFile{url: root + name, pieces: map[int64][]byte{}}
	switch err := f.open(); {
	case errors.Is(err, fs.ErrNotExist):
		missing(t, name)
	case err != nil:
		t.Fatalf("test data: %v", err)
	}
	return f, f.size
}

// remoteFile reads a file by HTTP ranges and keeps a few pieces of it.
type remoteFile struct {
	url  string
	size int64

	mu     sync.Mutex
	pieces map[int64][]byte // by offset, a multiple of pieceSize
	order  []int64          // oldest first
}

func (f *remoteFile) open() error {
	head, size, err := f.fetch(0, pieceSize)
	if err != nil {
		return err
	}
	f.size = size
	f.keep(0, head)
	return nil
}

// Close forgets what was read.
func (f *remoteFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pieces, f.order = map[int64][]byte{}, nil
	return nil
}

// ReadAt implements io.ReaderAt.
func (f *remoteFile) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("%s: negative offset %d", f.url, offset)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for n < len(p) {
		at := offset + int64(n)
		if at >= f.size {
			return n, io.EOF
		}
		if rest := min(int64(len(p)-n), f.size-at); rest >= pieceSize {
			data, _, err := f.fetch(at, rest)
			if err != nil {
				return n, err
			}
			n += copy(p[n:], data)
			continue
		}
		start := at / pieceSize * pieceSize
		data, ok := f.pieces[start]
		if !ok {
			var err error
			if data, _, err = f.fetch(start, pieceSize); err != nil {
				return n, err
			}
			f.keep(start, data)
		}
		n += copy(p[n:], data[at-start:])
	}
	return n, nil
}

func (f *remoteFile) keep(start int64, data []byte) {
	if len(f.order) == keptPieces {
		delete(f.pieces, f.order[0])
		f.order = f.order[1:]
	}
	f.pieces[start] = data
	f.order = append(f.order, start)
}

// fetch returns up to n bytes from start and the size of the whole file. A synchronous request, which workers may make,
// keeps it free of callbacks.
func (f *remoteFile) fetch(start, n int64) (data []byte, size int64, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("%s: %v", f.url, thrown)
		}
	}()
	request := js.Global().Get("XMLHttpRequest").New()
	request.Call("open", "GET", f.url, false)
	request.Set("responseType", "arraybuffer")
	request.Call("setRequestHeader", "Range", fmt.Sprintf("bytes=%d-%d", start, start+n-1))
	request.Call("send")
	body := js.Global().Get("Uint8Array").New(request.Get("response"))
	data = make([]byte, body.Length())
	js.CopyBytesToGo(data, body)
	switch status := request.Get("status").Int(); status {
	case 200:
		size = int64(len(data))
		data = data[min(start, size):min(start+n, size)]
	case 206:
		_, total, _ := strings.Cut(request.Call("getResponseHeader", "Content-Range").String(), "/")
		if size, err = strconv.ParseInt(total, 10, 64); err != nil {
			return nil, 0, fmt.Errorf("%s: size: %w", f.url, err)
		}
		if want := min(n, size-start); int64(len(data)) != want {
			return nil, 0, fmt.Errorf("%s: %d bytes at %d instead of %d", f.url, len(data), start, want)
		}
	case 404:
		return nil, 0, fmt.Errorf("%s: %w", f.url, fs.ErrNotExist)
	default:
		return nil, 0, fmt.Errorf("%s: HTTP %d", f.url, status)
	}
	return data, size, nil
}
