//go:build !js

package hubtest

import (
	"bytes"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// span gives the first byte that a request asks for, and the one after the last.
func span(r *http.Request, size int) (start, end int) {
	end = size
	if n, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &start, &end); n == 2 {
		end++
	}
	return min(start, size), min(end, size)
}

// Cut ends each connection after so many bytes.
func Cut(after int) func(http.ResponseWriter, *http.Request, []byte) bool {
	return func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		start, end := span(r, len(data))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, end-1, len(data)))
		w.Header().Set("Content-Length", fmt.Sprint(end-start))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[start:min(end, start+after)])
		w.(http.Flusher).Flush()
		if start+after < end {
			panic(http.ErrAbortHandler)
		}
		return true
	}
}

// Wrong serves bytes of which one in the middle is another.
func Wrong(w http.ResponseWriter, r *http.Request, data []byte) bool {
	data = bytes.Clone(data)
	data[len(data)/2] ^= 1
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return true
}

// Whole serves no ranges.
func Whole(w http.ResponseWriter, r *http.Request, data []byte) bool {
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	w.Write(data)
	return true
}

// Busy answers so many requests with 429, and asks for a second of rest.
func Busy(times int) func(http.ResponseWriter, *http.Request, []byte) bool {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		if n.Add(1) > int32(times) {
			return false
		}
		w.Header().Set("Retry-After", "1")
		http.Error(w, "slow down", http.StatusTooManyRequests)
		return true
	}
}

// One allows one connection at a time: others are told that the server is busy.
func One() func(http.ResponseWriter, *http.Request, []byte) bool {
	var n atomic.Int32
	return func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		defer n.Add(-1)
		if n.Add(1) > 1 {
			http.Error(w, "one at a time", http.StatusServiceUnavailable)
			return true
		}
		start, end := span(r, len(data))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, end-1, len(data)))
		w.Header().Set("Content-Length", fmt.Sprint(end-start))
		w.WriteHeader(http.StatusPartialContent)
		for start < end {
			next := min(end, start+64<<10)
			if _, err := w.Write(data[start:next]); err != nil {
				return true
			}
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
			start = next
		}
		return true
	}
}

// Gate serves only the first bytes of each file until it is opened; then all goes on.
type Gate struct {
	First int
	open  chan struct{}
}

// NewGate makes a gate that lets so many bytes of a file's start through.
func NewGate(first int) *Gate { return &Gate{First: first, open: make(chan struct{})} }

// Open lets everything through.
func (g *Gate) Open() { close(g.open) }

// Fault is for Server.Fault.
func (g *Gate) Fault(w http.ResponseWriter, r *http.Request, data []byte) bool {
	start, end := span(r, len(data))
	w.Header().Set("ETag", `"`+sha(data)+`"`)
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, end-1, len(data)))
	w.Header().Set("Content-Length", fmt.Sprint(end-start))
	w.WriteHeader(http.StatusPartialContent)
	through := max(start, min(end, g.First))
	w.Write(data[start:through])
	w.(http.Flusher).Flush()
	if through == end {
		return true
	}
	select {
	case <-g.open:
	case <-r.Context().Done():
		return true
	}
	w.Write(data[through:end])
	return true
}

// Renamed gives a file another ETag in each answer, and cuts each after some bytes.
func Renamed(after int) func(http.ResponseWriter, *http.Request, []byte) bool {
	var n atomic.Int32
	cut := Cut(after)
	return func(w http.ResponseWriter, r *http.Request, data []byte) bool {
		w.Header().Set("ETag", fmt.Sprintf(`"answer-%d"`, n.Add(1)))
		return cut(w, r, data)
	}
}

// Lengthless serves a file as a whole, and does not tell how long it is.
func Lengthless(w http.ResponseWriter, r *http.Request, data []byte) bool {
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	w.Write(data)
	return true
}
