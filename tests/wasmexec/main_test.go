//go:build !js

package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "wasmexec")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "program.wasm")
	build := exec.Command("go", "build", "-o", path, "./testdata/program")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	build.Stderr = os.Stderr
	return path, build.Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := program(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// browsers counts the Chromium processes that descend from this one, by their command lines.
func browsers(t *testing.T) int {
	parents := map[string]string{}
	names := map[string]string{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		fields := strings.Fields(string(stat[end+1:]))
		pid := filepath.Base(filepath.Dir(path))
		if fields[0] != "Z" {
			parents[pid], names[pid] = fields[1], string(stat[open+1:end])
		}
	}
	self, err := os.Readlink("/proc/self")
	require.NoError(t, err)
	n := 0
	for pid, name := range names {
		up := pid
		for up != self && up != "" {
			up = parents[up]
		}
		if up == self && strings.HasPrefix(name, "chrom") {
			n++
		}
	}
	return n
}

func TestRun(t *testing.T) {
	path, err := program()
	require.NoError(t, err)
	t.Setenv("QUIRE_WASMEXEC_TEST", "yes")
	for _, c := range []struct {
		args           []string
		code           int
		stdout, stderr string
		err            string
	}{
		{[]string{"exit", "a", "b c"}, 3, "out [a b c] yes true\ngpu true true\n", "err \xff é\n", ""},
		{[]string{"panic"}, 2, "", "panic: on purpose", ""},
		{[]string{"throw"}, 2, "", "", "thrown"},
	} {
		var stdout, stderr bytes.Buffer
		code, err := run(context.Background(), "", path, c.args, &stdout, &stderr)
		if c.err == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, c.err)
		}
		require.Equal(t, c.code, code)
		require.Equal(t, c.stdout, stdout.String())
		require.Contains(t, stderr.String(), c.stderr)
		require.Zero(t, browsers(t), "Chromium is still there")
	}
}

// sign calls a function at the first write.
type sign struct {
	once sync.Once
	do   func()
}

func (s *sign) Write(p []byte) (int, error) {
	s.once.Do(s.do)
	return len(p), nil
}

func TestRunEndsABusyProgram(t *testing.T) {
	path, err := program()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	before := time.Now()
	code, err := run(ctx, "", path, []string{"busy"}, &sign{do: func() {
		require.NotZero(t, browsers(t))
		cancel()
	}}, io.Discard)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 2, code)
	require.Less(t, time.Since(before), time.Minute)
	require.Zero(t, browsers(t), "Chromium is still there")
}

func TestTestTimeout(t *testing.T) {
	for args, want := range map[string]time.Duration{
		"":                              10*time.Minute + exitGrace,
		"-test.v -test.run=X":           10*time.Minute + exitGrace,
		"-test.timeout=3s":              3*time.Second + exitGrace,
		"--test.timeout 4s -test.v":     4*time.Second + exitGrace,
		"-test.timeout=0":               0,
		"test.timeout=9s -test.run=foo": 10*time.Minute + exitGrace,
	} {
		got, err := testTimeout(strings.Fields(args))
		require.NoError(t, err)
		require.Equal(t, want, got, "%q", args)
	}
	_, err := testTimeout([]string{"-test.timeout=soon"})
	require.ErrorContains(t, err, "-test.timeout")
}

func TestSite(t *testing.T) {
	data := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(data, "file"), []byte("0123456789"), 0o644))
	t.Setenv("QUIRE_DATA", data)
	site, err := serve("", filepath.Join(data, "file"), nil)
	require.NoError(t, err)
	defer site.Close()
	get := func(path, ranges string) (int, string) {
		request, err := http.NewRequest("GET", site.URL+path, nil)
		require.NoError(t, err)
		if ranges != "" {
			request.Header.Set("Range", ranges)
		}
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return response.StatusCode, string(body)
	}
	status, body := get("/data/file", "bytes=2-4")
	require.Equal(t, http.StatusPartialContent, status)
	require.Equal(t, "234", body)
	status, _ = get("/data/none", "")
	require.Equal(t, http.StatusNotFound, status)
	for _, path := range []string{"/", "/worker.js", "/wasm_exec.js", "/gpu.js", "/gpu/source.js", "/program.wasm", "/run.json"} {
		status, _ = get(path, "")
		require.Equal(t, http.StatusOK, status, path)
	}

	assets := t.TempDir()
	for _, name := range []string{"wasm_exec.js", "gpu.js"} {
		require.NoError(t, os.WriteFile(filepath.Join(assets, name), []byte("// mine: "+name), 0o644))
	}
	site, err = serve(assets, filepath.Join(data, "file"), nil)
	require.NoError(t, err)
	defer site.Close()
	for _, name := range []string{"wasm_exec.js", "gpu.js"} {
		_, body = get("/"+name, "")
		require.Equal(t, "// mine: "+name, body)
	}
	_, err = serve("", filepath.Join(data, "no program"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}
