// Package remote reads a file over HTTP as it is needed: one connection streams forward, a jump asks for a new range,
// and a connection that breaks is resumed. A server without ranges is streamed once into a file.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"
)

// Options change how a File is read; the zero value is a good default.
type Options struct {
	Client   *http.Client  // nil: http.DefaultClient
	Attempts int           // requests without a single byte of progress before giving up; 0: 5
	Wait     time.Duration // before the second attempt, doubled for each further one; 0: 250 ms
	Idle     time.Duration // how long a server may stay silent; 0: 30 s
	Patience time.Duration // the longest wait that a busy server may ask for; 0: 2 minutes
	Into     *os.File      // what a server without ranges is streamed into, from the start; nil: a temporary file

	// Waiting, if set, is told before a wait of a second or more: why, and how long.
	Waiting func(reason string, wait time.Duration)
}

const (
	// maxSkip is how far forward reading on beats a new request.
	maxSkip = 1 << 20
	piece   = 256 << 10
)

// File is a remote file. ReadAt may be called from several goroutines, one at a time is served.
type File struct {
	ctx     context.Context
	cancel  context.CancelFunc
	url     string
	options Options
	size    int64
	etag    string
	date    string         // Last-Modified
	summed  bool           // the whole is compared with a sum
	first   *http.Response // whose body is not read here
	until   int64          // requests ask for bytes before it; 0: to the file's end
	unsure  bool           // the size is where the first range ended: whether the file does too is not known

	mu    sync.Mutex
	body  *body    // the open connection, nil for none
	spool *os.File // without ranges: what has come, from the start
	have  int64    // bytes in spool
}

// Open asks for a file. Its size must be stated by the server, or the server must end the stream cleanly. Cancelling
// ctx ends all reads. Errors are of type *hub.Error, but for those of ctx and of the temporary file.
func Open(ctx context.Context, url string, o Options) (*File, error) {
	f, err := newFile(ctx, url, o)
	if err != nil {
		return nil, err
	}
	err = f.retry(func() (bool, error) { return false, f.connect(0) })
	switch {
	case err == nil && f.size < 0:
		err = f.learnSize()
	case err == nil && f.unsure:
		err = f.retry(func() (bool, error) { return false, f.confirmEnd() })
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// newFile is a File that has asked for nothing yet.
func newFile(ctx context.Context, url string, o Options) (*File, error) {
	if err := checkAddress(url); err != nil {
		return nil, err
	}
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	o.Client = withRedirects(o.Client)
	if o.Attempts == 0 {
		o.Attempts = 5
	}
	if o.Wait == 0 {
		o.Wait = 250 * time.Millisecond
	}
	if o.Idle == 0 {
		o.Idle = 30 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = 2 * time.Minute
	}
	ctx, cancel := context.WithCancel(ctx)
	return &File{ctx: ctx, cancel: cancel, url: url, options: o, size: -1}, nil
}

// Size returns the file's size in bytes.
func (f *File) Size() int64 { return f.size }

// ETag returns what the server calls this state of the file; empty where it says nothing.
func (f *File) ETag() string { return f.etag }

// Summed says that the whole is compared with a sum in the end: what the server calls the file meanwhile is of no account.
func (f *File) Summed() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.summed = true
}

// Said returns what the server said in a header of its first answer, or one that redirected to it.
func (f *File) Said(name string) string {
	for r := f.first; r != nil; r = r.Request.Response {
		if value := r.Header.Get(name); value != "" {
			return value
		}
	}
	return ""
}

// Ranges reports whether the server serves parts of the file.
func (f *File) Ranges() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.spool == nil
}

// Another reads the same file over a connection of its own, until f is closed.
func (f *File) Another() *File {
	o := f.options
	o.Into = nil
	ctx, cancel := context.WithCancel(f.ctx)
	return &File{ctx: ctx, cancel: cancel, url: f.url, options: o, size: f.size, etag: f.etag, date: f.date, summed: f.summed}
}

// Until has further requests ask for bytes before end only, so that a connection serves one after another.
func (f *File) Until(end int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.until = end
}

// Close ends the connection and removes the temporary file.
func (f *File) Close() error {
	f.cancel()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.disconnect()
	if f.spool == nil || f.spool == f.options.Into {
		return nil
	}
	name := f.spool.Name()
	err := errors.Join(f.spool.Close(), os.Remove(name))
	f.spool = nil
	return err
}

// ReadAt reads len(p) bytes at an offset.
func (f *File) ReadAt(p []byte, offset int64) (int, error) { return f.read(p, offset, len(p)) }

// ReadSome reads what comes first at an offset: at least a byte, at most len(p).
func (f *File) ReadSome(p []byte, offset int64) (int, error) {
	n, err := f.read(p, offset, 1)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

// read reads at least so many bytes, unless the file ends.
func (f *File) read(p []byte, offset int64, least int) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("%s: negative offset %d", f.url, offset)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.size >= 0 && offset >= f.size {
		return 0, io.EOF
	}
	want := p
	if left := f.size - offset; f.size >= 0 && int64(len(p)) > left {
		want = p[:left]
	}
	n, err := f.readAt(want, offset, min(least, len(want)))
	if err == nil && n < least {
		err = io.EOF
	}
	return n, err
}

func (f *File) readAt(p []byte, offset int64, least int) (int, error) {
	if f.spool != nil {
		if err := f.fill(offset + int64(len(p))); err != nil {
			return 0, err
		}
		return f.spool.ReadAt(p, offset)
	}
	done := 0
	err := f.retry(func() (bool, error) {
		before := done
		err := f.seek(offset + int64(done))
		for err == nil && done < least {
			if f.body.spent() {
				err = f.connect(offset + int64(done))
				continue
			}
			var n int
			n, err = f.body.read(p[done:])
			err = f.body.early(err)
			done += n
		}
		if err != nil {
			f.disconnect()
		}
		return done > before, err
	})
	return done, err
}

// seek brings the connection to an offset, by reading on where that is near.
func (f *File) seek(offset int64) error {
	if f.body != nil && offset >= f.body.at && offset-f.body.at <= maxSkip && (f.body.end < 0 || offset <= f.body.end) {
		skip := make([]byte, min(piece, offset-f.body.at))
		for f.body.at < offset {
			if _, err := f.body.read(skip[:min(int64(len(skip)), offset-f.body.at)]); err != nil {
				return f.body.early(err)
			}
		}
		return nil
	}
	return f.connect(offset)
}

func (f *File) disconnect() {
	if f.body != nil {
		f.body.close()
		f.body = nil
	}
}

// retry runs try until it succeeds, fails for good, or has failed Attempts times in a row without progress.
func (f *File) retry(try func() (progress bool, err error)) error {
	wait := f.options.Wait
	for attempt := 1; ; attempt++ {
		progress, err := try()
		if err == nil {
			return nil
		}
		if f.ctx.Err() != nil {
			return fmt.Errorf("%s: %w", f.url, context.Cause(f.ctx))
		}
		if progress {
			attempt, wait = 1, f.options.Wait
		}
		var failed *failure
		if !errors.As(err, &failed) || failed.final || attempt >= f.options.Attempts {
			return f.tell(err, attempt)
		}
		pause := max(wait, failed.after)
		if pause > f.options.Patience {
			failed.told.Reason += fmt.Sprintf(" and asks to be left alone for %v", pause.Round(time.Second))
			return f.tell(err, 1)
		}
		if pause >= time.Second && f.options.Waiting != nil {
			f.options.Waiting(failed.told.Reason, pause)
		}
		select {
		case <-time.After(pause):
		case <-f.ctx.Done():
		}
		wait *= 2
	}
}

// tell gives an error as callers see it.
func (f *File) tell(err error, attempts int) error {
	var failed *failure
	if !errors.As(err, &failed) {
		return fmt.Errorf("%s: %w", f.url, err)
	}
	e := *failed.told
	e.URL = f.url
	if attempts > 1 && !failed.final {
		e.Reason += fmt.Sprintf(", %d times in a row", attempts)
	}
	return &e
}
