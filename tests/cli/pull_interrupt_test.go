//go:build unix

package cli

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/hubtest"
)

// A pull that is interrupted, or killed, goes on where it was.
func TestPullGoesOn(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			s := hub(t)
			data := append([]byte("GGUF"), make([]byte, 9<<20)...)
			s.Put("quire/large", hubtest.Repo{Files: map[string][]byte{"a.gguf": data}})
			gate := hubtest.NewGate(5 << 20)
			s.Fault = gate.Fault
			c := exec.Command(binary, "pull", "--json", "--connections", "1", "hf:quire/large")
			out, err := c.StdoutPipe()
			require.NoError(t, err)
			var stderr strings.Builder
			c.Stderr = &stderr
			require.NoError(t, c.Start())
			lines := bufio.NewScanner(out)
			const noted = "5.0 MiB of 9.0 MiB  not complete"
			for lines.Scan() {
				var line struct{ Bytes int64 }
				require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
				// An interrupt has it note how far it is; else it does from time to time.
				if line.Bytes == 5<<20 && (signal == syscall.SIGINT || strings.Contains(quire(t, "list").ok(t).stdout, noted)) {
					break
				}
			}
			require.NoError(t, c.Process.Signal(signal))
			for lines.Scan() {
			}
			require.Error(t, c.Wait())
			if signal == syscall.SIGINT {
				assert.Equal(t, 130, c.ProcessState.ExitCode(), stderr.String())
			}
			assert.Contains(t, quire(t, "list").ok(t).stdout, noted)
			gate.Open()
			s.Requests()
			path := strings.TrimSpace(quire(t, "pull", "--connections", "1", "hf:quire/large").ok(t).stdout)
			var ranges []string
			for _, r := range s.Requests() {
				if r.Content {
					ranges = append(ranges, r.Range)
				}
			}
			require.Len(t, ranges, 2, ranges)
			assert.True(t, strings.HasPrefix(ranges[1], "bytes=5242880-"), ranges)
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, hubtest.SHA256(data), hubtest.SHA256(got))
		})
	}
}
