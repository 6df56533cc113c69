//go:build !js

package cli

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/tiny"
)

// A file of another kind is told by name, and nobody is told to download it again.
func TestFilesOfOtherKinds(t *testing.T) {
	for says, data := range map[string]string{
		"GGUF version 1":    "GGUF\x01\x00\x00\x00\x02\x00\x00\x00",
		"GGUF version 9":    "GGUF\x09\x00\x00\x00",
		"big-endian":        "GGUF\x00\x00\x00\x03",
		"an HTML page":      "<!doctype html>\n<html><title>model.gguf</title>",
		"gzip":              "\x1f\x8b\x08\x00",
		"safetensors":       "\x10\x00\x00\x00\x00\x00\x00\x00{\"__metadata__\":",
		"PyTorch":           "PK\x03\x04",
		"Git LFS":           "version https://git-lfs.github.com/spec/v1\n",
		"Entry not found":   "Entry not found",
		"a ggjt model":      "tjgg\x03\x00\x00\x00",
		"the file is empty": "",
	} {
		t.Run(says, func(t *testing.T) {
			other := file(t, "model.gguf", []byte(data))
			for _, args := range [][]string{{"inspect", other}, {"tokenize", "-m", other}, {"run", "-m", other, "hi"}} {
				r := quire(t, args...)
				assert.Equal(t, 1, r.code, args[0])
				assert.Contains(t, r.stderr, says, args[0])
				assert.Equal(t, data == "", strings.Contains(r.stderr, "damaged"), r.stderr)
			}
		})
	}
}

func TestShardsAndAdapters(t *testing.T) {
	for says, m := range map[string]tiny.Model{
		"shard 1 of 2": {Meta: map[string]any{"split.no": uint16(0), "split.count": uint16(2), "split.tensors.count": int32(30)}},
		"shard 1 of 3": {NoTensors: true, Meta: map[string]any{"split.no": uint16(0), "split.count": uint16(3), "split.tensors.count": int32(20)}},
		"shard 2 of 2": {Drop: []string{"general.architecture", "tokenizer.ggml.model"}, Meta: map[string]any{"split.no": uint16(1), "split.count": uint16(2)}},
		"LoRA adapter": {Meta: map[string]any{"general.type": "adapter"}},
	} {
		path := file(t, "model.gguf", m.Bytes(t))
		r := quire(t, "run", "-m", path, "hi")
		assert.Equal(t, 1, r.code)
		assert.Contains(t, r.stderr, says)
		assert.Contains(t, strings.Join(inspect(t, path).Problems, "\n"), says)
	}
}

// What is not used is told on stderr and by inspect.
func TestWarnings(t *testing.T) {
	m := tiny.Model{Meta: map[string]any{"llama.favourite_colour": "green", "tokenizer.ggml.padding_token_id": uint32(32000),
		"tokenizer.ggml.merges": []string{"a b", "c d"}}}
	path := file(t, "model.gguf", m.Bytes(t))
	r := quire(t, "run", "-m", path, "--raw", "--max-tokens", "1", "--json", "hi").ok(t)
	assert.Contains(t, r.stderr, `warning: `+path+`: llama.favourite_colour is "green"`)
	assert.NotContains(t, r.stdout, "colour")

	warnings := inspect(t, path).Warnings
	require.Len(t, warnings, 3)
	assert.Contains(t, warnings[0], "tokenizer.ggml.padding_token_id is 32000")
	assert.Contains(t, warnings[1], `tokenizer.ggml.merges: 2 of 2 merges need a token that the vocabulary lacks, the first is "a b"`)
	assert.Contains(t, warnings[2], "llama.favourite_colour")
	text := quire(t, "inspect", path).ok(t).stdout
	assert.Contains(t, text, "\nNot used:\n  tokenizer.ggml.padding_token_id is 32000")
	assert.Contains(t, text, "\nThis model runs.\n")
	assert.Empty(t, inspect(t, builtIn).Warnings)
}
