package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNameOfAServedModel(t *testing.T) {
	for text, want := range map[string][2]string{
		"":                                 {"quire-tales", ""},
		"models/small.Q4_0.gguf":           {"small.Q4_0", "models/small.Q4_0.gguf"},
		`C:\models\small.gguf`:             {"small", `C:\models\small.gguf`},
		"a=small.gguf":                     {"a", "small.gguf"},
		"a=hf:owner/repo:Q4_0":             {"a", "hf:owner/repo:Q4_0"},
		"hf:owner/repo:Q4_0":               {"owner/repo:Q4_0", "hf:owner/repo:Q4_0"},
		"hf:owner/repo/sub/model.gguf":     {"model", "hf:owner/repo/sub/model.gguf"},
		"https://example.org/a.gguf?x=1":   {"a", "https://example.org/a.gguf?x=1"},
		"b=https://example.org/a.gguf?x=1": {"b", "https://example.org/a.gguf?x=1"},
		"=small.gguf":                      {"", "small.gguf"},
	} {
		name, source := nameOf(text)
		assert.Equal(t, want, [2]string{name, source}, text)
	}
}
