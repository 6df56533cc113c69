package http

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// pageFiles are files of the page that have been asked for, which stay as they are while the server runs: browsers ask whether
// theirs are those, and most take them compressed.
type pageFiles struct {
	mu  sync.Mutex
	all map[string]func() (*pageFile, error)
}

type pageFile struct {
	data, packed []byte // packed may be nil
	tag          string
}

// kinds are what the page consists of, by the ends of names, whatever a system says of them. All become smaller.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".wasm": "application/wasm",
	".json": "application/json", ".svg": "image/svg+xml",
}

// get gives a file, which is read once. One that is compressed holds up no other.
func (p *pageFiles) get(files fs.FS, name string) (*pageFile, error) {
	p.mu.Lock()
	read := p.all[name]
	if read == nil {
		if p.all == nil {
			p.all = map[string]func() (*pageFile, error){}
		}
		read = sync.OnceValues(func() (*pageFile, error) { return readPageFile(files, name) })
		p.all[name] = read
	}
	p.mu.Unlock()
	return read()
}

func readPageFile(files fs.FS, name string) (*pageFile, error) {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	f := &pageFile{data: data, tag: fmt.Sprintf("%x", sha256.Sum256(data))[:32]}
	if kinds[path.Ext(name)] != "" {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		w.Write(data) // a buffer takes everything
		w.Close()
		if packed.Len() < len(data) {
			f.packed = packed.Bytes()
		}
	}
	return f, nil
}

// onPage says that a path names a file of the page.
func (h *Handler) onPage(r *http.Request) bool {
	if h.Page == nil {
		return false
	}
	if r.URL.Path == "/" {
		return true
	}
	info, err := fs.Stat(h.Page, r.URL.Path[1:])
	return err == nil && info.Mode().IsRegular()
}

// page answers with a file of the page.
func (h *Handler) page(w *recorder, r *http.Request) {
	if !h.reads(w, r) {
		return
	}
	name := cmp.Or(r.URL.Path[1:], "index.html")
	f, err := h.files.get(h.Page, name)
	if err != nil {
		h.refuse(w, r, invalid(http.StatusNotFound, "unknown_url", "There is nothing at this path."))
		return
	}
	w.within = pageTime
	header := w.Header()
	header.Set("Content-Security-Policy", "frame-ancestors 'none'")
	header.Set("Cache-Control", "no-cache")
	header.Add("Vary", "Accept-Encoding") // beside what CORS made of the origin
	header.Set("Content-Type", cmp.Or(kinds[path.Ext(name)], "application/octet-stream"))
	data, tag := f.data, f.tag
	if f.packed != nil && r.Header.Get("Range") == "" && takesGzip(r.Header.Values("Accept-Encoding")) {
		data, tag = f.packed, f.tag+"-gzip"
		header.Set("Content-Encoding", "gzip")
	}
	header.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}

// takesGzip reads what encodings a client takes.
func takesGzip(accept []string) bool {
	for encoding := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(encoding), ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			weight = strings.ToLower(strings.ReplaceAll(weight, " ", ""))
			return strings.Trim(strings.TrimPrefix(weight, "q="), "0.") != "" || weight == ""
		}
	}
	return false
}
