//go:build unix

package cli

import (
	"bufio"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInterruptEndsABenchmark(t *testing.T) {
	c := exec.Command(binary, "bench", "attention", "--length", "4096", "--kind", "standard")
	stderr, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	for lines := bufio.NewScanner(stderr); lines.Scan() && !strings.Contains(lines.Text(), "copies"); {
	}
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	require.Error(t, c.Wait())
	assert.Equal(t, 130, c.ProcessState.ExitCode())
}
