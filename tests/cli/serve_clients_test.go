//go:build unix

package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/venv"
)

// The client that ollama's users have.
func TestOllamaClient(t *testing.T) {
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("ollama's Python client from PyPI: set QUIRE_ALL=1")
	}
	client := venv.Python(t, "ollama==0.6.3")
	s := serve(t, "--ollama", "-m", "tales="+builtIn).ready(t)
	c := exec.Command(client, "testdata/ollama_client.py", s.url)
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "all right\n", string(out))
}

// llama-benchy prints its table, with a tokenizer and a text of this machine.
func TestLlamaBenchy(t *testing.T) {
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("llama-benchy from PyPI: set QUIRE_ALL=1")
	}
	interpreter := venv.Python(t, "llama-benchy==0.4.0")
	home := t.TempDir()
	book, err := os.ReadFile("../../docs/quire.md")
	require.NoError(t, err)
	text := file(t, "book.txt", book)
	tokenizer := filepath.Join(home, "tokenizer")
	out, err := exec.Command(interpreter, "testdata/tokenizer.py", text, tokenizer).CombinedOutput()
	require.NoError(t, err, string(out))
	library := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(text))))
	defer library.Close()
	s := serve(t).ready(t)
	c := exec.Command(filepath.Join(filepath.Dir(interpreter), "llama-benchy"), "--base-url", s.url+"/v1", "--model", "quire-tales", "--tokenizer", tokenizer, "--book-url", library.URL+"/book.txt",
		"--pp", "64", "--tg", "16", "--runs", "1", "--concurrency", "1", "4", "--exact-tg", "--skip-coherence", "--exit-on-first-fail")
	c.Env = append(os.Environ(), "HOME="+home, "HF_HUB_OFFLINE=1")
	out, err = c.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, row := range []string{`pp64 \(c1\) \|\s+[\d.]+`, `tg16 \(c1\) \|\s+[\d.]+`, `pp64 \(c4\) \|\s+[\d.]+`, `tg16 \(c4\) \|\s+[\d.]+`} {
		assert.Regexp(t, row, string(out))
	}
}
