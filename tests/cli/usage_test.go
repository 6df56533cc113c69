//go:build !js

package cli

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var commands = []string{"run", "tokenize", "detokenize", "inspect", "pull", "list", "rm", "prune", "adapters", "bench", "bench attention", "tune", "sim", "train", "serve", "version", "completion"}

func TestWrongUsage(t *testing.T) {
	tests := []struct {
		name string
		args []string
		says string
	}{
		{"no command", nil, "Usage: quire <command>"},
		{"unknown command", []string{"sing"}, `unexpected argument sing, did you mean "sim"?`},
		{"unknown flag", []string{"run", "--loud", "hi"}, "unknown flag --loud"},
		{"misspelt flag", []string{"run", "--temprature", "0", "hi"}, `unknown flag --temprature, did you mean "--temperature"?`},
		{"flag of another server", []string{"serve", "--port", "8000"}, `unknown flag --port, did you mean "--addr"?`},
		{"misspelt second word", []string{"bench", "atention"}, `quire bench: unexpected argument atention, did you mean "attention"?`},
		{"one dash", []string{"run", "-temperature", "0", "hi"}, `unknown flag -temperature, did you mean "--temperature"?`},
		{"one dash before a letter's flag", []string{"run", "-max-tokens=3", "hi"}, `quire run: unknown flag -max-tokens, did you mean "--max-tokens"?`},
		{"one dash and a value", []string{"run", "-max-tokens", "3"}, `unknown flag -max-tokens, did you mean "--max-tokens"?`},
		{"flag without its value", []string{"run", "hi", "--seed"}, "--seed: needs a value"},
		{"no number", []string{"run", "--max-tokens", "many", "hi"}, "--max-tokens"},
		{"negative", []string{"run", "--max-tokens", "-1", "hi"}, "--max-tokens"},
		{"temperature", []string{"run", "--temperature", "-1", "hi"}, "--temperature is -1"},
		{"not a number", []string{"run", "--temperature", "nan", "hi"}, "temperature"},
		{"top-p", []string{"run", "hi", "--top-p", "1.5"}, "--top-p is 1.5"},
		{"min-p", []string{"run", "hi", "--min-p", "2"}, "--min-p is 2"},
		{"logprobs", []string{"run", "hi", "--json", "--logprobs", "21"}, "--logprobs is 21"},
		{"logprobs without json", []string{"run", "hi", "--logprobs", "2"}, "--logprobs needs --json"},
		{"empty stop", []string{"run", "hi", "--stop", ""}, "--stop"},
		{"kv type", []string{"run", "--kv-type", "f8", "hi"}, `--kv-type must be one of "f32","f16","bf16","q8" but got "f8"`},
		{"kv memory", []string{"run", "--kv-memory", "lots", "hi"}, "--kv-memory"},
		{"no prompt", []string{"run"}, "the prompt is empty"},
		{"empty prompt", []string{"run", ""}, "the prompt is empty"},
		{"two prompts", []string{"run", "one", "two"}, "unexpected argument two"},
		{"prompt and prompts", []string{"run", "one", "--prompts", "f"}, "do not go together"},
		{"inspect nothing", []string{"inspect"}, `expected "<file>"`},
		{"pull nothing", []string{"pull"}, `expected "<model> ..."`},
		{"pull over no connection", []string{"pull", "--connections", "0", "hf:o/r"}, "--connections"},
		{"pull over too many", []string{"pull", "--connections", "65", "hf:o/r"}, "--connections is 65"},
		{"prune by no age", []string{"prune", "--older", "soon"}, "must be an age such as 30d"},
		{"adapters with an argument", []string{"adapters", "x"}, "unexpected argument x"},
		{"unknown shape", []string{"bench", "--shape", "gpt-9"}, "there is no shape"},
		{"unknown type", []string{"bench", "--shape", "llama-1b", "--type", "q9"}, `no type "q9"`},
		{"type that cannot be made", []string{"bench", "--shape", "llama-1b", "--type", "q8_k"}, "Q8_K cannot be made"},
		{"shape and model", []string{"bench", "--shape", "llama-1b", "-m", "f"}, "do not go together"},
		{"type without shape", []string{"bench", "--type", "q8_0"}, "need --shape"},
		{"batch of none", []string{"bench", "--batch", "0"}, "--batch"},
		{"command's name", []string{"bench", "--nosuch"}, "quire bench: unknown flag --nosuch\nSee \"quire bench --help\"."},
		{"command's two words", []string{"bench", "attention", "--nosuch"}, "quire bench attention: unknown flag --nosuch\nSee \"quire bench attention --help\"."},
		{"arguments of two words", []string{"bench", "attention", "x"}, "quire bench attention: unexpected argument x"},
		{"help of nothing", []string{"help", "sing"}, "unexpected argument sing"},
		{"shell", []string{"completion", "tcsh"}, `must be one of "bash","zsh","fish"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := quire(t, tt.args...)
			assert.Equal(t, 2, r.code)
			assert.Empty(t, r.stdout)
			assert.Equal(t, 1, strings.Count(r.stderr, tt.says), r.stderr)
		})
	}
}

func TestHelp(t *testing.T) {
	for _, name := range commands {
		t.Run(name, func(t *testing.T) {
			words := strings.Fields(name)
			help := quire(t, append(words, "--help")...).ok(t)
			assert.Empty(t, help.stderr)
			assert.True(t, strings.HasPrefix(help.stdout, "Usage: quire "+name+" "))
			_, examples, found := strings.Cut(help.stdout, "\nExamples:\n")
			assert.True(t, found)
			assert.Contains(t, examples, "quire "+name)
			assert.Equal(t, help, quire(t, append([]string{"help"}, words...)...))
		})
	}
	all := quire(t, "--help").ok(t)
	for _, name := range commands {
		assert.Contains(t, all.stdout, "\n  "+name+" ")
	}
	assert.Equal(t, all, quire(t, "help"))
	assert.Equal(t, all, quire(t, "help", "help"))
}

func TestHelpListsTheFlagsThatAreAskedFor(t *testing.T) {
	help := quire(t, "run", "--help").ok(t).stdout
	for _, name := range []string{"model", "prompts", "raw", "json", "logprobs", "max-tokens", "temperature", "top-k", "top-p", "min-p", "seed",
		"stop", "ignore-eos", "ctx", "kv-type", "kv-memory", "adapter", "deterministic", "variant", "token-budget", "long-prompt", "max-seqs",
		"preemption", "swap-memory", "queue-limit"} {
		assert.Regexp(t, `(?m)^ +(-m, )?--`+name+`[ =]`, help)
	}
}

func TestVersion(t *testing.T) {
	text := quire(t, "version").ok(t).stdout
	assert.Regexp(t, `^quire \d+\.\d+\.\d+\S*, .*revision.*, go1\.\d+.*, \w+/\w+\n$`, text)
	assert.Equal(t, quire(t, "version"), quire(t, "--version"))
	var build map[string]any
	require.NoError(t, json.Unmarshal([]byte(quire(t, "version", "--json").ok(t).stdout), &build))
	assert.Contains(t, text, "quire "+build["version"].(string)+", ")
}

// completed is what bash would offer for the last word of a line, which is parted where bash parts words.
func completed(t *testing.T, line string) string {
	t.Helper()
	words := strings.Split(line, " ")
	words[0] = binary
	script := quire(t, "completion", "bash").ok(t).stdout +
		`COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); COMP_LINE="$*"; COMP_LINE=${COMP_LINE// : /:}; COMP_POINT=${#COMP_LINE}; _quire; printf '%s\n' "${COMPREPLY[@]}"`
	out, err := exec.Command("bash", append([]string{"-c", script, "bash"}, words...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return strings.TrimSuffix(string(out), "\n")
}

// What the script that bash reads does with a word that is being typed.
func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"quire be":                   "bench",
		"quire run --kv-type b":      "bf16",
		"quire run --kv-type =":      "f32\nf16\nbf16\nq8",
		"quire bench attention --ba": "--batch\n--backward-variant",
		"quire run --prompts ":       "",
	} {
		assert.Equal(t, want, completed(t, line), line)
	}
	for _, shell := range []string{"zsh", "fish"} {
		script := quire(t, "completion", shell).ok(t).stdout
		assert.Contains(t, script, "__complete")
		if path, err := exec.LookPath(shell); err == nil {
			out, err := exec.Command(path, "-n", file(t, "script", []byte(script))).CombinedOutput()
			assert.NoError(t, err, "%s", out)
		}
	}
	if path, err := exec.LookPath("fish"); err == nil {
		script := quire(t, "completion", "fish").ok(t).stdout
		for line, want := range map[string]string{" run --kv-type b": "bf16\n", " tok": "tokenize\n"} {
			out, err := exec.Command(path, "-c", script+"complete -c "+binary+" -f -a '(__quire_complete)'; complete -C '"+binary+line+"'").CombinedOutput()
			assert.NoError(t, err)
			assert.Equal(t, want, string(out), line)
		}
	}
}
