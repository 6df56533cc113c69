// Package venv has other people's programs in Python for tests that compare with them.
package venv

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Python makes a Python of its own with packages of exact versions, and names it. What they bring to run lies beside it. Debian's own
// Python has no pip, and takes no packages.
func Python(t testing.TB, packages ...string) string {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("python3", "-m", "venv", dir).CombinedOutput()
	require.NoError(t, err, "%s\nrun \".ci/install python\" first", out)
	python := filepath.Join(dir, "bin", "python")
	out, err = exec.Command(python, append([]string{"-m", "pip", "install", "--quiet"}, packages...)...).CombinedOutput()
	require.NoError(t, err, string(out))
	return python
}
