//go:build !windows

package main

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/engine/gpu"
)

func TestQuoteForShell(t *testing.T) {
	for path, want := range map[string]string{
		"tales.gguf":    "tales.gguf",
		"a/b-c_1.gguf":  "a/b-c_1.gguf",
		"my tales.gguf": "'my tales.gguf'",
		"$HOME;x":       "'$HOME;x'",
		"fox's.gguf":    `'fox'\''s.gguf'`,
		"~/m":           "'~/m'",
	} {
		assert.Equal(t, want, quoteForShell(path))
	}
}

func TestTrainExplainsMemory(t *testing.T) {
	err := (&trainCommand{}).explain(fmt.Errorf("train: %w", &gpu.MemoryError{Label: "parameters"}))
	assert.Regexp(t, "^gpu: out of memory: parameters .*; lower --batch", err.Error())
	assert.NotErrorIs(t, err, gpu.ErrOutOfMemory, "whose advice is on running models")
	other := errors.New("train: other")
	assert.Equal(t, other, (&trainCommand{}).explain(other))
}

func TestTrainShrinks(t *testing.T) {
	for prompt, want := range map[string]int{"A fox": 64, fmt.Sprintf("%64s", "x"): 256} {
		c := parsed(t, "train", "--data", "x", "--prompt", prompt).Train
		assert.NoError(t, c.check())
		assert.NoError(t, c.shrink())
		assert.Equal(t, want, c.config.Length)
	}
}
