package remote

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"quire/engine/hub"
)

// connect opens a stream from an offset to the end of the file, or to what is asked for.
func (f *File) connect(offset int64) error {
	f.disconnect()
	ctx, cancel := context.WithCancelCause(f.ctx)
	timer := time.AfterFunc(f.options.Idle, func() { cancel(f.silence()) })
	r, err := f.request(ctx, offset)
	if err == nil {
		var end int64
		if end, err = f.accept(r, offset); err == nil {
			timer.Stop()
			f.body = &body{ctx: ctx, from: r.Body, start: offset, at: offset, end: end, cancel: func() { cancel(nil) }, idle: f.options.Idle, timer: timer}
			if r.StatusCode == http.StatusOK {
				f.body.at = 0
			}
			return nil
		}
		r.Body.Close()
	}
	timer.Stop()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	cancel(nil)
	return err
}

func (f *File) silence() error {
	return final(hub.Silent, "the server has sent nothing for %v", f.options.Idle)
}

// request asks for the bytes from an offset.
func (f *File) request(ctx context.Context, offset int64) (*http.Response, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url, nil)
	if err != nil {
		return nil, &failure{told: &hub.Error{Kind: hub.BadAddress, Reason: "this is not a whole address", Err: err}, final: true}
	}
	if f.until > offset {
		q.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, f.until-1))
	} else {
		q.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	q.Header.Set("Accept-Encoding", "identity")
	r, err := f.options.Client.Do(q)
	if err != nil {
		return nil, explain(err)
	}
	return r, nil
}

// accept checks what an answer claims to be. It returns where its range ends; a negative end is not known.
func (f *File) accept(r *http.Response, offset int64) (end int64, err error) {
	size := int64(-1)
	switch r.StatusCode {
	case http.StatusPartialContent:
		first, last, total, ok := parseContentRange(r.Header.Get("Content-Range"))
		if !ok || first != offset {
			return 0, final(hub.Server, "the server sends other bytes than it was asked for: from %d on, and it names them %q", offset, r.Header.Get("Content-Range"))
		}
		if f.spool != nil {
			return 0, final(hub.Server, "the server serves parts of the file at one time, and at another only the whole")
		}
		size, end = total, last+1
		if total < 0 && f.size < 0 {
			size, f.unsure = end, true
		}
	case http.StatusOK:
		size, end = r.ContentLength, -1
	default:
		return 0, refuse(r)
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return 0, final(hub.Encoded, "the server compresses the file on the way (Content-Encoding: %s)", coding)
	}
	if f.size < 0 && isPage(r) {
		return 0, final(hub.WebPage, "the server sends a web page, not a model file")
	}
	if f.size >= 0 && size >= 0 && size != f.size {
		return 0, final(hub.Changed, "the file changed on the server while it was read")
	}
	etag, date := r.Header.Get("ETag"), r.Header.Get("Last-Modified")
	if err := f.sameState(etag, date); err != nil {
		return 0, err
	}
	if r.StatusCode == http.StatusOK {
		if err := f.startSpool(offset); err != nil {
			return 0, err
		}
	}
	if f.size < 0 {
		f.size = size
	}
	if f.first == nil {
		f.first = r
	}
	f.etag, f.date = etag, date
	return end, nil
}

// sameState compares what the server calls the file with what it called it before. Some make a new ETag for each answer: then its date
// tells, or the sum of the whole.
func (f *File) sameState(etag, date string) error {
	strong := func(etag string) string { return strings.TrimPrefix(etag, "W/") }
	dated := f.date != "" && date != ""
	switch {
	case f.summed, f.etag == "", etag == "", strong(etag) == strong(f.etag), dated && date == f.date:
		return nil
	case dated:
		return final(hub.Changed, "the file changed on the server while it was read")
	}
	return final(hub.Changed, "the file changed on the server while it was read, or the server calls it something else in each answer (ETag) and names no date")
}

// isPage says whether an answer is HTML. Some servers call everything so: the first bytes of a model tell.
func isPage(r *http.Response) bool {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "text/html" && kind != "application/xhtml+xml" {
		return false
	}
	from := bufio.NewReader(r.Body)
	start, _ := from.Peek(len(magic))
	r.Body = struct {
		io.Reader
		io.Closer
	}{from, r.Body}
	return string(start) != magic
}

const magic = "GGUF"

// confirmEnd asks for the bytes after the first range, of a server that did not tell the file's size.
func (f *File) confirmEnd() error {
	ctx, cancel := context.WithTimeoutCause(f.ctx, f.options.Idle, f.silence())
	defer cancel()
	r, err := f.request(ctx, f.size)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	defer r.Body.Close()
	switch {
	case hub.Passing(r.StatusCode):
		return refuse(r)
	case r.StatusCode != http.StatusPartialContent || r.ContentLength == 0:
		return nil
	}
	return final(hub.Server, "the server sends the file in pieces, and does not tell how long it is")
}

// parseContentRange reads "bytes 5-9/10"; the total of "bytes 5-9/*" is negative.
func parseContentRange(s string) (first, last, total int64, ok bool) {
	s, isBytes := strings.CutPrefix(s, "bytes ")
	span, size, hasSize := strings.Cut(s, "/")
	from, to, hasSpan := strings.Cut(span, "-")
	first, err := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	total = -1
	var err3 error
	if size != "*" {
		total, err3 = strconv.ParseInt(size, 10, 64)
	}
	return first, last, total, isBytes && hasSize && hasSpan && err == nil && err2 == nil && err3 == nil &&
		first >= 0 && last >= first && (size == "*" || total > last)
}
