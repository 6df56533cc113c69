package main

import (
	"bytes"
	"io/fs"
	"path"
	"time"

	"quire/cmd/native/model"
	"quire/web"
)

// page is the page's files, with the built-in model among them, which the binary has already, and what tells the page that it comes
// from a server of models.
type page struct{ fs.FS }

const servedName, servedText = "page/served.js", "export default true;\n"

// newPage gives the page, or nil where the binary was built without it.
func newPage() fs.FS {
	if files := web.Page(); files != nil {
		return page{files}
	}
	return nil
}

// Open implements fs.FS.
func (p page) Open(name string) (fs.File, error) {
	switch name {
	case model.Name:
		return held{bytes.NewReader(model.Bytes), name}, nil
	case servedName:
		return held{bytes.NewReader([]byte(servedText)), name}, nil
	}
	return p.FS.Open(name)
}

// held is a file that the binary holds apart from the page's.
type held struct {
	*bytes.Reader
	name string
}

func (held) Close() error                 { return nil }
func (h held) Stat() (fs.FileInfo, error) { return h, nil }
func (h held) Name() string               { return path.Base(h.name) }
func (held) Mode() fs.FileMode            { return 0o444 }
func (held) ModTime() time.Time           { return time.Time{} }
func (held) IsDir() bool                  { return false }
func (held) Sys() any                     { return nil }
