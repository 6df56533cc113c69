package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// manualCommand prints docs/quire.md: what --help says of every command, and what they have in common.
type manualCommand struct{}

const manualStart = `# quire(1)

quire - run language models from GGUF files on the GPU

This page is written by "quire manual" ("make docs"); a test compares it with the flags.

## Synopsis

`

const manualEnd = `## Command lines

Flags may stand before and after the arguments; ` + "`--`" + ` ends them. A value follows its flag as ` + "`--flag VALUE` or `--flag=VALUE`" + `. Lists have
commas between their values. ` + "`quire help COMMAND`" + ` is ` + "`quire COMMAND --help`" + `. Sizes are numbers of bytes, or like ` + "`512MiB`, `2G`, `2GB`" + `.

Without a model's name the commands take the one inside the binary, which tells stories. A model may be a file, a name
such as ` + "`hf:owner/repo:Q4_K_M`" + `, which is pulled into the cache first, or an http(s) address ([more](names.md)).

## JSON

What ` + "`run --json`, `adapters --json`" + ` and ` + "`tune --json`" + ` print has the names and units of ` + "`quire.js`" + ` (` + "`promptIds`, `timeToFirst`" + ` in milliseconds).
The other commands name units: times in seconds (` + "`seconds`, `wall_seconds`" + `), memory in bytes (` + "`bytes`, `weights_bytes`" + `), speeds with ` + "`_per_second`" + `, in
10⁹ bytes (` + "`gb_per_second`" + `) or 10¹² operations (` + "`tflop_per_second`" + `) where the name says so, and shares from 0 to 1.

## Exit status

| status | |
|---|---|
| 0 | done |
| 1 | an error; stderr names the field, tensor or setting and says what to do |
| 2 | wrong usage |
| 130 | stopped by Ctrl-C |
`

// Run runs the command.
func (manualCommand) Run(h *host) error {
	parser, err := newParser(&commands{}, h.out, h.err, exitOK)
	if err != nil {
		return err
	}
	_, err = io.WriteString(h.out, manual(parser))
	return err
}

func manual(parser *kong.Kong) string {
	var page strings.Builder
	page.WriteString(manualStart + "```\n")
	leaves := parser.Model.Leaves(true)
	for _, n := range leaves {
		fmt.Fprintf(&page, "quire %s\n", n.Summary())
	}
	page.WriteString("```\n\n")
	for _, n := range leaves {
		fmt.Fprintf(&page, "## quire %s\n\n%s\n\n%s\n", n.Path(), n.Help, markdown(n.Detail))
		writeFlags(&page, n)
	}
	page.WriteString(manualEnd)
	return page.String()
}

// markdown fences what is indented.
func markdown(text string) string {
	var page strings.Builder
	fenced := false
	for line := range strings.Lines(text + "\n") {
		code, indented := strings.CutPrefix(line, "  ")
		if indented != fenced {
			page.WriteString(map[bool]string{true: "```sh\n", false: "```\n"}[indented])
			fenced = indented
		}
		if !indented {
			code = line
		}
		page.WriteString(code)
	}
	if fenced {
		page.WriteString("```\n")
	}
	return page.String()
}

// writeFlags lists a command's arguments and flags, a table for all of them.
func writeFlags(w io.Writer, n *kong.Node) {
	row := func(name, help string) {
		fmt.Fprintf(w, "| `%s` | %s |\n", strings.ReplaceAll(name, "|", `\|`), escape(help))
	}
	fmt.Fprint(w, "| | |\n|---|---|\n")
	for _, a := range n.Positional {
		row(a.Summary(), describeFlag(a))
	}
	group := ""
	for _, f := range n.Flags {
		if f.Group != nil && f.Group.Title != group {
			group = f.Group.Title
			fmt.Fprintf(w, "| **%s** | |\n", strings.TrimSuffix(group, ":"))
		}
		row(f.String(), describeFlag(f.Value))
	}
	fmt.Fprintln(w)
}

// escape keeps Markdown and HTML from reading a text as theirs.
func escape(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`, "_", `\_`).Replace(text)
}
