package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"quire/engine/openai"
)

// invalid refuses a request before it is understood.
func invalid(status int, code, message string) *openai.Error {
	return &openai.Error{Status: status, Type: "invalid_request_error", Code: code, Message: message}
}

// refuse writes an error as the reference API does, or ollama where its routes were asked.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, e *openai.Error) {
	a := e.Answer()
	if h.forOllama(r) {
		a = ollamaError(e)
	}
	for _, pair := range a.Header {
		w.Header().Set(pair[0], pair[1])
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	w.Write(a.Body)
}

// recorder notes what is written, for the log, and gives the client a time to accept it.
type recorder struct {
	http.ResponseWriter
	id       string // of the request
	within   time.Duration
	unread   *http.Request // whose body nobody has asked for
	bodyTime time.Duration // in which all of that must have come
	key      string
	status   int
	bytes    int64
}

// Unwrap is for http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		w.passBody()
		http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(w.within))
	}
	w.ResponseWriter.WriteHeader(status)
}

// Of a body that nobody asked for.
const (
	passedBytes = 256 << 10
	passedTime  = 50 * time.Millisecond
)

// passBody passes over a body that nobody asked for. Where it is not all there, the connection ends with the answer: net/http would
// not send that before, and wait for the rest without an end.
func (w *recorder) passBody() {
	r := w.unread
	if r == nil || r.ProtoMajor != 1 || r.ContentLength == 0 {
		return
	}
	control := http.NewResponseController(w.ResponseWriter)
	if r.Header.Get("Expect") == "" { // else reading would ask for it
		control.SetReadDeadline(time.Now().Add(passedTime))
		if _, err := io.CopyN(io.Discard, r.Body, passedBytes); err == io.EOF {
			control.SetReadDeadline(time.Time{})
			return
		}
	}
	w.Header().Set("Connection", "close")
	control.SetReadDeadline(time.Now().Add(w.bodyTime)) // a client that still sends would not read an answer that is cut off
}

func (w *recorder) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// body reads a request's body, in the time and up to the size that it may have.
func (h *Handler) body(w *recorder, r *http.Request) ([]byte, *openai.Error) {
	if r.ContentLength > h.MaxBody {
		return nil, openai.TooLarge(int(h.MaxBody))
	}
	if encoding := strings.Join(r.Header.Values("Content-Encoding"), ", "); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return nil, invalid(http.StatusUnsupportedMediaType, "unsupported_encoding", fmt.Sprintf("The request's body is encoded as %q; send it as it is.", encoding))
	}
	w.unread = nil
	control := http.NewResponseController(w)
	control.SetReadDeadline(time.Now().Add(h.BodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, h.MaxBody))
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return nil, openai.TooLarge(int(h.MaxBody))
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return nil, invalid(http.StatusRequestTimeout, "request_timeout", fmt.Sprintf("The request's body did not come within %v.", h.BodyTime))
	case err != nil:
		w.Header().Set("Connection", "close")
		return nil, invalid(http.StatusBadRequest, "incomplete_body", "The request's body ended too early.")
	}
	control.SetReadDeadline(time.Time{}) // that the client goes away is noticed by reading on
	return body, nil
}

// write writes an answer. cancel ends the work for it.
func (h *Handler) write(ctx context.Context, cancel func(), w *recorder, a *openai.Answer) {
	for _, pair := range a.Header {
		w.Header().Add(pair[0], pair[1])
	}
	if a.Events != nil {
		h.stream(ctx, cancel, w, a)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	w.Write(a.Body)
}

// waiting are events that have come and are not written yet; more wait in the request's own stream, which its length bounds.
const waiting = 16

// stream writes events as they come. They come from a goroutine of their own: a client that is slow to read them, or gone, holds up
// nothing else, and ends the work once it has taken none for WriteTime.
func (h *Handler) stream(ctx context.Context, cancel func(), w *recorder, a *openai.Answer) {
	header := w.Header()
	header.Set("Cache-Control", "no-cache")
	header.Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(a.Status)
	events := make(chan []byte, waiting)
	go h.pull(ctx, a.Events, events)
	defer func() { // the request has ended, and its blocks are free, before the connection takes another
		cancel()
		for range events {
		}
	}()
	control := http.NewResponseController(w)
	comments := strings.HasPrefix(header.Get("Content-Type"), "text/event-stream")
	alive := time.NewTicker(h.KeepAlive)
	defer alive.Stop()
	for {
		control.SetWriteDeadline(time.Now().Add(h.WriteTime))
		if control.Flush() != nil {
			return
		}
		control.SetWriteDeadline(time.Time{}) // HTTP/2 ends a stream at its deadline, also one that waits for its next event
		var event []byte
		open := true
		select {
		case event, open = <-events:
		case <-alive.C:
			if !comments {
				continue
			}
			event = []byte(": waiting\n\n")
		}
		for more := true; more && open; { // what else is there goes out at once
			control.SetWriteDeadline(time.Now().Add(h.WriteTime))
			if _, err := w.Write(event); err != nil {
				return
			}
			select {
			case event, open = <-events:
			default:
				more = false
			}
		}
		if !open {
			control.SetWriteDeadline(time.Now().Add(h.WriteTime))
			control.Flush()
			return
		}
		alive.Reset(h.KeepAlive)
	}
}

// pull hands events over until there are no more, or nobody wants them.
func (h *Handler) pull(ctx context.Context, from iter.Seq[[]byte], events chan<- []byte) {
	defer close(events)
	defer func() {
		if p := recover(); p != nil {
			h.Log.Error("a stream failed inside", "error", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	for event := range from {
		select {
		case events <- event:
		case <-ctx.Done():
			return
		}
	}
}
