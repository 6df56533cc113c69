//go:build !js

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// prompted is the text of the prompt of what run --json printed.
func prompted(t *testing.T, g generated) string {
	t.Helper()
	return quireWith(t, strings.Trim(jsonIDs(t, g.PromptIDs), "[]"), "detokenize", "--special").ok(t).stdout
}

func TestRunAnswersAConversation(t *testing.T) {
	const before = `[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi."}, {"role": "assistant", "content": [{"type": "text", "text": "Hello."}]}, {"role": "user", "content": "A fox."}]`
	talk := file(t, "talk.json", []byte(before))
	const text = "<|endoftext|><|system|>Be brief.<|end|><|user|>Hi.<|end|><|assistant|>Hello.<|end|><|user|>A fox.<|end|>"
	for name, tt := range map[string]struct {
		stdin, want string
		args        []string
	}{
		"stdin, and a message more": {before, text + "<|user|>And then?<|end|><|assistant|>", []string{"--messages", "-", "And then?"}},
		"an API's request":          {`{"model": "any", "messages": ` + before + `}`, text + "<|assistant|>", []string{"--messages", "-"}},
		"a system message": {`{"prompt": "Hi."}` + "\n", "<|endoftext|><|system|>Be kind.<|end|><|user|>Hi.<|end|><|assistant|>",
			[]string{"--system", "Be kind.", "--prompts", "-"}},
	} {
		r := quireWith(t, tt.stdin, append([]string{"run", "--json", "--max-tokens", "1"}, tt.args...)...).ok(t)
		assert.Equal(t, tt.want, prompted(t, objects(t, r)[0]), name)
	}
	for says, args := range map[string][]string{
		"--messages is a whole conversation": {"--messages", talk, "--raw"},
		"it goes without --prompts":          {"--messages", talk, "--prompts", "x"},
		"has a system message of its own":    {"--messages", talk, "--system", "x"},
		"--system goes without --load":       {"--system", "x", "--load", "y", "z"},
		"cannot both be stdin":               {"--messages", "-", "-"},
	} {
		r := quire(t, append([]string{"run"}, args...)...)
		assert.Equal(t, 2, r.code, says)
		assert.Contains(t, r.stderr, says)
	}
	for says, args := range map[string][]string{
		"there is no such file": {"--messages", talk + "x"},
		"message 0 has no role": {"--messages", file(t, "wrong", []byte(`[{"content": "a"}]`))},
		"there are no messages": {"--messages", file(t, "empty", []byte(`[]`))},
	} {
		r := quire(t, append([]string{"run"}, args...)...)
		assert.Equal(t, 1, r.code, says)
		assert.Contains(t, r.stderr, says)
		assert.NotRegexp(t, inside, command.ReplaceAllString(r.stderr, ""))
	}
}

// Through pipes a chat is text: answers on stdout, all else on stderr, and no codes that steer terminals.
func TestChatThroughPipes(t *testing.T) {
	dir := t.TempDir()
	saved, kept := filepath.Join(dir, "talk.json"), filepath.Join(dir, "talk.quire")
	args := []string{"chat", "--temperature", "0", "--deterministic", "--max-tokens", "12", "--system", "Tell stories."}
	r := quireWith(t, "Tell me a story about a fox.\n/save "+saved+"\n/save "+kept+"\nAnd then?\n", args...).ok(t)
	var messages []struct{ Role, Content string }
	text, err := os.ReadFile(saved)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &messages))
	require.Len(t, messages, 3)
	assert.Equal(t, "Tell stories.", messages[0].Content)
	first := messages[2].Content
	assert.True(t, strings.HasPrefix(r.stdout, first+"\n\n"), r.stdout)
	assert.NotContains(t, r.stdout+r.stderr, "\x1b")
	assert.Contains(t, r.stderr, "(cut off at max_tokens, 12 tokens)")
	second := strings.TrimPrefix(r.stdout, first+"\n\n")

	again := quireWith(t, "And then?\n", "chat", "--temperature", "0", "--deterministic", "--max-tokens", "12", "--load", kept).ok(t)
	assert.Equal(t, second, again.stdout, "it goes on as the chat did")
	run := quire(t, "run", "--temperature", "0", "--deterministic", "--max-tokens", "12", "--messages", saved, "And then?").ok(t)
	assert.Equal(t, second, run.stdout, "so does run")
}

func TestChatForgetsTheOldest(t *testing.T) {
	said := strings.Repeat("Tell me a story about a fox and a kite and the wind.\n", 5) + strings.Repeat("fox ", 300) + "\nHi.\n"
	r := quireWith(t, said, "chat", "--temperature", "0", "--max-tokens", "8", "--ctx", "128")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "The context of 128 tokens is full: the model no longer sees the first")
	assert.Contains(t, r.stderr, "the prompt is too long")
	assert.Equal(t, 6-1, strings.Count(r.stdout, "\n\n"), "all others are answered: %s", r.stdout)
}

func TestChatRefuses(t *testing.T) {
	for says, args := range map[string][]string{
		"--system does not go with --raw": {"--raw", "--system", "x"},
		"unexpected argument hello":       {"hello"},
		"--temperature":                   {"--temperature", "-1"},
		"--load: must not be empty":       {"--load", ""},
	} {
		r := quire(t, append([]string{"chat"}, args...)...)
		assert.Equal(t, 2, r.code, says)
		assert.Contains(t, r.stderr, says)
	}
	r := quireWith(t, "hi\n", "chat", "--load", "none.json")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "--load: none.json: there is no such file")
}

// What run saves, chat goes on with.
func TestChatLoadsWhatRunSaves(t *testing.T) {
	saved, messages := filepath.Join(t.TempDir(), "talk.quire"), filepath.Join(t.TempDir(), "talk.json")
	first := objects(t, quire(t, "run", "--json", "--temperature", "0", "--max-tokens", "6", "--system", "Be brief.", "--save", saved, "Hi.").ok(t))[0]
	second := objects(t, quire(t, "run", "--json", "--temperature", "0", "--max-tokens", "4", "--load", saved, "--save", saved, "A fox.").ok(t))[0]
	quireWith(t, "/save "+messages+"\n", "chat", "--load", saved).ok(t)
	text, err := os.ReadFile(messages)
	require.NoError(t, err)
	var got []struct{ Role, Content string }
	require.NoError(t, json.Unmarshal(text, &got))
	require.Len(t, got, 5)
	for i, want := range []string{"Be brief.", "Hi.", first.Text, "A fox.", second.Text} {
		assert.Equal(t, want, got[i].Content)
	}
}
