//go:build unix

package cli

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A saved conversation goes on with the text it would have had, and what is in its blocks is not computed again.
func TestSaveAndLoad(t *testing.T) {
	saved := filepath.Join(t.TempDir(), "talk.quire")
	args := []string{"run", "--raw", "--temperature", "0", "--deterministic", "--ignore-eos", "--json"}
	whole := objects(t, quire(t, append(args, "--max-tokens", "52", "Once upon a time")...).ok(t))[0]
	r := quire(t, append(args, "--max-tokens", "40", "--save", saved, "Once upon a time")...).ok(t)
	first := objects(t, r)[0]
	require.Equal(t, whole.IDs[:40], first.IDs)
	assert.Contains(t, r.stderr, "saved the conversation, 45 tokens, to "+saved)

	second := objects(t, quire(t, append(args, "--max-tokens", "12", "--load", saved)...).ok(t))[0]
	assert.Equal(t, append(first.PromptIDs, first.IDs...), second.PromptIDs)
	assert.Equal(t, whole.IDs[40:], second.IDs)
	assert.Equal(t, whole.Text, first.Text+second.Text)
	assert.EqualValues(t, 32, second.Figures["cachedTokens"], "two whole blocks of 16")

	more := objects(t, quire(t, append(args, "--max-tokens", "4", "--load", saved, "--save", saved, " The end.")...).ok(t))[0]
	assert.Equal(t, second.PromptIDs, more.PromptIDs[:45])
	assert.Greater(t, len(more.PromptIDs), 45)
	again := objects(t, quire(t, append(args, "--max-tokens", "1", "--load", saved)...).ok(t))[0]
	assert.Equal(t, append(more.PromptIDs, more.IDs...), again.PromptIDs)
	beside, err := os.ReadDir(filepath.Dir(saved))
	require.NoError(t, err)
	assert.Len(t, beside, 1)

	for says, args := range map[string][]string{
		"it was saved with the KV type f16": {"--load", saved, "--kv-type", "f32"},
		"it was saved with another model":   {"--load", saved, "-m", anotherModel(t)},
	} {
		r := quire(t, append([]string{"run", "hi"}, args...)...)
		assert.Equal(t, 1, r.code, says)
		assert.Contains(t, r.stderr, says)
		assert.NotRegexp(t, inside, command.ReplaceAllString(r.stderr, ""))
		assert.Empty(t, r.stdout)
	}
	data, err := os.ReadFile(saved)
	require.NoError(t, err)
	data[len(data)/2] ^= 1
	for says, file := range map[string]string{
		"--load: " + saved + "x: there is no such file":      saved + "x",
		"is no regular file":                                 filepath.Dir(saved),
		"the file is damaged: block":                         file(t, "altered", data),
		"A conversation is a file that \"quire run --save\"": builtIn,
		"is no conversation":                                 file(t, "short", []byte("hello\n")),
	} {
		r := quire(t, "run", "--load", file, "hi")
		assert.Equal(t, 1, r.code, says)
		assert.Contains(t, r.stderr, says)
		assert.NotRegexp(t, inside, command.ReplaceAllString(r.stderr, ""))
		assert.Empty(t, r.stdout)
	}
}

// anotherModel is the built-in one with another byte at its end, as a tuning of it would have other weights.
func anotherModel(t *testing.T) string {
	data, err := os.ReadFile(builtIn)
	require.NoError(t, err)
	data[len(data)-1] ^= 1
	return file(t, "other.gguf", data)
}

// With a chat template the prompt is the conversation's next turn.
func TestLoadTakesTheNextTurn(t *testing.T) {
	saved := filepath.Join(t.TempDir(), "talk.quire")
	for answer, limit := range map[string]string{"whole": "0", "cut short": "3"} {
		first := objects(t, quire(t, "run", "--temperature", "0", "--json", "--max-tokens", limit, "--save", saved, "Hi.").ok(t))[0]
		second := objects(t, quire(t, "run", "--json", "--max-tokens", "1", "--load", saved, "A fox.").ok(t))[0]
		ids := strings.Trim(jsonIDs(t, second.PromptIDs), "[]")
		text := quireWith(t, ids, "detokenize", "--special").ok(t).stdout
		assert.Equal(t, "<|endoftext|><|user|>Hi.<|end|><|assistant|>"+first.Text+"<|end|><|user|>A fox.<|end|><|assistant|>", text, answer)
	}
}

func TestSaveRefuses(t *testing.T) {
	for says, args := range map[string][]string{
		"they go without --prompts": {"--save", "f", "--prompts", "g"},
		"hold one conversation":     {"--save", "f", "--n", "2", "hi"},
		"--save and --load hold":    {"--load", "f", "--beams", "2", "hi"},
		"--best-of":                 {"--save", "f", "--best-of", "2", "hi"},
		"--save: needs a value":     {"hi", "--save"},
		"--save: must not be empty": {"hi", "--save", ""},
		"--load: must not be empty": {"hi", "--load", ""},
	} {
		r := quire(t, append([]string{"run"}, args...)...)
		assert.Equal(t, 2, r.code, says)
		assert.Contains(t, r.stderr, says)
	}
	r := quire(t, "run", "hi", "--save", t.TempDir())
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "is no regular file")
	r = quire(t, "run", "hi", "--save", filepath.Join(t.TempDir(), "none", "f"))
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "--save: ")
	assert.Contains(t, r.stderr, "there is no such file or folder")
}

// Ctrl-C keeps the conversation as it is then, and no part of a file.
func TestInterruptSavesTheConversation(t *testing.T) {
	saved := filepath.Join(t.TempDir(), "talk.quire")
	require.NoError(t, os.WriteFile(saved, []byte("before"), 0o600))
	c := exec.Command(binary, append(endless, "--save", saved)...)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	in := bufio.NewReader(out)
	begun := make([]byte, 60)
	_, err = io.ReadFull(in, begun)
	require.NoError(t, err)
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	rest, err := io.ReadAll(in)
	require.NoError(t, err)
	require.Error(t, c.Wait())
	assert.Equal(t, 130, c.ProcessState.ExitCode())
	beside, err := os.ReadDir(filepath.Dir(saved))
	require.NoError(t, err)
	assert.Len(t, beside, 1)
	more := objects(t, quire(t, "run", "--raw", "--json", "--max-tokens", "1", "--load", saved).ok(t))[0]
	text := quireWith(t, strings.Trim(jsonIDs(t, more.PromptIDs), "[]"), "detokenize").ok(t).stdout
	assert.Equal(t, "Once upon a time"+strings.TrimSuffix(string(begun)+string(rest), "\n"), strings.TrimSuffix(text, "\n"))
}
