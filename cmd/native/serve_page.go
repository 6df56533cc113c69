package main

import (
	"bytes"
	"io/fs"
	"time"

	"quire/cmd/native/model"
	"quire/web"
)

// page is the page's files, with the built-in model among them, which the binary has already.
type page struct{ fs.FS }

// newPage gives the page, or nil where the binary was built without it.
func newPage() fs.FS {
	if files := web.Page(); files != nil {
		return page{files}
	}
	return nil
}

// Open implements fs.FS.
func (p page) Open(name string) (fs.File, error) {
	if name == model.Name {
		return tales{bytes.NewReader(model.Bytes)}, nil
	}
	return p.FS.Open(name)
}

// tales is the built-in model as a file.
type tales struct{ *bytes.Reader }

func (tales) Close() error                 { return nil }
func (t tales) Stat() (fs.FileInfo, error) { return t, nil }
func (tales) Name() string                 { return model.Name }
func (tales) Mode() fs.FileMode            { return 0o444 }
func (tales) ModTime() time.Time           { return time.Time{} }
func (tales) IsDir() bool                  { return false }
func (tales) Sys() any                     { return nil }
