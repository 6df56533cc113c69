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
	"quire/cmd/native/pull"
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

// Parallel is of gpu.Parallel.
func (f *file) Parallel() bool { return gpu.IsParallel(f.ReaderAt) }

// openFile opens a model by path or URL; an empty name is the built-in model. What is waited for is told to told.
func openFile(ctx context.Context, name string, told io.Writer) (*file, error) {
	if name == "" {
		return &file{ReaderAt: bytes.NewReader(model.Bytes), Closer: io.NopCloser(nil), name: model.Name, size: int64(len(model.Bytes)), builtIn: true}, nil
	}
	if pull.IsAddress(name) {
		show := newPulling(told)
		p, err := newPuller(pull.Options{})
		if err != nil {
			return nil, err
		}
		r, err := remote.Open(ctx, name, remote.Options{Client: p.Client(), Waiting: func(reason string, wait time.Duration) {
			show.update(pull.Event{Stage: pull.Retrying, Reason: reason, Wait: wait})
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

// openModel opens a model with all its files, of which one is named. A hub's is pulled first, where it is not in the cache.
func openModel(ctx context.Context, name string, told io.Writer) (*file, error) {
	at, err := locate(ctx, name, true, told)
	if err != nil {
		return nil, err
	}
	return openParts(ctx, name, at, told)
}

// openParts opens a model with all its files; at is the path or address of one.
func openParts(ctx context.Context, name, at string, told io.Writer) (*file, error) {
	f, err := openFile(ctx, at, told)
	if err != nil || f.builtIn {
		return f, err
	}
	f.name = name
	own := gpu.ReaderSource(f, f.size)
	joined, err := split.Open(ctx, split.File{Name: at, Source: own}, func(ctx context.Context, name string) (gpu.Source, error) {
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

// locate gives the path or the address of a model's file. A hub's model that is not in the cache is pulled where all of it is wanted,
// and only looked up where not.
func locate(ctx context.Context, name string, whole bool, told io.Writer) (string, error) {
	if !pull.IsName(name) {
		return name, nil
	}
	if _, err := os.Stat(name); err == nil {
		return name, nil
	}
	show := newPulling(told)
	defer show.bar.clear()
	p, err := newPuller(pull.Options{Told: show.update})
	if err != nil {
		return "", err
	}
	n, _, err := p.Parse(name)
	if err != nil {
		return "", err
	}
	if m := p.Find(n); m != nil {
		return m.Path(), nil
	}
	if n.IsFileAddress() {
		return name, nil
	}
	if !whole {
		return p.Address(ctx, n)
	}
	m, err := p.Open(ctx, n)
	if err != nil {
		return "", err
	}
	return m.Path(), nil
}

// openHeader opens a model and reads its header. Little else of it is wanted: nothing is pulled.
func openHeader(ctx context.Context, name string, told io.Writer) (*file, *gguf.File, error) {
	at, err := locate(ctx, name, false, told)
	if err != nil {
		return nil, nil, err
	}
	f, err := openParts(ctx, name, at, told)
	if err != nil {
		return nil, nil, err
	}
	return withHeader(f)
}

// withHeader reads a model's header.
func withHeader(f *file) (*file, *gguf.File, error) {
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
