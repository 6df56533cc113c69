//go:build !js

// Command wasmexec runs a Go program built for GOOS=js GOARCH=wasm in a worker of headless Chromium or Firefox, with
// WebGPU, and passes on its output and exit code:
//
//	go build -o bin/wasmexec ./tests/wasmexec
//	GOOS=js GOARCH=wasm go test -exec "$PWD/bin/wasmexec" ./engine/gpu/
//	GOOS=js GOARCH=wasm go test -exec "$PWD/bin/wasmexec --browser firefox" ./engine/gpu/
//
// Test data ($QUIRE_DATA) is served under /data/. $QUIRE_CHROMIUM names the browser, $QUIRE_CHROMIUM_FLAGS replaces
// the flags that choose SwiftShader as the adapter; $QUIRE_FIREFOX names Firefox. CI and every QUIRE_ variable reach the program.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const usage = `usage: wasmexec [--browser NAME] [--assets DIR] program.wasm [arguments]

Runs a Go program for GOOS=js GOARCH=wasm in headless Chromium or Firefox.
`

// browsers are the ways to run the page at url until it reports the program's exit code.
var browsers = map[string]func(ctx context.Context, url string, stdout, stderr io.Writer) (int, error){
	"chromium": inChromium,
	"firefox":  inFirefox,
}

func main() {
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	assets := flag.String("assets", "", "folder of wasm_exec.js and, to replace the built-in ones, gpu.js and gpu/")
	browser := flag.String("browser", "chromium", "chromium or firefox")
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP)
	code, err := run(ctx, *browser, *assets, flag.Arg(0), flag.Args()[1:], os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "wasmexec:", err)
	}
	stop()
	os.Exit(code)
}

// run returns the exit code that wasmexec ends with: the program's, or 2 with the reason why it gave none.
func run(ctx context.Context, browser, assets, program string, args []string, stdout, stderr io.Writer) (int, error) {
	browse, ok := browsers[browser]
	if !ok {
		return 2, fmt.Errorf("--browser is %q, not chromium or firefox", browser)
	}
	limit, err := testTimeout(args)
	if err != nil {
		return 2, err
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, fmt.Errorf("no exit after %v: its thread is busy, or it waits for nothing", limit))
		defer cancel()
	}
	site, err := serve(assets, program, args)
	if err != nil {
		return 2, err
	}
	defer site.Close()
	code, err := browse(ctx, site.URL, stdout, stderr)
	switch {
	case ctx.Err() != nil:
		return 2, context.Cause(ctx)
	case err != nil:
		return 2, err
	}
	return code, nil
}

// exitGrace is what a program gets beyond its own -test.timeout, which ends it with all its goroutines' stacks.
const exitGrace = 15 * time.Second

// testTimeout returns how long a program with these arguments may run; 0 is without end. The default is go test's.
func testTimeout(args []string) (time.Duration, error) {
	limit := 10 * time.Minute
	for i, arg := range args {
		name, value, ok := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name != "test.timeout" || !strings.HasPrefix(arg, "-") {
			continue
		}
		if !ok && i+1 < len(args) {
			value = args[i+1]
		}
		d, err := time.ParseDuration(value)
		if err != nil {
			return 0, fmt.Errorf("-test.timeout: %w", err)
		}
		limit = d
	}
	if limit == 0 {
		return 0, nil
	}
	return limit + exitGrace, nil
}
