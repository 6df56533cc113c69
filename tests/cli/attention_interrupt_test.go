//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/bench/attend"
)

func TestInterruptEndsABenchmark(t *testing.T) {
	c := exec.Command(binary, onAdapter("bench", "attention", "--length", "4096", "--kind", "standard")...)
	stderr, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	for lines := bufio.NewScanner(stderr); lines.Scan() && !strings.Contains(lines.Text(), "copies"); {
	}
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	require.Error(t, c.Wait())
	assert.Equal(t, 130, c.ProcessState.ExitCode())
}

// What was measured before Ctrl-C is printed.
func TestInterruptKeepsWhatABenchmarkFound(t *testing.T) {
	c := exec.Command(binary, onAdapter("bench", "attention", "--length", "32,33,2048", "--head-dim", "32", "--heads", "2/1", "--batch", "1", "--kind", "forward",
		"--variant", "baseline", "--json")...)
	var stdout bytes.Buffer
	c.Stdout = &stdout
	stderr, err := c.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "5 of ") {
	}
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	var told strings.Builder
	for lines.Scan() {
		told.WriteString(lines.Text() + "\n")
	}
	require.Error(t, c.Wait())
	assert.Equal(t, 130, c.ProcessState.ExitCode())
	assert.Contains(t, told.String(), "interrupted")
	var report attend.Report
	require.NoError(t, json.Unmarshal(stdout.Bytes(), &report))
	require.NotEmpty(t, report.Results)
	assert.Less(t, len(report.Results), 3)
	assert.Positive(t, report.Results[0].Seconds)
}
