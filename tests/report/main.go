//go:build !js

// Command report runs suites of Go tests, each a shell command that prints go test's JSON, one after another, and tells
// what a reader wants to know: failures in full as they come, a line a package, the slowest tests, the counts.
//
//	report -log test.json 'native=go test -json ./...' 'js=GOOS=js GOARCH=wasm go test -json ./...'
//
// It ends with "N passed, N failed, N skipped" and exit code 1 where anything failed.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

func main() {
	log := flag.String("log", "", "`FILE` that keeps all events as they come, one JSON object a line")
	flag.Parse()
	code, err := run(os.Stdout, *log, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
	}
	os.Exit(code)
}

func run(w io.Writer, log string, suites []string) (int, error) {
	keep := io.Discard
	if log != "" {
		f, err := os.Create(log)
		if err != nil {
			return 2, err
		}
		defer f.Close()
		keep = f
	}
	s := &summary{out: w}
	for _, suite := range suites {
		name, command, ok := strings.Cut(suite, "=")
		if !ok {
			return 2, fmt.Errorf("%q is not NAME=COMMAND", suite)
		}
		fmt.Fprintf(w, "\n== %s: %s\n", name, command)
		if err := runSuite(s, keep, name, command); err != nil {
			return 2, err
		}
	}
	s.print()
	if s.total().failed > 0 {
		return 1, nil
	}
	return 0, nil
}

func runSuite(s *summary, keep io.Writer, name, command string) error {
	c := exec.Command("sh", "-c", command)
	c.Stderr = os.Stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	s.begin(name)
	if err := s.read(io.TeeReader(stdout, keep)); err != nil {
		return err
	}
	s.end(c.Wait())
	return nil
}
