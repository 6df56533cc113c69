//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// venv makes a Python of its own with packages of exact versions.
func venv(t *testing.T, packages ...string) (bin string) {
	t.Helper()
	dir := t.TempDir()
	out, err := exec.Command("python3", "-m", "venv", dir).CombinedOutput()
	require.NoError(t, err, string(out))
	bin = filepath.Join(dir, "bin")
	out, err = exec.Command(filepath.Join(bin, "python"), append([]string{"-m", "pip", "install", "--quiet"}, packages...)...).CombinedOutput()
	require.NoError(t, err, string(out))
	return bin
}

// The client that ollama's users have.
func TestOllamaClient(t *testing.T) {
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("ollama's Python client from PyPI: set QUIRE_ALL=1")
	}
	bin := venv(t, "ollama==0.6.3")
	s := serve(t, "--ollama", "-m", "tales="+builtIn).ready(t)
	c := exec.Command(filepath.Join(bin, "python"), "testdata/ollama_client.py", s.url)
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "all right\n", string(out))
}
