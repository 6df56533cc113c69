//go:build !js

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/hubtest"
	"quire/tests/tiny"
)

// hub serves the built-in model and one in three files, to a cache of the test's own.
func hub(t *testing.T) *hubtest.Server {
	t.Helper()
	model, err := os.ReadFile(builtIn)
	require.NoError(t, err)
	parts := map[string][]byte{"BF16/README.md": nil}
	for no, data := range tiny.Split(t, tiny.Model{}.Bytes(t), 3, 0, 64, 8) {
		parts["BF16/"+tiny.SplitName(no, 3)] = data
	}
	s := hubtest.New(t)
	s.Put("quire/tales-GGUF", hubtest.Repo{Files: map[string][]byte{"tales-Q4_K_M.gguf": model, "tales-Q8_0.gguf": model[:len(model)-1]}})
	s.Put("quire/parts", hubtest.Repo{Files: parts})
	s.Put("quire/gated", hubtest.Repo{Files: map[string][]byte{"tales.gguf": model}, Gated: true})
	for name, value := range map[string]string{"QUIRE_CACHE": filepath.Join(t.TempDir(), "models"), "HF_ENDPOINT": s.Hub.URL, "HF_TOKEN": "", "HF_TOKEN_PATH": filepath.Join(t.TempDir(), "none"), "HF_HUB_OFFLINE": ""} {
		t.Setenv(name, value)
	}
	return s
}

// content counts the requests for files.
func content(s *hubtest.Server) (n int) {
	for _, r := range s.Requests() {
		if r.Content {
			n++
		}
	}
	return n
}

func TestModelsByName(t *testing.T) {
	s := hub(t)
	const name = "hf:quire/tales-GGUF"
	args := []string{"run", "--raw", "--temperature", "0", "--max-tokens", "3", "The fox", "-m"}
	want := quire(t, append(args, builtIn)...).ok(t).stdout

	// What only looks at a model reads what it shows.
	assert.Len(t, inspect(t, name).Tensors, 74)
	assert.NotEmpty(t, quireWith(t, "The fox", "tokenize", "-m", name).ok(t).stdout)
	assert.Equal(t, "no models; \"quire pull hf:owner/repo\" fetches one\n", quire(t, "list").ok(t).stdout)

	assert.Equal(t, want, quire(t, append(args, name)...).ok(t).stdout)
	assert.Positive(t, content(s))
	assert.Equal(t, want, quire(t, append(args, "hf.co/quire/tales-GGUF:q4_k_m")...).ok(t).stdout)
	assert.Equal(t, want, quire(t, append(args, s.Hub.URL+"/quire/tales-GGUF/resolve/main/tales-Q4_K_M.gguf")...).ok(t).stdout)
	assert.Empty(t, s.Requests(), "what is in the cache asks nothing")

	whole := file(t, "model.gguf", tiny.Model{}.Bytes(t))
	parts := quire(t, "run", "--raw", "--max-tokens", "4", "--temperature", "0", "hi", "-m", "hf:quire/parts:bf16")
	assert.Equal(t, quire(t, "run", "--raw", "--max-tokens", "4", "--temperature", "0", "hi", "-m", whole).ok(t).stdout, parts.ok(t).stdout)
}

func TestPullListRemove(t *testing.T) {
	s := hub(t)
	const name = "hf:quire/tales-GGUF"
	pulled := quire(t, "pull", name).ok(t)
	path := strings.TrimSuffix(pulled.stdout, "\n")
	assert.FileExists(t, path)
	assert.Contains(t, pulled.stderr, "pulling hf:quire/tales-GGUF/tales-Q4_K_M.gguf, ")
	assert.Contains(t, quire(t, "pull", name).ok(t).stderr, "up to date")

	var last struct {
		Status, Name, Path string
		Bytes              int64
		Fresh              bool
		Files              []struct{ SHA256 string }
	}
	for line := range strings.Lines(quire(t, "pull", "--json", name+":q8_0").ok(t).stdout) {
		require.NoError(t, json.Unmarshal([]byte(line), &last), line)
	}
	assert.Equal(t, "done", last.Status)
	assert.Equal(t, "hf:quire/tales-GGUF/tales-Q8_0.gguf", last.Name)
	assert.False(t, last.Fresh)
	require.Len(t, last.Files, 1)
	data, err := os.ReadFile(last.Path)
	require.NoError(t, err)
	assert.Equal(t, hubtest.SHA256(data), last.Files[0].SHA256)

	assert.Equal(t, "quire/tales-GGUF:Q8_0\nquire/tales-GGUF:Q4_K_M", completed(t, "quire run -m hf : "))
	assert.Equal(t, "Q4_K_M", completed(t, "quire rm hf : quire/tales-GGUF : Q4"))
	listed := quire(t, "list").ok(t).stdout
	assert.Contains(t, listed, "hf:quire/tales-GGUF:Q4_K_M")
	assert.Contains(t, listed, "just now")
	var all struct {
		Folder string
		Models []struct {
			Name  string
			Names []string
			Bytes int64
		}
	}
	require.NoError(t, json.Unmarshal([]byte(quire(t, "list", "--json").ok(t).stdout), &all))
	assert.Equal(t, os.Getenv("QUIRE_CACHE"), all.Folder)
	require.Len(t, all.Models, 2)
	assert.EqualValues(t, len(data), all.Models[0].Bytes)
	assert.Contains(t, all.Models[1].Names, name)

	assert.Contains(t, quire(t, "prune", "--keep", "1KiB", "--dry-run").ok(t).stdout, "would remove hf:quire/tales-GGUF/tales-Q8_0.gguf")
	assert.Contains(t, quire(t, "rm", name).ok(t).stdout, "removed hf:quire/tales-GGUF/tales-Q4_K_M.gguf")
	assert.NoFileExists(t, path)
	assert.Contains(t, quire(t, "prune", "--older", "1ns").ok(t).stdout, "removed hf:quire/tales-GGUF/tales-Q8_0.gguf")
	assert.Equal(t, "nothing to remove\n", quire(t, "prune").ok(t).stdout)
	s.Requests()
}

func TestPullErrors(t *testing.T) {
	hub(t)
	for _, tt := range []struct {
		args       []string
		says, hint string
	}{
		{[]string{"pull", "model.gguf"}, "quire pull: model.gguf: this is no name of a model on a hub", "hf:owner/repo"},
		{[]string{"pull", "hf:quire"}, "quire pull: hf:quire: this is not a whole name", "hf:owner/repo:Q4_K_M"},
		{[]string{"run", "-m", "hf:quire/none", "hi"}, "no such repository", "Check the name"},
		{[]string{"run", "-m", "hf:quire/tales-GGUF:Q5_K_M", "hi"}, "the repository has no Q5_K_M", "There are hf:quire/tales-GGUF:Q4_K_M, hf:quire/tales-GGUF:Q8_0."},
		{[]string{"inspect", "hf:quire/gated"}, "only to those who accept the terms", "HF_TOKEN"},
		{[]string{"pull", "hf:quire/gated", "hf:quire/none"}, "no such repository", "HF_TOKEN"},
		{[]string{"rm", "hf:quire/none"}, "there is no such model in the cache", "quire list"},
		{[]string{"rm", "model.gguf"}, "no name of a model in the cache", "quire list"},
	} {
		r := quire(t, tt.args...)
		assert.Equal(t, 1, r.code, tt.args)
		assert.Empty(t, r.stdout, tt.args)
		assert.Contains(t, r.stderr, tt.says, tt.args)
		assert.Contains(t, r.stderr, tt.hint, tt.args)
	}
	t.Setenv("HF_TOKEN", "hf_allowed")
	quire(t, "pull", "hf:quire/gated").ok(t)
}
