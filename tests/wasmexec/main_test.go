//go:build !js

package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
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

// process is one that descends from this one.
type process struct {
	pid       int
	name      string
	arguments string
}

// processes lists the browsers' processes that descend from this one.
func processes(t *testing.T) []process {
	parents, all := map[int]int{}, map[int]process{}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		arguments, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
		fields := strings.Fields(string(stat[end+1:]))
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		require.NoError(t, err)
		if fields[0] == "Z" {
			continue
		}
		parents[pid], err = strconv.Atoi(fields[1])
		require.NoError(t, err)
		all[pid] = process{pid, string(stat[open+1 : end]), strings.ReplaceAll(string(arguments), "\x00", " ")}
	}
	var own []process
	for pid, p := range all {
		up := parents[pid]
		for up != os.Getpid() && up != 0 {
			up = parents[up]
		}
		if up != 0 && (strings.Contains(p.arguments, "chrom") || strings.Contains(p.arguments, "firefox")) {
			own = append(own, p)
		}
	}
	return own
}

// eachBrowser runs a test in each.
func eachBrowser(t *testing.T, test func(t *testing.T, browser string)) {
	for _, browser := range slices.Sorted(maps.Keys(browsers)) {
		t.Run(browser, func(t *testing.T) {
			test(t, browser)
			require.Empty(t, processes(t), "processes are still there")
		})
	}
}

func TestRun(t *testing.T) {
	path, err := program()
	require.NoError(t, err)
	t.Setenv("QUIRE_WASMEXEC_TEST", "yes")
	eachBrowser(t, func(t *testing.T, browser string) {
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
			code, err := run(context.Background(), browser, "", path, c.args, &stdout, &stderr)
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
			require.Equal(t, c.code, code)
			require.Equal(t, c.stdout, stdout.String())
			require.Contains(t, stderr.String(), c.stderr)
		}
	})
}

func TestRunInNoKnownBrowser(t *testing.T) {
	code, err := run(context.Background(), "lynx", "", "program.wasm", nil, io.Discard, io.Discard)
	require.ErrorContains(t, err, `--browser is "lynx"`)
	require.Equal(t, 2, code)
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
	eachBrowser(t, func(t *testing.T, browser string) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var before time.Time // it is told to end
		code, err := run(ctx, browser, "", path, []string{"busy"}, &sign{do: func() {
			require.NotEmpty(t, processes(t))
			before = time.Now()
			cancel()
		}}, io.Discard)
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 2, code)
		require.Less(t, time.Since(before), time.Minute)
	})
}

// A tab that dies is told, at once.
func TestRunNoticesADeadTab(t *testing.T) {
	path, err := program()
	require.NoError(t, err)
	eachBrowser(t, func(t *testing.T, browser string) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		code, err := run(ctx, browser, "", path, []string{"busy"}, &sign{do: func() {
			for _, p := range processes(t) {
				if strings.Contains(p.arguments, "--type=renderer") || strings.Contains(p.arguments, "-isForBrowser") {
					syscall.Kill(p.pid, syscall.SIGKILL)
				}
			}
			time.AfterFunc(time.Minute, cancel) // a browser may take long to begin
		}}, io.Discard)
		require.ErrorContains(t, err, "the page crashed")
		require.Equal(t, 2, code)
	})
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
