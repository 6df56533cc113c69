package main

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestBareShaders: the Go file holds every kernel and library, and no comment.
func TestBareShaders(t *testing.T) {
	texts, err := bareTexts("../../../shaders")
	require.NoError(t, err)
	paths := map[string]bool{}
	for _, text := range texts {
		paths[text.path] = true
		for line := range strings.Lines(text.text) {
			assert.False(t, strings.Contains(line, "//") && !strings.HasPrefix(line, "//! "), "%s: %s", text.path, line)
		}
	}
	assert.True(t, paths["matmul.wgsl"] && paths["lib/weights.wgsl"])
	_, err = parser.ParseFile(token.NewFileSet(), "shaders.go", goFile(texts), 0)
	assert.NoError(t, err)
}
