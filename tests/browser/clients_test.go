//go:build !js

package browser

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// clients is what runs the clients of the API, in the tab and in Node.
const clients = "../clients"

// outcome is what a run of cases tells.
type outcome struct{ Right, Wrong []string }

// bundle makes a script of tests/clients one file beside the page that runs it, or for Node.
func bundle(t *testing.T, folder, script string, arguments ...string) {
	t.Helper()
	esbuild := tool(t, "esbuild/bin/esbuild")
	require.NoError(t, os.CopyFS(filepath.Join(folder, "clients"), os.DirFS(clients)))
	c := exec.Command("node", append([]string{esbuild, script, "--bundle", "--format=esm", "--outdir=dist", "--entry-names=[name]", "--log-level=error"}, arguments...)...)
	c.Dir = folder
	modules, err := tools()
	require.NoError(t, err)
	c.Env = append(os.Environ(), "NODE_PATH="+modules)
	out, err := c.CombinedOutput()
	require.NoError(t, err, string(out))
}

// clientsTab opens a page on which the clients' server is the engine.
func clientsTab(t *testing.T) *tab {
	t.Helper()
	folder := project(t, "tab.js", "")
	bundle(t, folder, "clients/tab.js", "quire-llm/worker.js")
	from, to := filepath.Join(folder, "node_modules", "quire-llm"), filepath.Join(folder, "dist")
	for _, name := range []string{"quire.wasm", "quire-tales.gguf"} {
		require.NoError(t, os.Rename(filepath.Join(from, name), filepath.Join(to, name)))
	}
	require.NoError(t, os.Rename(filepath.Join(folder, "index.html"), filepath.Join(to, "index.html")))
	require.NoError(t, os.WriteFile(filepath.Join(to, "assistant.gguf"), tiny.Assistant(t), 0o644))
	p := newTab(t, site(t, to), "")
	p.wait(`globalThis.clients`)
	get[bool](p, `clients.open()`)
	return p
}

// The openai client, the AI SDK and LangChain run in the tab as they are.
func TestClientsInTheTab(t *testing.T) {
	p := clientsTab(t)
	few := []string{"a chat completion", "a stream says what the whole says", "a tool is called", "a call that must come", "the helper that runs tools", "thoughts are apart", "32 at once",
		"a reader leaves", "AI SDK: tools", "LangChain: tools"}
	names := get[[]string](p, `clients.names()`)
	assert.Subset(t, names, few)
	for _, name := range names {
		if os.Getenv("QUIRE_ALL") == "" && !slices.Contains(few, name) { // software GPUs are slow; Node asks a server for all
			continue
		}
		t.Run(name, func(t *testing.T) {
			for _, wrong := range get[outcome](p, fmt.Sprintf(`clients.run(%q)`, name)).Wrong {
				t.Error(wrong)
			}
		})
	}
}
