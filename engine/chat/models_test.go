package chat

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/gguf"
	"quire/tests/testdata"
)

func modelTemplate(t testing.TB, file, bos, eos string) *Template {
	t.Helper()
	f, size := testdata.Open(t, file)
	defer f.Close()
	header, err := gguf.Read(f, size)
	require.NoError(t, err)
	text, ok, err := header.Metadata.String("tokenizer.chat_template")
	require.NoError(t, err)
	require.True(t, ok)
	template, err := New(text, bos, eos)
	require.NoError(t, err)
	return template
}

// TestModelTemplates renders the conversations of the golden files with the models' own templates.
func TestModelTemplates(t *testing.T) {
	tales := func(t *testing.T) *Template {
		return modelTemplate(t, "models/quire-tales.gguf", "<|endoftext|>", "<|endoftext|>")
	}
	smol := func(t *testing.T) *Template {
		return modelTemplate(t, "models/SmolLM2-135M-Instruct.Q4_1.gguf", "<|im_start|>", "<|im_end|>")
	}
	for _, c := range []struct {
		golden   string
		template func(t *testing.T) *Template
		messages []Message
	}{
		{"quire-tales/turns", tales, []Message{
			{Role: "user", Content: "Hello!"},
			{Role: "assistant", Content: "Hi there! I know many stories. Would you like one?"},
			{Role: "user", Content: "Yes, about a robot named Widget."},
		}},
		{"smollm2-135m/gravity", smol, []Message{{Role: "user", Content: "Why do things fall down?"}}},
		{"smollm2-135m/turns", smol, []Message{
			{Role: "system", Content: "Answer briefly."},
			{Role: "user", Content: "Name a fruit."},
			{Role: "assistant", Content: "An apple."},
			{Role: "user", Content: "And a vegetable that is orange?"},
		}},
	} {
		t.Run(c.golden, func(t *testing.T) {
			var golden struct{ Text string }
			require.NoError(t, json.Unmarshal(testdata.Bytes(t, "golden/"+c.golden+".json"), &golden))
			got, err := c.template(t).Render(c.messages, Options{AddGenerationPrompt: true})
			require.NoError(t, err)
			assert.Equal(t, golden.Text, got)
		})
	}
}

func TestRenderVariables(t *testing.T) {
	template, err := New("{{ bos_token }}{{ eos_token }}{{ add_generation_prompt }}{{ tools is none }}{{ mood }}"+
		"{% for m in messages %}{{ m.role }}:{{ m.content }}:{{ m.name }};{% endfor %}", "<s>", "</s>")
	require.NoError(t, err)
	got, err := template.Render([]Message{{Role: "user", Content: "x", Fields: map[string]any{"name": "Ann"}}, {Role: "tool"}},
		Options{Extra: map[string]any{"mood": "fine"}})
	require.NoError(t, err)
	assert.Equal(t, "<s></s>FalseTruefineuser:x:Ann;tool::;", got)

	template, err = New("{{ tools|tojson }}{{ messages[0].content[0].text }}", "", "")
	require.NoError(t, err)
	got, err = template.Render(
		[]Message{{Role: "user", Content: []any{map[string]any{"type": "text", "text": "hi"}}}},
		Options{Tools: json.RawMessage(`[{"z":1,"a":[1.5,"ü"]}]`)})
	require.NoError(t, err)
	assert.Equal(t, `[{"z": 1, "a": [1.5, "ü"]}]hi`, got)
}
