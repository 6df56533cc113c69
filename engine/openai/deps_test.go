//go:build !js

package openai_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKnowsNoTransport: the core links no server, no page and no GPU, and nothing that is too much for the tab to wait for.
func TestKnowsNoTransport(t *testing.T) {
	for _, host := range []string{"linux", "js"} {
		list := exec.Command("go", "list", "-deps", ".", "./toolcall")
		list.Env = append(os.Environ(), "GOOS="+host, "GOARCH="+map[string]string{"linux": "amd64", "js": "wasm"}[host], "CGO_ENABLED=0")
		out, err := list.Output()
		require.NoError(t, err)
		deps := strings.Fields(string(out))
		require.Contains(t, deps, "quire/engine/json")
		for _, unwanted := range []string{"net/http", "net", "encoding/json", "regexp", "math/big", "text/template", "quire/engine", "quire/engine/gpu"} {
			assert.NotContains(t, deps, unwanted, host)
		}
		if host == "linux" { // on js Go's own os has it
			assert.NotContains(t, deps, "syscall/js")
		}
	}
}
