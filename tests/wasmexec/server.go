//go:build !js

package main

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"quire/tests/testdata"
	"quire/web"
)

//go:embed page
var page embed.FS

// serve starts the site that one program runs on.
func serve(assets, program string, args []string) (*httptest.Server, error) {
	if _, err := os.Stat(program); err != nil {
		return nil, err
	}
	wasmExec, err := findWasmExec(assets)
	if err != nil {
		return nil, err
	}
	pages, err := fs.Sub(page, "page")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServerFS(pages))
	mux.HandleFunc("/wasm_exec.js", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, wasmExec) })
	scripts := http.FileServerFS(web.Scripts)
	if assets != "" && exists(filepath.Join(assets, "gpu.js")) {
		scripts = http.FileServer(http.Dir(assets))
	}
	mux.Handle("/gpu.js", scripts)
	mux.Handle("/gpu/", scripts)
	mux.HandleFunc("/program.wasm", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/wasm")
		http.ServeFile(w, r, program)
	})
	mux.HandleFunc("/run.json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]any{"argv": append([]string{filepath.Base(program)}, args...), "env": environment()})
	})
	mux.HandleFunc("/data/{name...}", func(w http.ResponseWriter, r *http.Request) {
		path, err := testdata.Path(r.PathValue("name"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, path)
	})
	mux.Handle("/source/", sources())
	return httptest.NewServer(mux), nil
}

// environment picks the variables that a program in the browser may see.
func environment() map[string]string {
	env := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if name == "CI" || strings.HasPrefix(name, "QUIRE_") {
			env[name] = value
		}
	}
	return env
}

// findWasmExec looks for the Go toolchain's wasm_exec.js: among the assets, beside this program, in GOROOT.
func findWasmExec(assets string) (string, error) {
	var tried []string
	if assets != "" {
		tried = append(tried, filepath.Join(assets, "wasm_exec.js"))
	}
	if self, err := os.Executable(); err == nil {
		tried = append(tried, filepath.Join(filepath.Dir(self), "wasm_exec.js"))
	}
	for _, path := range tried {
		if exists(path) {
			return path, nil
		}
	}
	if root, err := exec.Command("go", "env", "GOROOT").Output(); err == nil {
		path := filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js")
		if exists(path) {
			return path, nil
		}
		tried = append(tried, path)
	}
	return "", fmt.Errorf("no wasm_exec.js (looked for %s): copy it from $(go env GOROOT)/lib/wasm and pass --assets", strings.Join(tried, ", "))
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
