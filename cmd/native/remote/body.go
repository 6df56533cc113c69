package remote

import (
	"context"
	"errors"
	"io"
	"time"

	"quire/engine/hub"
)

// body is an open response that has been read up to at.
type body struct {
	ctx    context.Context
	from   io.ReadCloser
	start  int64
	at     int64
	end    int64 // where a range ends; negative: not known
	cancel context.CancelFunc
	idle   time.Duration
	timer  *time.Timer
}

// errEnd says that the response has ended. It is no io.EOF: the file may go on.
var errEnd = errors.New("the response ended")

// spent says that a range has been read to its end.
func (b *body) spent() bool { return b.end >= 0 && b.at >= b.end }

// read fails with errEnd where the response ends as it should, and otherwise with a failure.
func (b *body) read(p []byte) (int, error) {
	b.timer.Reset(b.idle)
	n, err := b.from.Read(p)
	b.timer.Stop()
	b.at += int64(n)
	if n > 0 {
		return n, nil
	}
	if cause := context.Cause(b.ctx); cause != nil {
		return 0, b.hush(cause)
	}
	if err == io.EOF {
		return 0, errEnd
	}
	return 0, passing(hub.Cut, "the connection ended early, at byte %d", b.at)
}

// hush makes a silence passing where a part of the file has come: the rest can be asked for.
func (b *body) hush(cause error) error {
	if silent, ok := cause.(*failure); ok && b.end >= 0 && b.at > b.start {
		again := *silent
		again.final = false
		return &again
	}
	return cause
}

func (b *body) close() {
	b.timer.Stop()
	b.cancel()
	b.from.Close()
}

// early is what errEnd means to a reader that knows that the file goes on.
func (b *body) early(err error) error {
	if err == errEnd {
		return passing(hub.Cut, "the connection ended early, at byte %d", b.at)
	}
	return err
}
