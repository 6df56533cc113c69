package gpu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"syscall/js"

	"quire/engine/hub"
)

// headerPiece is how much of a file ReadAt asks for at once.
const headerPiece = 1 << 20

// OpenURL opens the file at a URL: one streaming request is read forward, with ranges where the server has them. A
// server across origins must allow them (CORS). The context counts for opening only.
func OpenURL(ctx context.Context, url string) (Source, error) {
	return openSource(ctx, js.ValueOf(url))
}

// OpenBlob opens a JavaScript Blob or File.
func OpenBlob(ctx context.Context, blob js.Value) (Source, error) {
	if class := js.Global().Get("Blob"); class.IsUndefined() || !blob.InstanceOf(class) {
		return nil, fmt.Errorf("gpu: %s is not a Blob", blob.Type())
	}
	return openSource(ctx, blob)
}

// byteSource is a ByteSource of web/gpu/source.js.
type byteSource struct {
	host *host
	id   int32
	size int64

	mu    sync.Mutex
	piece []byte // what ReadAt last fetched
	start int64  // its place in the file
	close sync.Once
}

func openSource(ctx context.Context, from js.Value) (Source, error) {
	h, err := theHost()
	if err != nil {
		return nil, err
	}
	s := &byteSource{host: h, id: int32(h.object.Call("newSource", from).Int())}
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// open finds the size.
func (s *byteSource) open(ctx context.Context) error {
	size, err := s.await(ctx, nil, func(token int32) { s.host.object.Call("openSource", s.id, token) })
	if err != nil {
		s.Close()
		return err
	}
	s.size = int64(size.Float())
	runtime.SetFinalizer(s, (*byteSource).Close)
	return nil
}

// await waits for the source's answer and ends its work when ctx does or gone is closed.
func (s *byteSource) await(ctx context.Context, gone <-chan struct{}, start func(token int32)) (js.Value, error) {
	v, err := s.host.await(ctx, gone, start)
	if err == nil {
		return v, nil
	}
	if ctx.Err() != nil || err == errGone {
		s.host.object.Call("cancelSource", s.id)
		return v, err
	}
	return v, err
}

// sourceError is a Fault of web/gpu/fault.js.
func sourceError(fault js.Value) error {
	e := hub.Errorf(hub.Kind(fault.Get("kind").String()), "%s", fault.Get("reason").String())
	if status := fault.Get("status").Int(); status != 0 {
		e = hub.Status(status, fault.Get("text").String())
	}
	e.URL = fault.Get("url").String()
	e.Reason += fault.Get("more").String()
	return e
}

// Verify is of Verifier.
func (s *byteSource) Verify(ctx context.Context) error {
	_, err := s.await(ctx, nil, func(token int32) { s.host.object.Call("verifySource", s.id, token) })
	return err
}

// Size returns the file's size in bytes.
func (s *byteSource) Size() int64 { return s.size }

// Close ends the request that is open.
func (s *byteSource) Close() error {
	s.close.Do(func() {
		runtime.SetFinalizer(s, nil)
		s.host.object.Call("closeSource", s.id)
	})
	return nil
}

// ReadAt reads through a piece of headerPiece bytes.
func (s *byteSource) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("gpu: source: negative offset %d", offset)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for n < len(p) {
		at := offset + int64(n)
		if at >= s.size {
			return n, io.EOF
		}
		if at < s.start || at >= s.start+int64(len(s.piece)) {
			if err := s.fetch(at); err != nil {
				return n, err
			}
		}
		n += copy(p[n:], s.piece[at-s.start:])
	}
	return n, nil
}

func (s *byteSource) fetch(at int64) error {
	data, err := s.await(context.Background(), nil, func(token int32) {
		s.host.object.Call("readSource", s.id, token, float64(at), headerPiece)
	})
	if err != nil {
		return err
	}
	if s.piece == nil {
		s.piece = make([]byte, headerPiece)
	}
	s.piece, s.start = s.piece[:js.CopyBytesToGo(s.piece[:headerPiece], data)], at
	return nil
}

// Upload copies n bytes at offset into target; they never enter Go's memory.
func (s *byteSource) Upload(ctx context.Context, target *Buffer, targetOffset uint64, offset, n int64) error {
	d := target.device
	if err := d.Err(); err != nil {
		return err
	}
	b, ok := d.backend.(*jsBackend)
	if !ok {
		return errors.New("gpu: source: the buffer is not of this host's device")
	}
	if targetOffset%4 != 0 || targetOffset+(uint64(n)+3)&^3 > target.size {
		return fmt.Errorf("gpu: source: %d bytes at %d do not fit buffer %s of %d bytes", n, targetOffset, target.label, target.size)
	}
	d.writes.Add(1)
	_, err := s.await(ctx, b.gone, func(token int32) {
		s.host.object.Call("uploadSource", s.id, token, b.id, target.handle, float64(targetOffset), float64(offset), float64(n))
	})
	return b.explain(err)
}
