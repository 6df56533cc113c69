package main

import (
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every entity is in the text with its value, and what the text stands for in the program is what package html makes of it.
func TestEntities(t *testing.T) {
	text, err := entities(entitiesFile())
	require.NoError(t, err)
	var asked, want []string
	for entity := range strings.SplitSeq(strings.TrimSuffix(text, endOfValue), endOfValue) {
		name, value, ok := strings.Cut(entity, endOfName)
		require.True(t, ok, entity)
		require.Equal(t, html.UnescapeString("&"+name), value, name)
		asked, want = append(asked, "&"+name), append(want, value)
	}
	assert.Equal(t, 2229, len(asked))
	t.Chdir("../../..")
	folder := t.TempDir()
	require.NoError(t, overlay(folder))
	program := filepath.Join(folder, "main.go")
	require.NoError(t, os.WriteFile(program, []byte("package main\n\nimport (\n\t\"html\"\n\t\"os\"\n)\n\nfunc main() { print(html.UnescapeString(os.Args[1])) }\n"), 0o644))
	out, err := exec.Command("go", "run", "-overlay", filepath.Join(folder, "overlay.json"), program, strings.Join(asked, "|")).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.True(t, strings.Join(want, "|") == string(out), "what the program unescapes")
}
