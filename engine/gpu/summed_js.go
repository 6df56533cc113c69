package gpu

import (
	"context"
	"errors"
	"runtime"
	"syscall/js"

	"quire/engine/sha256"
)

// summers: there is one thread.
const summers = 1

// Saving is a RunWriter that makes a file: a Saving of web/store/saving.js.
type Saving struct {
	host *host
	id   int32
	data []byte // that JavaScript has not been given yet
}

// NewSaving makes a Blob, or writes to the handle of a file that the browser keeps.
func NewSaving(to js.Value) (*Saving, error) {
	h, err := theHost()
	if err != nil {
		return nil, err
	}
	return &Saving{host: h, id: int32(h.object.Call("newSaving", to).Int())}, nil
}

// Write is of io.Writer.
func (s *Saving) Write(data []byte) (int, error) {
	s.data = append(s.data, data...)
	return len(data), nil
}

// flush hands JavaScript what was written.
func (s *Saving) flush() {
	if len(s.data) == 0 {
		return
	}
	bytes := js.Global().Get("Uint8Array").New(len(s.data))
	js.CopyBytesToJS(bytes, s.data)
	s.host.object.Call("writeSaving", s.id, bytes)
	s.data = s.data[:0]
}

// WriteReadback is of RunWriter.
func (s *Saving) WriteReadback(ctx context.Context, back *Readback, part int64) error {
	s.flush()
	b := back.buffer.device.backend.(*jsBackend)
	_, err := s.host.await(ctx, b.gone, func(token int32) {
		s.host.object.Call("saveReadback", s.id, token, b.id, back.buffer.handle, float64(back.Size()), float64(part))
	})
	return b.explain(err)
}

// Sums is of RunWriter.
func (s *Saving) Sums(ctx context.Context) ([]byte, error) {
	v, err := s.host.await(ctx, nil, func(token int32) { s.host.object.Call("sumsOfSaving", s.id, token) })
	if err != nil {
		return nil, err
	}
	sums := make([]byte, v.Length())
	js.CopyBytesToGo(sums, v)
	return sums, nil
}

// End ends the file, and gives the Blob, or null. Of a file that is no good nothing is kept.
func (s *Saving) End(good bool) (js.Value, error) {
	s.flush()
	return s.host.await(context.Background(), nil, func(token int32) { s.host.object.Call("endSaving", s.id, token, good) })
}

// savedSource is a SavedSource of web/gpu/saved.js.
type savedSource struct{ *byteSource }

// OpenSaved opens a Blob, or the handle of a file that the browser keeps, for UploadSummed, which reads and sums it in other threads.
func OpenSaved(ctx context.Context, from js.Value) (Source, error) {
	h, err := theHost()
	if err != nil {
		return nil, err
	}
	s := &byteSource{host: h, id: int32(h.object.Call("newSaved", from).Int())}
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	return savedSource{s}, nil
}

// Close returns when the file may be written again.
func (s savedSource) Close() (err error) {
	s.close.Do(func() {
		runtime.SetFinalizer(s.byteSource, nil)
		_, err = s.await(context.Background(), nil, func(token int32) { s.host.object.Call("closeSaved", s.id, token) })
	})
	return err
}

func (s savedSource) uploadSummed(ctx context.Context, target *Buffer, offset, n int64, o Summed) ([]byte, error) {
	d := target.device
	if err := d.Err(); err != nil {
		return nil, err
	}
	b, ok := d.backend.(*jsBackend)
	if !ok {
		return nil, errors.New("gpu: source: the buffer is not of this host's device")
	}
	d.writes.Add(1)
	v, err := s.await(ctx, b.gone, func(token int32) {
		s.host.object.Call("uploadSummed", s.id, token, b.id, target.handle, float64(offset), float64(n), float64(o.Part), float64(o.End))
	})
	if err != nil {
		return nil, b.explain(err)
	}
	sums := make([]byte, (n+o.Part-1)/o.Part*sha256.Size)
	js.CopyBytesToGo(sums, v)
	runtime.KeepAlive(s.byteSource)
	return sums, nil
}
