//go:build !js

package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var commands = []string{"run", "tokenize", "detokenize", "inspect", "adapters", "bench", "bench attention", "tune", "sim", "train", "version"}

func TestWrongUsage(t *testing.T) {
	tests := []struct {
		name string
		args []string
		says string
	}{
		{"no command", nil, "usage: quire COMMAND"},
		{"unknown command", []string{"sing"}, `no command "sing"`},
		{"unknown flag", []string{"run", "--loud", "hi"}, "unknown flag --loud"},
		{"flag without its value", []string{"run", "hi", "--seed"}, "needs an argument: --seed"},
		{"no number", []string{"run", "--max-tokens", "many", "hi"}, "--max-tokens"},
		{"negative", []string{"run", "--max-tokens", "-1", "hi"}, "--max-tokens"},
		{"temperature", []string{"run", "--temperature", "-1", "hi"}, "temperature is -1"},
		{"not a number", []string{"run", "--temperature", "nan", "hi"}, "temperature"},
		{"top-p", []string{"run", "hi", "--top-p", "1.5"}, "top_p is 1.5"},
		{"min-p", []string{"run", "hi", "--min-p", "2"}, "min_p is 2"},
		{"logprobs", []string{"run", "hi", "--json", "--logprobs", "21"}, "logprobs is 21"},
		{"logprobs without json", []string{"run", "hi", "--logprobs", "2"}, "--logprobs needs --json"},
		{"empty stop", []string{"run", "hi", "--stop", ""}, "--stop"},
		{"kv type", []string{"run", "--kv-type", "f8", "hi"}, "must be one of f16, bf16, q8, f32"},
		{"kv memory", []string{"run", "--kv-memory", "lots", "hi"}, "--kv-memory"},
		{"no prompt", []string{"run"}, "the prompt is empty"},
		{"empty prompt", []string{"run", ""}, "the prompt is empty"},
		{"two prompts", []string{"run", "one", "two"}, "2 arguments do not fit"},
		{"prompt and prompts", []string{"run", "one", "--prompts", "f"}, "do not go together"},
		{"inspect nothing", []string{"inspect"}, "0 arguments do not fit"},
		{"adapters with an argument", []string{"adapters", "x"}, "1 arguments do not fit"},
		{"unknown shape", []string{"bench", "--shape", "gpt-9"}, "there is no shape"},
		{"unknown type", []string{"bench", "--shape", "llama-1b", "--type", "q9"}, `no type "q9"`},
		{"type that cannot be made", []string{"bench", "--shape", "llama-1b", "--type", "q6_k"}, "Q6_K cannot be made"},
		{"shape and model", []string{"bench", "--shape", "llama-1b", "-m", "f"}, "do not go together"},
		{"type without shape", []string{"bench", "--type", "q8_0"}, "need --shape"},
		{"batch of none", []string{"bench", "--batch", "0"}, "--batch"},
		{"command's name", []string{"bench", "--nosuch"}, "quire bench: unknown flag --nosuch\nsee \"quire bench --help\""},
		{"command's two words", []string{"bench", "attention", "--nosuch"}, "quire bench attention: unknown flag --nosuch\nsee \"quire bench attention --help\""},
		{"arguments of two words", []string{"bench", "attention", "x"}, "quire bench attention: 1 arguments do not fit: quire bench attention [flags]"},
		{"help of nothing", []string{"help", "sing"}, `no command "sing"`},
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
			assert.True(t, strings.HasPrefix(help.stdout, "usage: quire "+name+" "))
			_, examples, found := strings.Cut(help.stdout, "examples:\n")
			assert.True(t, found)
			assert.Contains(t, examples, "quire "+name)
			assert.Equal(t, help, quire(t, append([]string{"help"}, words...)...))
		})
	}
	all := quire(t, "--help").ok(t)
	for _, name := range commands {
		if !strings.Contains(name, " ") {
			assert.Contains(t, all.stdout, "\n  "+name+" ")
		}
	}
	assert.Equal(t, all, quire(t, "help"))
	assert.Equal(t, all, quire(t, "help", "help"))
}

func TestHelpListsTheFlagsThatAreAskedFor(t *testing.T) {
	help := quire(t, "run", "--help").ok(t).stdout
	for _, name := range []string{"m", "prompts", "raw", "json", "logprobs", "max-tokens", "temperature", "top-k", "top-p", "min-p", "seed",
		"stop", "ignore-eos", "ctx", "kv-type", "kv-memory", "adapter", "deterministic", "variant", "token-budget", "long-prompt", "max-seqs",
		"preemption", "swap-memory", "queue-limit"} {
		assert.Regexp(t, `(?m)^  --?`+name+` `, help)
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
