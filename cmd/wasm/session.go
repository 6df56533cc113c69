//go:build js

package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"syscall/js"

	"quire/cmd/wasm/port"
	"quire/engine"
	"quire/engine/gpu"
)

// blobPiece is how many bytes of a Blob stand in Go's memory.
const blobPiece = 1 << 20

// blobWriter makes a Blob, which is the browser's to keep in memory or on disk.
type blobWriter struct{ blob js.Value }

func newBlobWriter() *blobWriter { return &blobWriter{js.Global().Get("Blob").New()} }

func (w *blobWriter) Write(data []byte) (int, error) {
	w.blob = js.Global().Get("Blob").New([]any{w.blob, bytesOf(data)})
	return len(data), nil
}

// save answers with a session's file.
func (b *bridge) save(id int, s *engine.Session) {
	file := newBlobWriter()
	w := bufio.NewWriterSize(file, blobPiece)
	err := s.Save(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		b.Fail(id, err)
		return
	}
	b.Answer("done", id, struct{}{}, file.blob)
}

// restore answers with the tokens of a session that was saved.
func (b *bridge) restore(id int, e *engine.Engine, blob js.Value) {
	s, err := restore(e, blob)
	if err != nil {
		b.Fail(id, err)
		return
	}
	b.Answer("done", id, port.OrEmpty(s.Tokens()), js.Null())
}

// heldSession is how large a session may be that is read into memory: others are read, and checked, twice.
const heldSession = 128 << 20

func restore(e *engine.Engine, blob js.Value) (*engine.Session, error) {
	source, err := gpu.OpenBlob(context.Background(), blob)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	file := io.NewSectionReader(source, 0, source.Size())
	if source.Size() > heldSession {
		return e.Restore(file)
	}
	data := make([]byte, source.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, err
	}
	return e.Restore(bytes.NewReader(data))
}
