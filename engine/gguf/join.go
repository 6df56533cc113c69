package gguf

import (
	"fmt"
	"strings"
)

// The keys of a model that lies in several files.
const (
	splitPrefix     = "split."
	splitNo         = "split.no"
	splitCount      = "split.count"
	splitTensors    = "split.tensors.count"
	alignmentKey    = "general.alignment"
	joinedAlignment = 1 // of files whose alignments differ: each keeps its own places
)

// Split says which of how many files of a model this is, from 0; a whole model has a count of 0 or 1.
func (f *File) Split() (no, count int64, err error) {
	if no, _, err = f.Metadata.Int64(splitNo); err == nil {
		count, _, err = f.Metadata.Int64(splitCount)
	}
	return no, count, err
}

// Part is where a file's tensor data lies in the joined one.
type Part struct{ At, From, Size int64 }

// Joined is one file made of several: a header of its own, and a part of each file.
type Joined struct {
	Header []byte
	Parts  []Part
	Size   int64
}

// Join joins all files of a split model, in the order of their numbers. Keys are those of the first; others may repeat them.
func Join(files []*File) (*Joined, error) {
	alignment, tensors := files[0].Alignment, int64(0)
	names := map[string]bool{}
	for i, f := range files {
		no, count, err := f.Split()
		switch {
		case err != nil:
			return nil, err
		case count != int64(len(files)) || no != int64(i):
			return nil, &MetadataError{Key: splitNo, Reason: fmt.Sprintf("is %d of %d in the model's file %d of %d", no+1, count, i+1, len(files))}
		}
		if err := f.repeats(files[0]); err != nil {
			return nil, fmt.Errorf("file %d of %d: %w", i+1, len(files), err)
		}
		if f.Alignment != alignment {
			alignment = joinedAlignment
		}
		for _, t := range f.Tensors {
			if names[t.Name] {
				return nil, &FormatError{Field: fmt.Sprintf("tensor %q", t.Name), Reason: "is in two of the model's files"}
			}
			names[t.Name] = true
		}
		tensors += int64(len(f.Tensors))
	}
	if want, ok, err := files[0].Metadata.Int64(splitTensors); err != nil {
		return nil, err
	} else if ok && want != tensors {
		return nil, &MetadataError{Key: splitTensors, Reason: fmt.Sprintf("is %d, and the model's files have %d tensors", want, tensors)}
	}
	return join(files, alignment), nil
}

// repeats checks that a later file has no keys that the first lacks, or has otherwise.
func (f *File) repeats(first *File) error {
	for key, v := range f.Metadata.All() {
		if strings.HasPrefix(key, splitPrefix) || key == alignmentKey {
			continue
		}
		if held, ok := first.Metadata.Get(key); !ok || held.String() != v.String() {
			return &MetadataError{Key: key, Reason: "is not what the model's first file has"}
		}
	}
	return nil
}

func join(files []*File, alignment uint32) *Joined {
	var kept Metadata
	for key, v := range files[0].Metadata.All() {
		if !strings.HasPrefix(key, splitPrefix) && key != alignmentKey {
			kept.set(key, v)
		}
	}
	if alignment != defaultAlignment {
		kept.set(alignmentKey, Value{Type: Uint32, bits: uint64(alignment)})
	}
	up := func(at int64) int64 { return (at + int64(alignment) - 1) / int64(alignment) * int64(alignment) }
	j := &Joined{}
	var tensors []Tensor
	end := int64(0) // of the data
	for _, f := range files {
		part := Part{At: up(end), From: f.DataOffset, Size: max(0, f.Size-f.DataOffset)}
		for _, t := range f.Tensors {
			t.Offset += part.At - f.DataOffset
			tensors = append(tensors, t)
		}
		j.Parts = append(j.Parts, part)
		end = part.At + part.Size
	}
	j.Header = appendHeader(nil, &kept, tensors)
	start := up(int64(len(j.Header)))
	for i := range j.Parts {
		j.Parts[i].At += start
	}
	j.Size = start + end
	return j
}

func appendHeader(b []byte, metadata *Metadata, tensors []Tensor) []byte {
	b = append(b, magic...)
	b = appendBits(b, 4, 3)
	b = appendBits(b, 8, uint64(len(tensors)))
	b = appendBits(b, 8, uint64(metadata.Len()))
	for key, v := range metadata.All() {
		b = appendString(b, key)
		b = appendBits(b, 4, uint64(v.Type))
		b = appendValue(b, v)
	}
	for _, t := range tensors {
		b = appendString(b, t.Name)
		b = appendBits(b, 4, uint64(len(t.Shape)))
		for _, d := range t.Shape {
			b = appendBits(b, 8, d)
		}
		b = appendBits(b, 4, uint64(t.Type))
		b = appendBits(b, 8, uint64(t.Offset))
	}
	return b
}
