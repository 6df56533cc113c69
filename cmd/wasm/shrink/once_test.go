package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What stands in for parts of the standard library does what they do, but for the text of a time.
func TestStandIns(t *testing.T) {
	t.Chdir("../../..")
	folder := t.TempDir()
	require.NoError(t, overlay(folder))
	program := filepath.Join(folder, "main.go")
	require.NoError(t, os.WriteFile(program, []byte(`package main

import (
	"fmt"
	"sync"
	"time"
)

func main() {
	calls := 0
	one := sync.OnceValue(func() int { calls++; return calls })
	two := sync.OnceValues(func() (int, string) { calls++; return calls, "b" })
	none := sync.OnceFunc(func() { calls++; panic("broken") })
	fmt.Println(one(), one())
	fmt.Println(two())
	fmt.Println(two())
	for range 2 {
		func() {
			defer func() { fmt.Println(recover() != nil, calls) }()
			none()
		}()
	}
	at := time.Unix(5, 7)
	fmt.Printf("%v %#v %s\n", at, at, at.UTC().Format(time.RFC3339))
}
`), 0o644))
	out, err := exec.Command("go", "run", "-overlay", filepath.Join(folder, "overlay.json"), program).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "1 1\n2 b\n2 b\ntrue 3\ntrue 3\n5 5 1970-01-01T00:00:05Z\n", string(out))
}
