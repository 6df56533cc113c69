//go:build unix

package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// endless generates until the context is full, which takes far longer than a test waits.
var endless = []string{"run", "--raw", "--temperature", "0", "--ignore-eos", "Once upon a time"}

func TestInterruptKeepsTheText(t *testing.T) {
	c := exec.Command(binary, endless...)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	require.NoError(t, c.Start())
	in := bufio.NewReader(out)
	first := make([]byte, 20)
	_, err = io.ReadFull(in, first)
	require.NoError(t, err)
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	_, err = io.Copy(io.Discard, in)
	require.NoError(t, err)
	require.Error(t, c.Wait())
	assert.Equal(t, 130, c.ProcessState.ExitCode(), stderr.String())
	assert.Contains(t, stderr.String(), "first token after", "figures of what there is")
}

func TestInterruptPrintsJSON(t *testing.T) {
	c := exec.Command(binary, "run", "--raw", "--temperature", "0", "--ignore-eos", "--json", "--prompts", "-")
	c.Stdin = strings.NewReader(`{"prompt":"The fox","max_tokens":1}` + "\n" + `{"prompt":"Once upon a time"}` + "\n")
	stdout, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewScanner(stdout)
	var all []generated
	for lines.Scan() {
		var g generated
		require.NoError(t, json.Unmarshal(lines.Bytes(), &g), lines.Text())
		if all = append(all, g); len(all) == 1 { // the other one, which runs beside it, goes on
			require.NoError(t, c.Process.Signal(syscall.SIGTERM))
		}
	}
	require.Error(t, c.Wait())
	assert.Equal(t, 130, c.ProcessState.ExitCode())
	require.Len(t, all, 2)
	assert.Equal(t, "length", all[0].FinishReason)
	assert.Equal(t, "cancelled", all[1].FinishReason)
}

func TestInterruptEndsADownload(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-end
	}))
	defer s.Close()
	defer close(end)
	c := exec.Command(binary, "run", "-m", s.URL, "hi")
	require.NoError(t, c.Start())
	<-begun
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	select {
	case err := <-done:
		require.Error(t, err)
	case <-time.After(time.Minute):
		t.Fatal("the first interrupt does not end a download")
	}
	assert.Equal(t, 130, c.ProcessState.ExitCode())
}
