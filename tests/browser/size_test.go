//go:build !js

package browser

import (
	"os"
	"os/exec"
	"path/filepath"
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

// A page that runs a model waits for its program first.
func TestTabIsSmall(t *testing.T) {
	about, err := os.Stat(filepath.Join(dist, "quire.wasm"))
	require.NoError(t, err, `run "make build" first`)
	assert.Less(t, about.Size(), int64(7_900_000))
}
