//go:build !js

package testdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Dir is the data folder: $QUIRE_DATA, or shared/data beside the project.
func Dir() string {
	if dir := os.Getenv("QUIRE_DATA"); dir != "" {
		return dir
	}
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "..", "shared", "data")
}

// Open opens a file by its path below the data folder and returns it with its size in bytes.
// Without the data it fails the test when CI=true and skips it otherwise.
func Open(t testing.TB, name string) (File, int64) {
	t.Helper()
	f, err := os.Open(filepath.Join(Dir(), filepath.FromSlash(name)))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("test data: %v (set QUIRE_DATA)", err)
		}
		t.Skipf("test data: %v (set QUIRE_DATA)", err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatalf("test data: %v", err)
	}
	return f, info.Size()
}
