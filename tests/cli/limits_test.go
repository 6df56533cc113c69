//go:build !js

package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRunTakesIDs(t *testing.T) {
	lines := "{\"prompt\":\"The fox\"}\n{\"ids\":[5,6,7]}\n{\"ids\":[999999]}\n"
	r := quireWith(t, lines, "run", "--json", "--temperature", "0", "--max-tokens", "2", "--prompts", "-")
	assert.Equal(t, 1, r.code)
	all := objects(t, r)
	require.Len(t, all, 3)
	assert.Equal(t, []int32{5, 6, 7}, all[1].PromptIDs, "ids get no chat template and no BOS")
	assert.Len(t, all[1].IDs, 2)
	assert.Contains(t, all[2].Error, "999999")
}

// A text that did not end by itself says so, and where.
func TestRunTellsTheLimit(t *testing.T) {
	args := []string{"run", "--raw", "--temperature", "0", "--ctx", "16", "--ignore-eos", "Once upon a time"}
	text := quire(t, args...).ok(t)
	assert.Contains(t, text.stderr, "\nthe text stopped where the context of 16 tokens is full (--ctx)\n")
	assert.True(t, strings.HasSuffix(text.stdout, "\n"))
	lines := quireWith(t, `{"prompt":"Once upon a time"}`+"\n"+`{"prompt":"Once upon a time","max_tokens":3}`,
		"run", "--raw", "--temperature", "0", "--ctx", "16", "--ignore-eos", "--json", "--prompts", "-").ok(t)
	all := objects(t, lines)
	require.Len(t, all, 2)
	assert.Equal(t, []string{"context", "maxTokens"}, []string{all[0].Limit, all[1].Limit})

	stop := strings.Fields(text.stdout)[1]
	ended := quire(t, append(args, "--stop", stop)...).ok(t)
	assert.NotContains(t, ended.stderr, "stopped")
}

func TestContextOverTheModels(t *testing.T) {
	r := quire(t, "run", "--raw", "--json", "--temperature", "0", "--max-tokens", "2", "--ctx", "50000000", "Once").ok(t)
	assert.Contains(t, r.stderr, "--ctx 50000000 is more than the 1024 tokens that the model was trained for; it gets 1024")
	r = quire(t, "inspect", "--json", "--ctx", "50000000", builtIn).ok(t)
	assert.Contains(t, r.stderr, "it gets 1024")
	assert.Contains(t, r.stdout, `"context":1024`)
}
