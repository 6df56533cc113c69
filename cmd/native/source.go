package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"quire/cmd/native/model"
	"quire/cmd/native/remote"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/hub"
	"quire/engine/split"
)

// file is an opened model file.
type file struct {
	io.ReaderAt
	io.Closer
	name    string
	size    int64
	builtIn bool
}

// openFile opens a model by path or URL; an empty name is the built-in model. What is waited for is told to told.
func openFile(ctx context.Context, name string, told io.Writer) (*file, error) {
	if name == "" {
		return &file{ReaderAt: bytes.NewReader(model.Bytes), Closer: io.NopCloser(nil), name: model.Name, size: int64(len(model.Bytes)), builtIn: true}, nil
	}
	if isURL(name) {
		r, err := remote.Open(ctx, name, remote.Options{Waiting: func(reason string, wait time.Duration) {
			clearLine := ""
			if isTerminal(told) {
				clearLine = "\r\x1b[K" // of a bar
			}
			fmt.Fprintf(told, "%s%s; trying again in %v\n", clearLine, reason, wait.Round(time.Second))
		}})
		if err != nil {
			return nil, err
		}
		return &file{ReaderAt: r, Closer: r, name: name, size: r.Size()}, nil
	}
	if scheme, _, found := strings.Cut(name, "://"); found && !strings.ContainsAny(scheme, "/\\.") {
		return nil, fmt.Errorf("%s: Quire reads files and http(s) addresses, not %s://", name, scheme)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: this is not a file", name)
		if info.IsDir() {
			err = fmt.Errorf("%s: this is a folder; give a .gguf file in it", name)
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &file{ReaderAt: f, Closer: f, name: name, size: info.Size()}, nil
}

// openModel opens a model with all its files, of which one is named.
func openModel(ctx context.Context, name string, told io.Writer) (*file, error) {
	f, err := openFile(ctx, name, told)
	if err != nil || f.builtIn {
		return f, err
	}
	own := gpu.ReaderSource(f, f.size)
	joined, err := split.Open(ctx, split.File{Name: name, Source: own}, func(ctx context.Context, name string) (gpu.Source, error) {
		other, err := openFile(ctx, name, told)
		if err != nil {
			return nil, err
		}
		return gpu.ReaderSource(other, other.size), nil
	})
	if err != nil {
		f.Close()
		return nil, f.wrap(err)
	}
	if joined == own {
		return f, nil
	}
	return &file{ReaderAt: joined, Closer: joined, name: name, size: joined.Size()}, nil
}

// openHeader opens a model and reads its header.
func openHeader(ctx context.Context, name string, told io.Writer) (*file, *gguf.File, error) {
	f, err := openModel(ctx, name, told)
	if err != nil {
		return nil, nil, err
	}
	header, err := gguf.Read(f, f.size)
	if err != nil {
		f.Close()
		return nil, nil, f.wrap(err)
	}
	return f, header, nil
}

// wrap puts the file's name in front of an error. One of the network names it already.
func (f *file) wrap(err error) error {
	var network *hub.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &network):
		return network
	}
	return fmt.Errorf("%s: %w", f.name, err)
}

// isURL says whether a model's name is an address.
func isURL(name string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(name), "://")
	return len(scheme) < len(name) && (scheme == "http" || scheme == "https")
}
