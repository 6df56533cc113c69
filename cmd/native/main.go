// Command quire runs language models from GGUF files on the GPU.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"quire/engine/words"
)

// Exit codes.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130 // 128 + SIGINT, as shells have it
)

var commands = []*command{runCommand, tokenizeCommand, detokenizeCommand, inspectCommand, adaptersCommand, benchCommand, tuneCommand, simCommand, trainCommand, versionCommand}

const summary = `quire runs language models from GGUF files on the GPU.

usage: quire COMMAND [flags] [arguments]

commands:
`

const summaryEnd = `
"quire COMMAND --help" tells more about each, with examples. A first try, with the built-in model:

  quire run "Tell me a story about a fox and a kite."
`

func main() {
	os.Exit(dispatch(&host{in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Args[1:]))
}

// host is where a command reads and writes.
type host struct {
	in       io.Reader
	out, err io.Writer
}

// dispatch runs a command line and returns the exit code. It alone writes errors, each once.
func dispatch(h *host, args []string) int {
	if len(args) == 0 {
		printSummary(h.err)
		return exitUsage
	}
	switch name := args[0]; name {
	case "help", "--help", "-help", "-h":
		if len(args) > 1 && name == "help" && strings.TrimLeft(args[1], "-") != "help" {
			return runNamed(h, args[1:], true)
		}
		printSummary(h.out)
		return exitOK
	case "--version", "-version":
		return runNamed(h, append([]string{"version"}, args[1:]...), false)
	}
	return runNamed(h, args, false)
}

// runNamed runs the command that a command line begins with, or shows its help.
func runNamed(h *host, args []string, help bool) int {
	for _, c := range commands {
		if c.name == args[0] {
			c, rest := c.resolve(args[1:])
			if help {
				rest = []string{"--help"}
			}
			return finish(h, c, c.execute(h, rest))
		}
	}
	fmt.Fprintf(h.err, "quire: there is no command %q; see \"quire help\"\n", args[0])
	return exitUsage
}

// finish tells what went wrong and turns it into an exit code.
func finish(h *host, c *command, err error) int {
	var usage *usageError
	var code exitCode
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		fmt.Fprintf(h.err, "quire %s: %s\nsee \"quire %s --help\"\n", c.name, words.Error(usage), c.name)
		return exitUsage
	}
	fmt.Fprintf(h.err, "quire %s: %s\n", c.name, say(err))
	if advice := advise(err); advice != "" {
		fmt.Fprintln(h.err, advice)
	}
	return exitError
}

// exitCode is an error that has been told already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func printSummary(w io.Writer) {
	fmt.Fprint(w, summary)
	for _, c := range commands {
		fmt.Fprintf(w, "  %-11s %s\n", c.name, c.summary)
	}
	fmt.Fprint(w, summaryEnd)
}

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %s", n, strings.TrimSuffix(noun, "y")+map[bool]string{true: "ies", false: "s"}[strings.HasSuffix(noun, "y")])
}
