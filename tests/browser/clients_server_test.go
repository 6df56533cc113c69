//go:build !js

package browser

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// clientsServer runs "quire serve" with both models of the suite, and gives the API's address.
func clientsServer(t *testing.T) string {
	t.Helper()
	binary := "../../bin/quire"
	require.FileExists(t, binary, `run "make build" first`)
	assistant := filepath.Join(t.TempDir(), "assistant.gguf")
	require.NoError(t, os.WriteFile(assistant, tiny.Assistant(t), 0o644))
	c := exec.Command(binary, "serve", "--addr", "127.0.0.1:0", "-m", "tales=../../cmd/native/model/quire-tales.gguf", "-m", "assistant="+assistant,
		"--deterministic", "--kv-memory", "64MiB", "--log-level", "warn")
	said, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewReader(said)
	first, err := lines.ReadString('\n')
	require.NoError(t, err)
	var heard sync.WaitGroup
	heard.Go(func() {
		rest, _ := io.ReadAll(lines)
		if t.Failed() {
			t.Logf("%s", rest)
		}
	})
	t.Cleanup(func() {
		assert.NoError(t, c.Process.Signal(os.Interrupt))
		kill := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
		defer kill.Stop()
		heard.Wait()
		assert.NoError(t, c.Wait(), "it ends well")
	})
	at := regexp.MustCompile(`http://\S+/v1`).FindString(first)
	require.NotEmpty(t, at, first)
	return at
}

// The openai client in Node runs the same suite against the server.
func TestClientsOfTheServer(t *testing.T) {
	folder := t.TempDir()
	bundle(t, folder, "clients/node.js", "--platform=node")
	at := clientsServer(t)
	said, err := command(folder, "node", "dist/node.js", at, "tales", "assistant", os.Getenv("QUIRE_CASE"))
	t.Log(said)
	require.NoError(t, err)
}

// So does its Python twin.
func TestPythonClientOfTheServer(t *testing.T) {
	onlyAll(t)
	const folder = "../../.cache/python"
	python := filepath.Join(folder, "bin", "python")
	if _, err := os.Stat(python); err != nil {
		if out, err := command(".", "python3", "-m", "venv", folder); err != nil {
			lacking(t, "needs Python with venv: "+out)
		}
	}
	if out, err := command(".", python, "-m", "pip", "install", "--quiet", "--requirement", "../clients/requirements.txt"); err != nil {
		lacking(t, "needs the openai package, which pip could not install: "+out)
	}
	said, err := command(".", python, "../clients/suite.py", clientsServer(t), "tales", "assistant")
	t.Log(said)
	require.NoError(t, err)
}
