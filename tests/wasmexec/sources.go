//go:build !js

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// sources serves made-up files under /source/KIND?size=N&key=K the ways that servers do, for tests of reading by URL.
// Byte i of a file is i·i>>7 xor i. A key counts requests and separates tests; /source/count?key=K tells the count.
//
//	ranges   206 for ranges, with an ETag
//	kept     ranges that caches may keep for an hour; from /source/change?key=K on another file, all of whose bytes are
//	         one more, with another ETag
//	plain    200 whatever is asked for
//	open     ranges, for pages of other origins, which see no Content-Range and no ETag
//	cut      ranges; the first `times` responses break off after `at` bytes
//	cutplain plain; likewise
//	changed  ranges; the first response breaks off after `at` bytes, later ones have another ETag
//	grown    ranges without an ETag; the first breaks off after `at` bytes, later ones are one byte longer
//	stuck    ranges; sends `at` bytes and then nothing until the client goes; after `times` requests, if given, nothing at all
//	flaky    503 for the first `times` requests, then ranges
//	status   answers with status `code`, and Retry-After where `after` is given
//	busy     429 with Retry-After `after`, as a number of seconds or a date, for the first `times` requests, then ranges
//	endless  200 without a length
//	hush     200 without a length; sends `at` bytes and then nothing until the client goes
//	mute     never answers
//	page     HTML
//	called   a model's first bytes, and then the file, called HTML
//	gzip     compressed, and said so where the page may read that
//	pieces   ranges of at most `at` bytes; pages of other origins may not see how long the file is, unless `told`
//	whole    one range to the end that does not tell how long the file is
func sources() http.Handler {
	var mu sync.Mutex
	counts := map[string]int{}
	changed := map[string]bool{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, key := r.URL.Path[len("/source/"):], r.FormValue("key")
		mu.Lock()
		switch kind {
		case "change":
			changed[key] = true
		case "count":
		default:
			counts[key]++
		}
		count, another := counts[key], changed[key]
		mu.Unlock()
		size, at, times := number(r, "size"), number(r, "at"), number(r, "times")
		w.Header().Set("Cache-Control", "no-store")
		ranges := func(w http.ResponseWriter, size int, tag string) {
			if tag != "" {
				w.Header().Set("ETag", tag)
			}
			w.Header().Set("Content-Type", "application/octet-stream")
			content := pattern(size)
			if another {
				for i := range content {
					content[i]++
				}
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		}
		plain := func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", strconv.Itoa(size))
			w.Write(pattern(size))
		}
		switch kind {
		case "change", "count":
			fmt.Fprint(w, count)
		case "ranges":
			ranges(w, size, `"1"`)
		case "kept":
			w.Header().Set("Cache-Control", "max-age=3600")
			ranges(w, size, fmt.Sprintf(`"%v"`, another))
		case "plain":
			plain(w)
		case "open":
			w.Header().Set("Access-Control-Allow-Origin", "*")
			ranges(w, size, `"1"`)
		case "cut", "cutplain":
			if count <= times {
				w = &cutting{ResponseWriter: w, left: at}
			}
			if kind == "cut" {
				ranges(w, size, `"1"`)
			} else {
				plain(w)
			}
		case "changed":
			if count == 1 {
				w = &cutting{ResponseWriter: w, left: at}
			}
			ranges(w, size, fmt.Sprintf(`"%d"`, min(count, 2)))
		case "grown":
			if count == 1 {
				w = &cutting{ResponseWriter: w, left: at}
				size--
			}
			ranges(w, size+1, "")
		case "stuck":
			if times > 0 && count > times {
				<-r.Context().Done()
				return
			}
			ranges(&cutting{ResponseWriter: w, left: at, stuck: r.Context().Done()}, size, `"1"`)
		case "flaky":
			if count <= times {
				http.Error(w, "later", http.StatusServiceUnavailable)
				return
			}
			ranges(w, size, `"1"`)
		case "status":
			w.Header().Set("Retry-After", r.FormValue("after"))
			w.WriteHeader(number(r, "code"))
		case "busy":
			if count <= times {
				after := r.FormValue("after")
				if r.FormValue("date") != "" {
					after = time.Now().Add(time.Duration(number(r, "after")) * time.Second).UTC().Format(http.TimeFormat)
				}
				w.Header().Set("Retry-After", after)
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			ranges(w, size, `"1"`)
		case "hush":
			w.WriteHeader(http.StatusOK)
			w.Write(pattern(at))
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "mute":
			<-r.Context().Done()
		case "page":
			fmt.Fprint(w, "<!doctype html><title>Sign in</title>")
		case "called":
			w.Header().Set("Content-Type", "text/html")
			content := append([]byte("GGUF"), pattern(size)...)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		case "gzip":
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			z.Write(make([]byte, size))
			z.Close()
			w.Header().Set("Access-Control-Allow-Origin", "*")
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Length", strconv.Itoa(packed.Len()))
			w.Write(packed.Bytes())
		case "pieces", "whole":
			from, total := 0, strconv.Itoa(size)
			fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			to := size
			if kind == "pieces" {
				to = min(size, from+at)
			} else {
				total = "*"
			}
			w.Header().Set("Access-Control-Allow-Origin", "*")
			if r.FormValue("told") != "" {
				w.Header().Set("Access-Control-Expose-Headers", "Content-Range")
			}
			if from >= size {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return
			}
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%s", from, to-1, total))
			w.Header().Set("Content-Length", strconv.Itoa(to-from))
			w.WriteHeader(http.StatusPartialContent)
			w.Write(pattern(size)[from:to])
		case "endless":
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			w.Write(pattern(size))
		default:
			http.NotFound(w, r)
		}
	})
}

func number(r *http.Request, name string) int {
	n, _ := strconv.Atoi(r.FormValue(name))
	return n
}

// cutting breaks the response off after left bytes of body, or once they are sent waits until stuck is closed.
type cutting struct {
	http.ResponseWriter
	left  int
	stuck <-chan struct{}
}

func (c *cutting) Write(p []byte) (int, error) {
	n := min(len(p), c.left)
	c.left -= n
	if _, err := c.ResponseWriter.Write(p[:n]); err != nil {
		return 0, err
	}
	if c.left > 0 {
		return n, nil
	}
	c.ResponseWriter.(http.Flusher).Flush()
	if c.stuck != nil {
		<-c.stuck
	}
	panic(http.ErrAbortHandler)
}

// pattern returns the first size bytes of every made-up file.
func pattern(size int) []byte {
	out := make([]byte, size)
	for i := range out {
		out[i] = byte(i*i>>7 ^ i)
	}
	return out
}
