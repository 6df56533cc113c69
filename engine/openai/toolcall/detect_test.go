//go:build !js

package toolcall

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/testdata"
	"quire/tests/venv"
)

// TestPublishedTemplates recognises the formats of the templates of published models, and renders their calls anew. The templates are
// not ours to keep: QUIRE_TEMPLATES names a folder of *.jinja.
func TestPublishedTemplates(t *testing.T) {
	folder := os.Getenv("QUIRE_TEMPLATES")
	if folder == "" && os.Getenv("QUIRE_ALL") == "" {
		t.Skip("downloads 77 MB and Jinja2: set QUIRE_ALL=1")
	}
	interpreter := venv.Python(t, "jinja2==3.1.6")
	if folder == "" {
		folder = t.TempDir()
		out, err := exec.Command(interpreter, "-c", `import sys; sys.path.insert(0, "../../chat/testdata"); import sdist; sdist.download(sys.argv[1])`, folder).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	found := 0
	for name, want := range published {
		template, err := os.ReadFile(filepath.Join(folder, name+".jinja"))
		if !assert.NoError(t, err) {
			continue
		}
		found++
		f, open := Detect(string(template)), ""
		if f.thinking != nil {
			open = f.thinking.open
		}
		assert.Equal(t, want, [2]string{f.Name(), open}, name)
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.jinja"))
	require.NoError(t, err)
	assert.Equal(t, len(files), found, "templates that nobody looked at")
	script := exec.Command(interpreter, "testdata/templates.py", folder)
	script.Stderr = os.Stderr
	rendered, err := script.Output()
	require.NoError(t, err)
	kept, err := os.ReadFile("testdata/templates.json")
	require.NoError(t, err)
	assert.True(t, bytes.Equal(kept, rendered), "testdata/templates.json is not what testdata/templates.py writes")
}

// TestTemplates recognises the formats of templates of the shared data.
func TestTemplates(t *testing.T) {
	path, err := testdata.Path("chat-templates/hf_jinja_e2e.json")
	require.NoError(t, err)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var templates []struct {
		Name     string
		Template string `json:"chat_template"`
	}
	require.NoError(t, json.Unmarshal(data, &templates))
	want := map[string][2]string{
		"mistralai/Mistral-7B-Instruct-v0.3 (JSON Schema)":   {"mistral", ""},
		"NousResearch/Hermes-2-Pro-Llama-3-8B (JSON Schema)": {"hermes", ""},
		"mistralai/Mistral-Nemo-Instruct-2407":               {"mistral", ""},
		"deepseek-ai/DeepSeek-R1":                            {"deepseek", "<think>"},
		"Qwen/Qwen2.5-7B-Instruct":                           {"hermes", ""},
		"Qwen/Qwen3.5-4B":                                    {"qwen3-coder", "<think>"},
		"openbmb/MiniCPM3-4B":                                {"lfm2", "<|thought_start|>"},
		"ai21labs/AI21-Jamba-Large-1.6":                      {"tool_calls", ""},
		"CohereLabs/command-a-reasoning-08-2025":             {"cohere", "<|START_THINKING|>"},
		"moonshotai/Kimi-K2-Thinking":                        {"kimi", "<think>"},
		"zai-org/GLM-5.1":                                    {"glm", "<think>"},
	}
	seen := 0
	for _, c := range templates {
		_, name, _ := strings.Cut(c.Name, ":")
		f, open := Detect(c.Template), ""
		if f.thinking != nil {
			open = f.thinking.open
		}
		if expected, ok := want[name]; ok {
			seen++
			assert.Equal(t, expected, [2]string{f.Name(), open}, name)
		} else {
			assert.Equal(t, Format{}, f, name)
		}
	}
	assert.Equal(t, len(want), seen)
}
