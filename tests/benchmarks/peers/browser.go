//go:build !js

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// gpuFlags leave the GPU to Chromium, with what it keeps back on Linux; $QUIRE_CHROMIUM_FLAGS replaces them.
const gpuFlags = "--enable-unsafe-webgpu --enable-features=Vulkan --use-vulkan=native --use-angle=vulkan --disable-vulkan-surface --ignore-gpu-blocklist " +
	"--enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia"

const softwareFlags = "--enable-unsafe-webgpu --use-webgpu-adapter=swiftshader --enable-features=Vulkan"

const quietFlags = "--headless --no-sandbox --disable-background-networking --disable-component-update --disable-sync --disable-quic --no-first-run " +
	"--no-default-browser-check --disable-background-timer-throttling --disable-renderer-backgrounding --disable-dev-shm-usage"

// hidden are features that a page does not see unless it may have subgroup matrices.
const hidden = "chromium-experimental-subgroup-matrix"

// browse has Chromium open a page, which reports what it measured.
func (s *settings) browse(ctx context.Context, page string) (p peer, err error) {
	results := make(chan peer, 1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return p, err
	}
	server := &http.Server{Handler: s.handler(results)}
	go server.Serve(listener)
	defer server.Close()

	profile, err := os.MkdirTemp("", "peers")
	if err != nil {
		return p, err
	}
	defer os.RemoveAll(profile)
	flags, ok := os.LookupEnv("QUIRE_CHROMIUM_FLAGS")
	if !ok {
		flags = gpuFlags
		if s.software {
			flags = softwareFlags
		}
	}
	args := append(strings.Fields(quietFlags+" "+flags), "--user-data-dir="+profile, fmt.Sprintf("http://%s/%s?%s", listener.Addr(), page, s.parameters()))
	c := exec.CommandContext(ctx, chromium(), args...)
	if err := c.Start(); err != nil {
		return p, fmt.Errorf("starting Chromium: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	defer func() {
		c.Process.Kill()
		<-ended
	}()
	select {
	case p = <-results:
		return p, nil
	case err := <-ended:
		ended <- err
		return p, fmt.Errorf("Chromium ended: %w", cmp.Or(context.Cause(ctx), err, errors.New("without a result")))
	case <-ctx.Done():
		return p, context.Cause(ctx)
	}
}

func chromium() string {
	if path := os.Getenv("QUIRE_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return "chromium"
}

// handler serves the site, isolated, and takes a page's words and its result.
func (s *settings) handler(results chan<- peer) http.Handler {
	site := filepath.Join(s.kit, "site")
	files := http.FileServer(http.Dir(site))
	hide := "const HIDE = [];\n"
	if !s.matrices {
		hide = fmt.Sprintf("const HIDE = [%q];\n", hidden)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		switch name := path.Base(r.URL.Path); {
		case r.URL.Path == "/log":
			io.Copy(os.Stderr, io.MultiReader(r.Body, strings.NewReader("\n")))
		case r.URL.Path == "/result":
			var p peer
			if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
				p.Refused = "the page's result: " + err.Error()
			}
			results <- p
		case name == "hide.js", r.URL.Path == "/quire/worker.js": // Quire asks for its adapter in the worker
			w.Header().Set("Content-Type", "text/javascript")
			var text bytes.Buffer
			if name == "worker.js" {
				text.WriteString("import '/hide.js';\n")
			} else {
				text.WriteString("{\n" + hide)
			}
			own, err := os.ReadFile(filepath.Join(site, filepath.FromSlash(path.Clean(r.URL.Path))))
			if err != nil {
				http.NotFound(w, r)
				return
			}
			text.Write(own)
			if name == "hide.js" {
				text.WriteString("}\n")
			}
			w.Write(text.Bytes())
		default:
			if strings.HasSuffix(name, ".mjs") {
				w.Header().Set("Content-Type", "text/javascript")
			}
			files.ServeHTTP(w, r)
		}
	})
}
