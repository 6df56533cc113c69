//go:build !js

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const passing = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.5}
{"Action":"output","Package":"p","Test":"TestB","Output":"=== RUN   TestB\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: needs a file\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"--- SKIP: TestB (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestB","Elapsed":0}
{"Action":"pass","Package":"p","Elapsed":1.25}
`

const failing = `{"Action":"output","Package":"q","Test":"TestC/x","Output":"    want 1, got 2\n"}
{"Action":"fail","Package":"q","Test":"TestC/x","Elapsed":0.1}
{"Action":"fail","Package":"q","Test":"TestC","Elapsed":2}
{"Action":"pass","Package":"q","Test":"TestD","Elapsed":0.2}
{"Action":"output","Package":"q","Output":"exit status 1\n"}
{"Action":"fail","Package":"q","Elapsed":3}
`

const broken = `{"ImportPath":"r","Action":"build-output","Output":"r.go:1: no\n"}
{"ImportPath":"r","Action":"build-fail"}
{"Action":"fail","Package":"r","Elapsed":0,"FailedBuild":"r"}
`

// suite writes events to a file and returns the suite that prints them and ends with an exit code.
func suite(t *testing.T, name, events string, code string) string {
	path := filepath.Join(t.TempDir(), "events")
	require.NoError(t, os.WriteFile(path, []byte(events), 0o600))
	return name + "=cat '" + path + "'; exit " + code
}

func TestRun(t *testing.T) {
	tests := []struct {
		name   string
		suites []string
		code   int
		last   string
		has    []string
		lacks  []string
	}{
		{name: "passing", suites: []string{suite(t, "a", passing, "0")}, last: "1 passed, 0 failed, 1 skipped",
			has: []string{"ok  \ta\tp\t1.2s", "    0.50s  a  p TestA", "== skipped\na  p TestB: needs a file\n"}, lacks: []string{"chatter", "SKIP"}},
		{name: "failing", suites: []string{suite(t, "a", failing, "1")}, code: 1, last: "1 passed, 2 failed, 0 skipped",
			has: []string{"want 1, got 2", "FAIL\ta\tq\t3.0s", "exit status 1", "    2.00s  a  q TestC\n    0.20s  a  q TestD"}},
		{name: "does not build", suites: []string{suite(t, "a", broken, "1")}, code: 1, last: "0 passed, 1 failed, 0 skipped",
			has: []string{"r.go:1: no", "FAIL\ta\tr"}},
		{name: "a later suite runs after a failure", suites: []string{suite(t, "a", failing, "1"), suite(t, "b", passing, "0")},
			code: 1, last: "2 passed, 2 failed, 1 skipped", has: []string{"a: 1 passed, 2 failed, 0 skipped", "b: 1 passed, 0 failed, 1 skipped"}},
		{name: "a command that dies silently", suites: []string{suite(t, "a", passing, "3")}, code: 1,
			last: "1 passed, 1 failed, 1 skipped", has: []string{"FAIL\ta\texit status 3"}},
		{name: "text that is no event", suites: []string{suite(t, "a", "hello\n{not json\n", "0")},
			last: "0 passed, 0 failed, 0 skipped", has: []string{"hello\n{not json\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			log := filepath.Join(t.TempDir(), "log")
			code, err := run(&out, log, tt.suites)
			require.NoError(t, err)
			assert.Equal(t, tt.code, code)
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			assert.Equal(t, tt.last, lines[len(lines)-1])
			for _, text := range tt.has {
				assert.Contains(t, out.String(), text)
			}
			for _, text := range tt.lacks {
				assert.NotContains(t, out.String(), text)
			}
			kept, err := os.ReadFile(log)
			require.NoError(t, err)
			assert.NotEmpty(t, kept)
		})
	}
}

func TestRunRefusesASuiteWithoutAName(t *testing.T) {
	code, err := run(&strings.Builder{}, "", []string{"go test"})
	assert.Error(t, err)
	assert.Equal(t, 2, code)
}
