//go:build !js

// Package cli tests the native binary from outside: what it prints where, and how it ends.
package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// binary is the quire that all tests run.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "quire-cli-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "quire")
	build := exec.Command("go", "build", "-o", binary, "quire/cmd/native")
	build.Stderr = os.Stderr
	code := 1
	if err := build.Run(); err == nil {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// result is what a command left behind.
type result struct {
	stdout, stderr string
	code           int
}

// quire runs the binary with an empty stdin.
func quire(t *testing.T, args ...string) result {
	t.Helper()
	return quireWith(t, "", args...)
}

func quireWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	c := exec.Command(binary, args...)
	c.Stdin = strings.NewReader(stdin)
	return finish(t, c, c.Run)
}

// finish waits for a command and gathers what it printed.
func finish(t *testing.T, c *exec.Cmd, wait func() error) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	require.NotContains(t, stderr.String(), "goroutine ", "it panicked")
	return result{stdout.String(), stderr.String(), c.ProcessState.ExitCode()}
}

// ok requires success.
func (r result) ok(t *testing.T) result {
	t.Helper()
	require.Zero(t, r.code, r.stderr)
	return r
}

// file writes a file for a test.
func file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}
