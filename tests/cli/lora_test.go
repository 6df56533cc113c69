//go:build !js

package cli

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/hubtest"
)

// Prompts of one batch have the adapters of the flags, or their own, and their golden beginnings.
func TestRunWithLoRA(t *testing.T) {
	model, one, two := path(t, "families/qwen3.gguf"), path(t, "families/qwen3-lora1.gguf"), path(t, "families/qwen3-lora2.gguf")
	adapter, err := os.ReadFile(two)
	require.NoError(t, err)
	hub(t).Put("quire/kites", hubtest.Repo{Files: map[string][]byte{"two.gguf": adapter}})
	prompts := "{\"ids\":[122]}\n{\"ids\":[122],\"lora\":[]}\n{\"ids\":[122],\"lora\":\"" + one + ":0.5\"}\n{\"ids\":[122],\"lora\":[\"" + one + ":0.75\",\"hf:quire/kites/two.gguf:1\"]}\n"
	r := quireWith(t, prompts, "run", "-m", model, "--lora", two, "--prompts", "-", "--json", "--temperature", "0", "--max-tokens", "4", "--ignore-eos", "--kv-type", "f32").ok(t)
	all := objects(t, r)
	require.Len(t, all, 4)
	for i, want := range [][]int32{{165, 271, 137, 132}, {178, 84, 79, 88}, {178, 165, 85, 281}, {165, 165, 132, 132}} {
		assert.Equal(t, want, all[i].IDs, "prompt %d", i+1)
	}

	for says, lora := range map[string]string{
		`unsupported adapter: the file is none for LoRA: general.type is "model"`: model,
		"none.gguf: there is no such file":                                        "none.gguf",
		"the scale must be a finite number":                                       one + ":inf",
	} {
		r := quire(t, "run", "-m", model, "--lora", lora, "--raw", "he")
		assert.NotZero(t, r.code)
		assert.Contains(t, r.stderr, says)
	}
}
