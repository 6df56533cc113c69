package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// body is an open response that has been read up to at.
type body struct {
	ctx    context.Context
	from   io.ReadCloser
	at     int64
	cancel context.CancelFunc
	idle   time.Duration
	timer  *time.Timer
}

// errEarly is no io.EOF: the file goes on where the connection ends.
var errEarly = errors.New("the connection ended early")

// read fails with errEarly where the response ends; the caller never asks for more than the file has.
func (b *body) read(p []byte) (int, error) {
	b.timer.Reset(b.idle)
	n, err := b.from.Read(p)
	b.timer.Stop()
	b.at += int64(n)
	if n > 0 {
		return n, nil
	}
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, errEarly
	}
	if cause := context.Cause(b.ctx); cause != nil {
		return 0, cause
	}
	return 0, err
}

func (b *body) close() {
	b.timer.Stop()
	b.cancel()
	b.from.Close()
}

// connect opens a stream from an offset to the end of the file.
func (f *File) connect(offset int64) error {
	f.disconnect()
	ctx, cancel := context.WithCancelCause(f.ctx)
	timer := time.AfterFunc(f.options.Idle, func() { cancel(fmt.Errorf("silent for %v", f.options.Idle)) })
	r, err := f.request(ctx, offset)
	if err != nil {
		timer.Stop()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		cancel(nil)
		return err
	}
	timer.Stop()
	b := &body{ctx: ctx, from: r.Body, at: offset, cancel: func() { cancel(nil) }, idle: f.options.Idle, timer: timer}
	if r.StatusCode == http.StatusOK {
		b.at = 0
	}
	f.body = b
	return nil
}

// request asks for the bytes from an offset and checks what the answer claims to be.
func (f *File) request(ctx context.Context, offset int64) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return nil, finalf("%v", err)
	}
	q.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	q.Header.Set("Accept-Encoding", "identity")
	r, err := f.options.Client.Do(q)
	if err != nil {
		var dns *net.DNSError
		if errors.As(err, &dns) && dns.IsNotFound {
			return nil, finalf("%v", dns)
		}
		return nil, unwrapURL(err)
	}
	if err := f.accept(r, offset); err != nil {
		r.Body.Close()
		return nil, err
	}
	return r, nil
}

func (f *File) accept(r *http.Response, offset int64) error {
	size := int64(-1)
	switch {
	case r.StatusCode == http.StatusPartialContent:
		first, total, ok := parseContentRange(r.Header.Get("Content-Range"))
		if !ok || first != offset {
			return finalf("asked for bytes from %d, the server sent Content-Range %q", offset, r.Header.Get("Content-Range"))
		}
		if f.spool != nil {
			return finalf("the server has begun to serve ranges")
		}
		size = total
	case r.StatusCode == http.StatusOK:
		size = r.ContentLength
		if err := f.startSpool(offset); err != nil {
			return err
		}
	case r.StatusCode == http.StatusTooManyRequests, r.StatusCode == http.StatusRequestTimeout, r.StatusCode >= 500:
		return errors.New("the server answers " + r.Status)
	default:
		return finalf("the server answers %s", r.Status)
	}
	etag := r.Header.Get("ETag")
	if f.size >= 0 && size >= 0 && size != f.size || f.etag != "" && etag != "" && etag != f.etag {
		return finalf("the file changed on the server while it was read")
	}
	if f.size < 0 {
		f.size = size
	}
	f.etag = etag
	return nil
}

// startSpool makes the temporary file when the first answer shows that the server has no ranges.
func (f *File) startSpool(offset int64) error {
	if f.spool != nil {
		return nil
	}
	if offset > 0 {
		return finalf("the server stopped serving ranges")
	}
	var err error
	if f.spool, err = os.CreateTemp("", "quire-*.gguf"); err != nil {
		return finalf("no room for a file whose server has no ranges: %v", err)
	}
	return nil
}

// fill streams the file into the spool until it holds end bytes.
func (f *File) fill(end int64) error {
	if f.have >= end {
		return nil
	}
	buf := make([]byte, piece)
	return f.retry(func() (bool, error) {
		before := f.have
		err := f.pump(end, buf)
		if err != nil {
			f.disconnect()
		}
		return f.have > before, err
	})
}

// pump reads on until the spool holds end bytes. A new connection starts over, and what is there already is passed by.
func (f *File) pump(end int64, buf []byte) error {
	if f.body == nil {
		if err := f.connect(0); err != nil {
			return err
		}
	}
	for f.have < end {
		n, err := f.body.read(buf)
		if err != nil {
			return err
		}
		fresh := buf[:n]
		if start := f.body.at - int64(n); start < f.have {
			fresh = fresh[min(int64(n), f.have-start):]
		}
		if _, err := f.spool.WriteAt(fresh, f.have); err != nil {
			return finalf("%v", err)
		}
		f.have += int64(len(fresh))
	}
	return nil
}

// learnSize streams a file of unstated size to its end.
func (f *File) learnSize() error {
	if f.spool == nil {
		return fmt.Errorf("read %s: the server does not state the file's size", f.url)
	}
	buf := make([]byte, piece)
	for {
		n, err := f.body.from.Read(buf)
		if _, err := f.spool.WriteAt(buf[:n], f.have); err != nil {
			return err
		}
		f.have += int64(n)
		if err == io.EOF {
			f.size = f.have
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: after %d bytes: %w", f.url, f.have, err)
		}
	}
}

// parseContentRange reads "bytes 5-9/10".
func parseContentRange(s string) (first, total int64, ok bool) {
	s, isBytes := strings.CutPrefix(s, "bytes ")
	span, size, hasSize := strings.Cut(s, "/")
	from, _, hasSpan := strings.Cut(span, "-")
	first, err := strconv.ParseInt(from, 10, 64)
	total, err2 := strconv.ParseInt(size, 10, 64)
	return first, total, isBytes && hasSize && hasSpan && err == nil && err2 == nil && total > first
}

// unwrapURL drops the method and address that net/http puts in front: this package names the address itself.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
