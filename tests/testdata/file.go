//go:build !js

package testdata

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Dir is the folder of what is not in the project: $QUIRE_DATA, or shared/data beside the project.
func Dir() string {
	if dir := os.Getenv("QUIRE_DATA"); dir != "" {
		return dir
	}
	return filepath.Join(project(), "..", "shared", "data")
}

// project is the project's folder where the test was built. On another machine there may be none.
func project() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..")
}

// Path finds a file by its path below the data folder: in the project, or else in Dir.
// The error is fs.ErrNotExist where neither has it.
func Path(name string) (string, error) {
	file := filepath.FromSlash(name)
	places := []string{filepath.Join(project(), "tests", "testdata", "data", file), filepath.Join(Dir(), file)}
	if name == "models/quire-tales.gguf" { // the built-in model
		places[0] = filepath.Join(project(), "cmd", "native", "model", "quire-tales.gguf")
	}
	for _, path := range places {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// Open opens a file by its path below the data folder and returns it with its size in bytes.
// Without the file it fails the test when CI=true and skips it otherwise.
func Open(t testing.TB, name string) (File, int64) {
	t.Helper()
	path, err := Path(name)
	if err != nil {
		missing(t, name)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatalf("test data: %v", err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatalf("test data: %v", err)
	}
	return f, info.Size()
}
