// Command quire runs language models from GGUF files on the GPU.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"quire/engine/words"
)

// Exit codes.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130 // 128 + SIGINT, as shells have it
)

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
	out, code := h.out, exitOK
	switch {
	case len(args) == 0:
		out, code, args = h.err, exitUsage, []string{"--help"}
	case args[0] == "help":
		args = append(slices.DeleteFunc(args[1:], func(word string) bool { return strings.TrimLeft(word, "-") == "help" }), "--help")
	case args[0] == "--version":
		args = append([]string{"version"}, args[1:]...)
	case args[0] == completeName:
		return complete(h.out, args[1:])
	}
	parser, err := newParser(&commands{}, out, h.err, code)
	if err != nil {
		return finish(h, nil, err)
	}
	ctx, err := parser.Parse(args)
	var wrong *kong.ParseError
	if errors.As(err, &wrong) {
		return finish(h, wrong.Context, suggest(parser, args, wrong))
	}
	return finish(h, ctx, ctx.Run(h))
}

// finish tells what went wrong and turns it into an exit code.
func finish(h *host, ctx *kong.Context, err error) int {
	var usage *usageError
	var code exitCode
	name := commandName(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &usage):
		fmt.Fprintf(h.err, "%s: %s\nSee \"%s --help\".\n", name, words.Error(usage), name)
		return exitUsage
	}
	tell(h, name, err)
	return exitError
}

// tell writes an error with its advice.
func tell(h *host, command string, err error) {
	fmt.Fprintf(h.err, "%s: %s\n", command, say(err))
	if advice := advise(err); advice != "" {
		fmt.Fprintln(h.err, advice)
	}
}

// usageError is a command line that makes no sense.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// exitCode is an error that has been told already.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %s", n, strings.TrimSuffix(noun, "y")+map[bool]string{true: "ies", false: "s"}[strings.HasSuffix(noun, "y")])
}
