// Package split opens models that lie in several files, model-00001-of-00003.gguf and so on, as one.
package split

import (
	"context"
	"fmt"
	"strings"

	"quire/engine/gguf"
	"quire/engine/gpu"
)

// maxFiles is what a name's five digits can count.
const maxFiles = 99999

// File is one of a model's files, which may have a name.
type File struct {
	Name string
	gpu.Source
}

// Open opens the other files of a model of which one is given, by its name, and joins all. A model in one file, and a file whose
// name tells nothing of others, is given back as it is. Where Open fails the given file stays open.
func Open(ctx context.Context, first File, open func(ctx context.Context, name string) (gpu.Source, error)) (gpu.Source, error) {
	if !counts(first.Name) {
		return first.Source, nil // unread: from a server, its header comes but once
	}
	header, err := gguf.Read(first, first.Size())
	if err != nil {
		return first.Source, nil // who reads it says why
	}
	no, count, err := header.Split()
	name, ok := nameOf(first.Name, no, count)
	if err != nil || count < 2 || !ok {
		return first.Source, nil
	}
	files := make([]File, 0, count)
	for i := range count {
		if i == no {
			files = append(files, first)
			continue
		}
		source, err := open(ctx, name(i))
		if err != nil {
			closeOthers(files, first)
			return nil, fmt.Errorf("the model lies in %d files, and this one of them cannot be opened: %w", count, err)
		}
		files = append(files, File{name(i), source})
	}
	joined, err := Join(files)
	if err != nil {
		closeOthers(files, first)
	}
	return joined, err
}

func closeOthers(files []File, first File) {
	for _, f := range files {
		if f.Source != first.Source {
			f.Close()
		}
	}
}

// Join joins a model's files, given in any order. One file that is no split model's is given back as it is.
func Join(files []File) (gpu.Source, error) {
	var sorted []*gguf.File
	var sources []File
	for i, f := range files {
		header, err := gguf.Read(f, f.Size())
		if err != nil {
			if len(files) == 1 {
				return f.Source, nil
			}
			return nil, named(f.Name, err)
		}
		no, count, err := header.Split()
		if err != nil {
			return nil, named(f.Name, err)
		}
		if len(files) == 1 && count < 2 {
			return f.Source, nil
		}
		if i == 0 {
			if count < 2 || count > maxFiles {
				return nil, named(f.Name, fmt.Errorf("this is a model of its own: give either it alone, or all files of one split model"))
			}
			sorted, sources = make([]*gguf.File, count), make([]File, count)
		}
		if count != int64(len(sorted)) || no < 0 || no >= count {
			return nil, named(f.Name, fmt.Errorf("this is file %d of a model in %d files, and another of them is of one in %d", no+1, count, len(sorted)))
		}
		if sorted[no] != nil {
			return nil, named(f.Name, fmt.Errorf("file %d of %d is given twice", no+1, count))
		}
		sorted[no], sources[no] = header, f
	}
	if missing := missing(sources); len(missing) > 0 {
		return nil, fmt.Errorf("the model lies in %d files, and %s %s missing: give all of them at once", len(sources), strings.Join(missing, ", "), are(len(missing)))
	}
	joined, err := gguf.Join(sorted)
	if err != nil {
		return nil, err
	}
	var pieces []gpu.Piece
	for i, part := range joined.Parts {
		pieces = append(pieces, gpu.Piece{Source: sources[i].Source, At: part.At, From: part.From, Bytes: part.Size})
	}
	return gpu.JoinedSource(joined.Header, pieces, joined.Size), nil
}

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func named(name string, err error) error {
	if name == "" {
		return err
	}
	return fmt.Errorf("%s: %w", name, err)
}

// missing names the files that are not there, by the names of those that are.
func missing(files []File) (missing []string) {
	const most = 8 // named
	for i, f := range files {
		if f.Source != nil {
			continue
		}
		text := fmt.Sprintf("file %d", i+1)
		for no, given := range files {
			if name, ok := nameOf(given.Name, int64(no), int64(len(files))); given.Source != nil && ok {
				text = name(int64(i))
				break
			}
		}
		if missing = append(missing, text); len(missing) == most {
			return append(missing, "others")
		}
	}
	return missing
}

// counts reports whether a name has something like -00002-of-00003.gguf in it.
func counts(name string) bool {
	for at := range len(name) {
		rest, isMark := strings.CutPrefix(name[at:], "-of-")
		if isMark && at >= 6 && name[at-6] == '-' && digits(name[at-5:at]) && len(rest) > 5 && digits(rest[:5]) && strings.HasPrefix(rest[5:], ".gguf") {
			return true
		}
	}
	return false
}

func digits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// nameOf tells how the files of a model are named of which one is: what stands before the last -00002-of-00003 counts, and what
// stands behind, such as an address's query.
func nameOf(name string, no, count int64) (func(no int64) string, bool) {
	if count > maxFiles || no < 0 || no >= count {
		return nil, false
	}
	mark := func(no int64) string { return fmt.Sprintf("-%05d-of-%05d.gguf", no+1, count) }
	at := strings.LastIndex(name, mark(no))
	if at < 0 {
		return nil, false
	}
	return func(to int64) string { return name[:at] + mark(to) + name[at+len(mark(no)):] }, true
}
