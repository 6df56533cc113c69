package main

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// command is one subcommand: prepare declares its flags and returns what runs once they are parsed.
type command struct {
	name      string
	summary   string // one line for the list of commands
	usage     string // the arguments
	about     string // paragraphs for --help
	examples  []string
	arguments [2]int // the fewest and the most; a negative most is without end
	prepare   func(f *flags) func(h *host, args []string) error
	sub       []*command // named as in "bench attention": their second word takes the place of the arguments
}

// usageError is a command line that makes no sense.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// flagErrors writes package flag's errors with two dashes.
var flagErrors = strings.NewReplacer("flag provided but not defined: -", "unknown flag --", "for flag -", "for --", "needs an argument: -", "needs an argument: --", "\" for -", "\" for --", ": parse error", ": must be true or false")

// resolve returns the command whose words a command line holds, and what follows them.
func (c *command) resolve(args []string) (*command, []string) {
	for _, sub := range c.sub {
		if len(args) > 0 && sub.name == c.name+" "+args[0] {
			return sub.resolve(args[1:])
		}
	}
	return c, args
}

// execute parses a command line and runs it. Flags may stand before, between and after the arguments; "--" ends them.
func (c *command) execute(h *host, args []string) error {
	f := &flags{FlagSet: flag.NewFlagSet(c.name, flag.ContinueOnError)}
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	run := c.prepare(f)
	rest, err := f.parse(args)
	if err == flag.ErrHelp {
		c.help(h.out, f)
		return nil
	}
	if err != nil {
		return usagef("%s", flagErrors.Replace(err.Error()))
	}
	if n := len(rest); n < c.arguments[0] || c.arguments[1] >= 0 && n > c.arguments[1] {
		return usagef("%d arguments do not fit: quire %s %s", n, c.name, c.usage)
	}
	return run(h, rest)
}

// parse returns the arguments that are no flags.
func (f *flags) parse(args []string) ([]string, error) {
	var rest []string
	for {
		if err := f.Parse(args); err != nil {
			return nil, err
		}
		left := f.Args()
		used := len(args) - len(left)
		if len(left) == 0 || used > 0 && args[used-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

func (c *command) help(w io.Writer, f *flags) {
	fmt.Fprintf(w, "usage: quire %s %s\n", c.name, c.usage)
	for _, sub := range c.sub {
		fmt.Fprintf(w, "       quire %s %s: %s\n", sub.name, sub.usage, sub.summary)
	}
	fmt.Fprintf(w, "\n%s\n", c.about)
	heading := ""
	for _, name := range f.order {
		fl := f.Lookup(name.flag)
		if name.heading != heading {
			heading = name.heading
			fmt.Fprintf(w, "\n%s:\n", heading)
		}
		value, text := flag.UnquoteUsage(fl)
		dash := "--"
		if len(fl.Name) == 1 {
			dash = "-"
		}
		left := dash + fl.Name
		if value != "" {
			left += " " + value
		}
		fmt.Fprintf(w, "  %-22s %s\n", left, text)
	}
	fmt.Fprint(w, "\nexamples:\n")
	for _, e := range c.examples {
		fmt.Fprintf(w, "  %s\n", e)
	}
}
