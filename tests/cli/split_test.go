package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// A model in several files runs as the whole one does, from disk and from a server, whichever of its files is named.
func TestSplitModel(t *testing.T) {
	whole := tiny.Model{}.Bytes(t)
	folder := t.TempDir()
	for no, data := range tiny.Split(t, whole, 3, 0, 64, 8) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, tiny.SplitName(no, 3)), data, 0o600))
	}
	server := httptest.NewServer(http.FileServer(http.Dir(folder)))
	t.Cleanup(server.Close)
	answer := func(model string) string {
		return quire(t, "run", "-m", model, "--raw", "--max-tokens", "4", "--temperature", "0", "hi").ok(t).stdout
	}
	want := answer(file(t, "model.gguf", whole))
	for _, name := range []string{filepath.Join(folder, tiny.SplitName(0, 3)), filepath.Join(folder, tiny.SplitName(2, 3)), server.URL + "/" + tiny.SplitName(1, 3)} {
		assert.Equal(t, want, answer(name), name)
		assert.Empty(t, inspect(t, name).Problems)
	}
	missing := filepath.Join(folder, tiny.SplitName(1, 3))
	require.NoError(t, os.Remove(missing))
	for _, command := range [][]string{{"run", "hi"}, {"tokenize"}} {
		r := quire(t, append(command, "-m", filepath.Join(folder, tiny.SplitName(0, 3)))...)
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.stderr, "the model lies in 3 files")
		assert.Contains(t, r.stderr, missing+": there is no such file")
	}
}
