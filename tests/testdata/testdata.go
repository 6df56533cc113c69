// Package testdata finds the files that tests read: models, golden outputs and vocabularies. What is our own lies in
// the project, under data/; what came from elsewhere is read from $QUIRE_DATA.
package testdata

import (
	"io"
	"os"
	"testing"
)

// File is an opened test file.
type File interface {
	io.ReaderAt
	io.Closer
}

// Bytes returns the whole content of a file, named by its path below the data folder.
// Without the file it fails the test when CI=true and skips it otherwise.
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

// missing ends a test that lacks a file.
func missing(t testing.TB, name string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("test data %s is missing: QUIRE_DATA must name the folder that has it", name)
	}
	t.Skipf("needs %s, which is not part of the project: QUIRE_DATA names the folder that has it", name)
}
