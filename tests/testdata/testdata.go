// Package testdata finds the files that tests read: models, golden outputs and vocabularies.
package testdata

import (
	"io"
	"testing"
)

// File is an opened test file.
type File interface {
	io.ReaderAt
	io.Closer
}

// Bytes returns the whole content of a file, named by its path below the data folder.
// Without the data it fails the test when CI=true and skips it otherwise.
func Bytes(t testing.TB, name string) []byte {
	t.Helper()
	f, size := Open(t, name)
	defer f.Close()
	data := make([]byte, size)
	if _, err := f.ReadAt(data, 0); err != nil && err != io.EOF {
		t.Fatalf("test data %s: %v", name, err)
	}
	return data
}
