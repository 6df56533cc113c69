//go:build unix

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const deafEnv = "QUIRE_TEST_DEAF"

// TestDeafProgram is what TestSecondInterruptQuits runs: a program that tells of the first interrupt and goes on.
func TestDeafProgram(t *testing.T) {
	if os.Getenv(deafEnv) == "" {
		return
	}
	ctx, _ := interruptible()
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("once")
	select {}
}

func TestSecondInterruptQuits(t *testing.T) {
	c := exec.Command(os.Args[0], "-test.run", "^TestDeafProgram$")
	c.Env = append(os.Environ(), deafEnv+"=1")
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	lines := bufio.NewScanner(out)
	for _, want := range []string{"ready", "once"} {
		require.True(t, lines.Scan())
		assert.Equal(t, want, lines.Text())
		require.NoError(t, c.Process.Signal(syscall.SIGINT))
	}
	require.Error(t, c.Wait())
	assert.Equal(t, exitInterrupted, c.ProcessState.ExitCode())
}
