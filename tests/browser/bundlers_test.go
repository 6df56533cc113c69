//go:build !js

package browser

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const emptyPage = `<!doctype html>
<html lang="en">
<link rel="icon" href="data:,">
<title>A project</title>
<body>
<script type="module" src="SCRIPT"></script>
</body>
</html>
`

// project makes an empty project, with nothing but the package installed, whose page runs a script.
func project(t *testing.T, page, script string) string {
	t.Helper()
	folder := t.TempDir()
	unpack(t, folder)
	write(t, filepath.Join(folder, "package.json"), `{"name": "project", "private": true, "type": "module", "dependencies": {"quire-llm": "*"}}`)
	write(t, filepath.Join(folder, "index.html"), strings.Replace(emptyPage, "SCRIPT", page, 1))
	write(t, filepath.Join(folder, "main.js"), script)
	return folder
}

// example is the first that the package's README gives.
func example(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dist, "README.md"))
	require.NoError(t, err, `run "make build" first`)
	code := regexp.MustCompile("(?s)```js\n(.*?)```").FindSubmatch(text)
	require.NotNil(t, code)
	return string(code[1])
}

// tells waits until the page at url shows a story.
func tells(t *testing.T, url, picture string) {
	t.Helper()
	p := newTab(t, url, "")
	p.wait(`document.body?.innerText.trim().split(/\s+/).length > 12`)
	p.picture(picture)
	p.quiet()
}

func site(t *testing.T, folder string) string {
	t.Helper()
	return host(t, http.FileServer(http.Dir(folder))).URL
}

// holds lists the files in a folder, and below, whose names end so.
func holds(t *testing.T, folder, ending string) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ending) {
			found = append(found, path)
		}
		return err
	}))
	return found
}

// serves runs a program of Node's that serves, until the test ends, and gives the address that it tells.
func serves(t *testing.T, folder string, arguments ...string) string {
	t.Helper()
	c := exec.Command("node", arguments...)
	c.Dir, c.Env = folder, append(os.Environ(), "NO_COLOR=1")
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		c.Process.Signal(os.Interrupt) // it ends those that it started
		out.Close()
		c.Wait()
	})
	said := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said += lines.Text() + "\n"
		if at := regexp.MustCompile(`http://(localhost|127\.0\.0\.1):\d+`).FindString(said); at != "" {
			go io.Copy(io.Discard, out)
			return at
		}
	}
	t.Fatal("no address was told:\n" + said)
	return ""
}

// Vite takes the package in with its defaults, for the web and in its development server.
func TestVite(t *testing.T) {
	vite := tool(t, "vite/bin/vite.js")
	folder := project(t, "/main.js", example(t))
	_, err := command(folder, "node", vite, "build")
	require.NoError(t, err)
	assert.Len(t, holds(t, filepath.Join(folder, "dist"), ".gguf"), 1)

	t.Run("build", func(t *testing.T) {
		onlyAll(t) // the example of web/examples is told
		tells(t, site(t, filepath.Join(folder, "dist")), "vite-build")
	})
	t.Run("dev", func(t *testing.T) {
		onlyAll(t)
		tells(t, serves(t, folder, vite, "--clearScreen=false"), "vite-dev")
	})
	t.Run("without tales", func(t *testing.T) {
		write(t, filepath.Join(folder, "main.js"), "import {Quire} from 'quire-llm';\nQuire.open({model: '/model.gguf'});\n")
		_, err := command(folder, "node", vite, "build")
		require.NoError(t, err)
		assert.Empty(t, holds(t, filepath.Join(folder, "dist"), ".gguf"), "who does not ask for the built-in model does not get it")
	})
}

// onlyAll skips what is tested only when everything is.
func onlyAll(t *testing.T) {
	t.Helper()
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("only with QUIRE_ALL=1")
	}
}

// A bundle's files may lie on another origin than its page, which is what asset hosts are for.
func TestBundlesOfAnotherOrigin(t *testing.T) {
	onlyAll(t)
	for bundler, c := range map[string]struct {
		program   string
		arguments func(lender string) []string
	}{
		"vite": {"vite/bin/vite.js", func(lender string) []string { return []string{"build", "--base", lender + "/"} }},
		"webpack": {"webpack-cli/bin/cli.js", func(lender string) []string {
			return []string{"--entry", "./main.js", "--mode", "production", "--output-public-path", lender + "/"}
		}},
	} {
		t.Run(bundler, func(t *testing.T) {
			program := tool(t, c.program)
			folder := project(t, "main.js", example(t))
			lender, _ := lend(t, filepath.Join(folder, "dist"), "")
			if bundler == "webpack" {
				write(t, filepath.Join(folder, "index.html"), strings.Replace(emptyPage, "SCRIPT", lender+"/main.js", 1))
			}
			_, err := command(folder, "node", append([]string{program}, c.arguments(lender)...)...)
			require.NoError(t, err)
			page, err := os.ReadFile(filepath.Join(folder, "dist", "index.html"))
			if err != nil {
				page, err = os.ReadFile(filepath.Join(folder, "index.html"))
			}
			require.NoError(t, err)
			require.Contains(t, string(page), lender)
			write(t, filepath.Join(folder, "page", "index.html"), string(page))
			tells(t, site(t, filepath.Join(folder, "page")), bundler+"-another-origin")
		})
	}
}

// Servers that render pages import what pages import: nothing happens before something is opened.
func TestNode(t *testing.T) {
	folder := project(t, "main.js", `import {Quire} from 'quire-llm';
import tales from 'quire-llm/tales';
await Quire.open({model: tales}).catch(({name, message}) => console.log(name + ': ' + message));
await Quire.adapters().catch(({name, message}) => console.log(name + ': ' + message));
`)
	said, err := command(folder, "node", "main.js")
	require.NoError(t, err)
	assert.Regexp(t, `^ErrNoAdapter: Quire needs a browser.*\nErrNoAdapter: .*WebGPU.*\n$`, said)
}

func TestWebpack(t *testing.T) {
	onlyAll(t)
	webpack := tool(t, "webpack-cli/bin/cli.js")
	folder := project(t, "main.js", example(t))
	_, err := command(folder, "node", webpack, "--entry", "./main.js", "--mode", "production")
	require.NoError(t, err)
	require.NoError(t, os.Rename(filepath.Join(folder, "index.html"), filepath.Join(folder, "dist", "index.html")))
	assert.Len(t, holds(t, filepath.Join(folder, "dist"), ".gguf"), 1)
	tells(t, site(t, filepath.Join(folder, "dist")), "webpack")
}

// esbuild leaves URLs as they are; the README says what to put beside the bundle.
func TestESBuild(t *testing.T) {
	onlyAll(t)
	esbuild := tool(t, "esbuild/bin/esbuild")
	folder := project(t, "main.js", example(t))
	_, err := command(folder, "node", esbuild, "main.js", "quire-llm/worker.js", "--bundle", "--format=esm", "--outdir=dist", "--entry-names=[name]")
	require.NoError(t, err)
	from, to := filepath.Join(folder, "node_modules", "quire-llm"), filepath.Join(folder, "dist")
	for _, name := range []string{"quire.wasm", "quire-tales.gguf"} {
		require.NoError(t, os.Rename(filepath.Join(from, name), filepath.Join(to, name)))
	}
	require.NoError(t, os.Rename(filepath.Join(folder, "index.html"), filepath.Join(to, "index.html")))
	tells(t, site(t, to), "esbuild")
}

// The tarball holds what the package needs, says what it is, and nothing of the page.
func TestTarball(t *testing.T) {
	folder := unpack(t, t.TempDir())
	text, err := os.ReadFile(filepath.Join(folder, "package.json"))
	require.NoError(t, err)
	var about struct{ Name, License string }
	require.NoError(t, json.Unmarshal(text, &about))
	assert.Equal(t, "quire-llm", about.Name)
	assert.Equal(t, "Apache-2.0", about.License)
	for _, name := range []string{"README.md", "LICENSE", "quire.js", "quire.d.ts", "quire/webllm.js", "quire/webllm.d.ts", "quire/wllama.js", "quire/wllama.d.ts", "tales.js", "tales.d.ts", "quire-tales.gguf", "quire.wasm", "quire-bench.wasm", "worker.js"} {
		assert.FileExists(t, filepath.Join(folder, name))
	}
	for _, name := range []string{"index.html", "page.js", "page", "attention", "dist", "examples"} {
		_, err := os.Stat(filepath.Join(folder, name))
		assert.ErrorIs(t, err, os.ErrNotExist, name)
	}
	license, err := os.ReadFile("../../LICENSE")
	require.NoError(t, err)
	packed, err := os.ReadFile(filepath.Join(folder, "LICENSE"))
	require.NoError(t, err)
	assert.Equal(t, string(license), string(packed))
}
