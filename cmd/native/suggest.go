package main

import (
	"errors"
	"strings"

	"github.com/alecthomas/kong"
)

// elsewhere are flags of llama-server, vLLM and others, and what they are called here.
var elsewhere = map[string]string{
	"--host": "--addr", "--port": "--addr", "--ctx-size": "--ctx", "--max-model-len": "--ctx", "--max-num-seqs": "--max-seqs",
	"--n-predict": "--max-tokens", "--predict": "--max-tokens", "--repeat-penalty": "--repetition-penalty", "--temp": "--temperature",
}

// suggest is the error of a command line that kong refuses, with "did you mean" where kong has none or a worse one: for a long flag of
// one dash, for one that others have, and for a word after a command that runs without one.
func suggest(parser *kong.Kong, args []string, wrong *kong.ParseError) error {
	n := wrong.Context.Selected()
	if n == nil {
		return usagef("%v", wrong)
	}
	for _, arg := range args {
		if name, ok := oneDash(n, arg); ok {
			return usagef("unknown flag -%s, did you mean \"--%s\"?", name, name)
		}
	}
	if word, ok := strings.CutPrefix(wrong.Error(), "unknown flag "); ok {
		word, _, _ = strings.Cut(word, ",")
		if name := elsewhere[word]; name != "" && findFlag(n, name) != nil {
			return usagef("unknown flag %s, did you mean \"%s\"?", word, name)
		}
	}
	if word, ok := strings.CutPrefix(wrong.Error(), "unexpected argument "); ok && n.Parent.DefaultCmd == n {
		n.Parent.DefaultCmd = nil // with one, kong takes every word for its argument
		defer func() { n.Parent.DefaultCmd = n }()
		var again *kong.ParseError
		if _, err := parser.Parse([]string{n.Parent.Name, word}); errors.As(err, &again) {
			return usagef("%v", again)
		}
	}
	return usagef("%v", wrong)
}

// oneDash finds a command's long flag in a word that has one dash: what kong takes -max-tokens for is -m with the value "ax-tokens".
func oneDash(n *kong.Node, word string) (name string, ok bool) {
	name, _, _ = strings.Cut(strings.TrimPrefix(word, "-"), "=")
	return name, len(name) > 1 && strings.HasPrefix(word, "-") && findFlag(n, "--"+name) != nil
}
