package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScripts(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		return string(text)
	}
	source := "// Says a.\nexport const made = (first) => {\n    // ` \" '\n    return `a\n    // ${first} /* b */`;\n};\n"
	write("own.js", source)
	write("store/own.js", "/** What. */\nnew Worker(new URL('./worker.js', import.meta.url), {type: 'module'});\n")
	write("wasm_exec.js", source)
	write("libraries/other.js", source)
	write("own.css", "/* a */")
	require.NoError(t, scripts(folder))
	assert.Equal(t, "export const made=first=>`a\n    // ${first} /* b */`;\n", read("own.js"))
	assert.Equal(t, "new Worker(new URL(\"./worker.js\",import.meta.url),{type:\"module\"});\n", read("store/own.js"))
	assert.Equal(t, source, read("wasm_exec.js"))
	assert.Equal(t, source, read("libraries/other.js"))
	assert.Equal(t, "/* a */", read("own.css"))
	write("bad.js", "export const = 1;\n")
	assert.ErrorContains(t, scripts(folder), "bad.js: line 1: ")
}
