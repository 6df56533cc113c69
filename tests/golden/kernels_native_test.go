//go:build !js && !cogentcore

package golden

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The final text of every baseline kernel of the golden runs, header included, is the same natively and in the tab.
func TestKernelTextsAlike(t *testing.T) {
	runner := filepath.Join(t.TempDir(), "wasmexec")
	out, err := exec.Command("go", "build", "-o", runner, "quire/tests/wasmexec").CombinedOutput()
	require.NoError(t, err, "%s", out)
	cmd := exec.Command("go", "test", "-count=1", "-vet=off", "-exec", runner, "-v", "-run", "^TestKernels$", "quire/tests/golden")
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "QUIRE_KERNELS=1")
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	_, after, found := bytes.Cut(out, []byte(kernelsMark))
	require.True(t, found, "%s", out)
	line, _, _ := bytes.Cut(after, []byte("\n"))
	tab := map[string]string{}
	require.NoError(t, json.Unmarshal(line, &tab))
	assert.Equal(t, goldenKernels(t), tab)
}
