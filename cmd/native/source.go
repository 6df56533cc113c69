package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"quire/cmd/native/model"
	"quire/cmd/native/remote"
	"quire/engine/gguf"
)

// file is an opened model file.
type file struct {
	io.ReaderAt
	io.Closer
	name    string
	size    int64
	builtIn bool
}

// openFile opens a model by path or URL; an empty name is the built-in model.
func openFile(ctx context.Context, name string) (*file, error) {
	if name == "" {
		return &file{ReaderAt: bytes.NewReader(model.Bytes), Closer: io.NopCloser(nil), name: model.Name, size: int64(len(model.Bytes)), builtIn: true}, nil
	}
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		r, err := remote.Open(ctx, name, remote.Options{})
		if err != nil {
			return nil, err
		}
		return &file{ReaderAt: r, Closer: r, name: name, size: r.Size()}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &file{ReaderAt: f, Closer: f, name: name, size: info.Size()}, nil
}

// openHeader opens a model and reads its header.
func openHeader(ctx context.Context, name string) (*file, *gguf.File, error) {
	f, err := openFile(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	header, err := gguf.Read(f, f.size)
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return f, header, nil
}

const modelUsage = "a GGUF `FILE` or http(s) URL; without it, the built-in model"
