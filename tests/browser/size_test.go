//go:build !js

package browser

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The network is the browser's, and what few pages need is in a program of its own.
func TestTabLinksNoMoreThanItNeeds(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "quire/cmd/wasm")
	list.Env = append(list.Environ(), "GOOS=js", "GOARCH=wasm")
	out, err := list.Output()
	require.NoError(t, err)
	packages := strings.Fields(string(out))
	assert.Contains(t, packages, "quire/engine")
	for _, name := range []string{
		"net", "net/http", "net/url", "crypto/sha256", "crypto/tls", "os/exec", "regexp", "text/template", "compress/gzip", "compress/flate", "flag", "log",
		"encoding/json", "math/big",
		"quire/engine/bench", "quire/engine/bench/attend", "quire/engine/train", "quire/engine/reference", "quire/paging/sim", "testing",
	} {
		assert.NotContains(t, packages, name)
	}
}

// A page that runs a model waits for its program and its scripts first.
func TestTabIsSmall(t *testing.T) {
	about, err := os.Stat(filepath.Join(dist, "quire.wasm"))
	require.NoError(t, err, `run "make build" first`)
	assert.Less(t, about.Size(), int64(9_850_000)) // with the scripts less than 2.0 MB when packed
}

// Servers send both packed; that takes 20 seconds here.
func TestTabIsSmallWhenPacked(t *testing.T) {
	onlyAll(t)
	if _, err := exec.LookPath("node"); err != nil {
		lacking(t, "needs node, which packs as servers do")
	}
	out, err := command(dist, "node", "--input-type=module", "--eval", `
		import {readdirSync, readFileSync} from 'node:fs';
		import {brotliCompressSync, constants} from 'node:zlib';
		const scripts = (folder) => readdirSync(folder).filter((name) => name.endsWith('.js')).map((name) => folder + '/' + name);
		const names = ['quire.wasm', 'quire.js', 'start.js', 'worker.js', 'gpu.js', 'wasm_exec.js', ...scripts('quire'), ...scripts('gpu'), ...scripts('store')];
		const params = {[constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24};
		console.log(names.reduce((sum, name) => sum + brotliCompressSync(readFileSync(name), {params}).length, 0));
	`)
	require.NoError(t, err)
	packed, err := strconv.Atoi(strings.TrimSpace(out))
	require.NoError(t, err, out)
	assert.Less(t, packed, 2_000_000)
}
