package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"quire/cmd/native/pull"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is what --help shows beyond the flags.
func (*completionCommand) Help() string {
	return `Prints a script that makes a shell complete quire's commands, flags and their values, and the names of models in the cache.

Examples:

  source <(quire completion bash)            # in ~/.bashrc
  source <(quire completion zsh)             # in ~/.zshrc, after compinit
  quire completion fish | source             # in ~/.config/fish/config.fish`
}

// completeName is the hidden command that the scripts ask: "quire __complete WORD...", the last word being typed.
const completeName = "__complete"

// scripts ask for candidates; where there are none, the shell offers files.
var scripts = map[string]string{
	"bash": `_quire() {
	local IFS=$'\n' typed=${COMP_LINE:0:COMP_POINT}
	COMPREPLY=($("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
	typed=${typed##*[= ]}
	COMPREPLY=("${COMPREPLY[@]#"${typed%"${typed##*:}"}"}") # bash parts words at colons
}
complete -o default -F _quire quire
`,
	"zsh": `#compdef quire
_quire() {
	local -a found
	found=(${(f)"$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"})
	if (( $#found )); then compadd -- $found; else _files; fi
}
compdef _quire quire
`,
	"fish": `function __quire_complete
	set -l words (commandline -opc) (commandline -ct)
	set -l found ($words[1] __complete $words[2..-1] 2>/dev/null)
	if set -q found[1]
		printf '%s\n' $found
	else
		__fish_complete_path (commandline -ct)
	end
end
complete -c quire -f -a '(__quire_complete)'
`,
}

// Run runs the command.
func (c *completionCommand) Run(h *host) error {
	_, err := io.WriteString(h.out, scripts[c.Shell])
	return err
}

// complete prints what the last of the words may become.
func complete(w io.Writer, words []string) int {
	parser, err := newParser(&commands{}, w, w, exitOK)
	if err != nil {
		return exitError
	}
	for _, word := range candidates(parser.Model.Node, words) {
		fmt.Fprintln(w, word)
	}
	return exitOK
}

// candidates are what the last of the words may become: commands, flags, or a flag's values.
func candidates(node *kong.Node, words []string) []string {
	if len(words) == 0 || words[len(words)-1] == "=" {
		words = append(slices.Clone(words), "")
	}
	words = whole(words)
	last := words[len(words)-1]
	var waiting *kong.Flag // for its value
	for _, word := range words[:len(words)-1] {
		name, _, whole := strings.Cut(word, "=")
		flag := findFlag(node, name)
		switch {
		case waiting != nil:
			waiting = nil
		case flag != nil && !flag.IsBool() && !whole:
			waiting = flag
		case flag == nil:
			if i := slices.IndexFunc(node.Children, func(c *kong.Node) bool { return c.Name == word }); i >= 0 {
				node = node.Children[i]
			}
		}
	}
	var all []string
	before := ""
	if name, _, whole := strings.Cut(last, "="); whole && waiting == nil {
		waiting, before = findFlag(node, name), name+"="
	}
	switch {
	case waiting != nil && waiting.Enum != "":
		all = waiting.EnumSlice()
	case waiting != nil:
		all = cachedNames(waiting.Value)
	case strings.HasPrefix(last, "-"):
		for _, f := range flagsOf(node) {
			all = append(all, "--"+f.Name)
		}
	default:
		for _, c := range node.Children {
			if !c.Hidden {
				all = append(all, c.Name)
			}
		}
		for _, a := range node.Positional {
			if a.Enum != "" {
				all = append(all, a.EnumSlice()...)
			}
			all = append(all, cachedNames(a)...)
		}
	}
	var found []string
	for _, word := range all {
		if word = before + word; strings.HasPrefix(word, last) {
			found = append(found, word)
		}
	}
	return found
}

// whole are words as they were typed: bash makes words of = and of colons.
func whole(words []string) (all []string) {
	joined := false
	for _, w := range words {
		switch {
		case w == "=":
		case len(all) > 0 && (w == ":" || joined):
			all[len(all)-1] += w
		default:
			all = append(all, w)
		}
		joined = w == ":"
	}
	return all
}

// cachedNames are the names of models in the cache, for a value that takes such.
func cachedNames(v *kong.Value) (names []string) {
	if !v.Tag.Has("names") {
		return nil
	}
	cache, err := pull.OpenCache()
	if err != nil {
		return nil
	}
	for _, m := range cache.List() {
		names = append(names, m.ShortName())
	}
	return names
}

// flagsOf are the flags that a command takes, and the command that runs where none of its children is named.
func flagsOf(n *kong.Node) []*kong.Flag {
	if n.DefaultCmd != nil {
		n = n.DefaultCmd
	}
	return slices.Concat(n.AllFlags(true)...)
}

func findFlag(n *kong.Node, name string) *kong.Flag {
	for _, f := range flagsOf(n) {
		if name == "--"+f.Name || f.Short != 0 && name == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}
