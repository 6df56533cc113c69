//go:build !js

package cli

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"quire/tests/tiny"
)

// Variables of the chat template come from a flag, a line of --prompts, and a chat's /params.
func TestTemplateVariables(t *testing.T) {
	model := file(t, "script.gguf", tiny.Script(t, "script", `{{ word or "rain" }}`, []string{"sun", "It", " shines."}, []string{"rain", "We", " wait."}))
	sun := []string{"--chat-template-kwargs", `{"word": "sun"}`, "-m", model, "--temperature", "0", "--max-tokens", "8"}

	lines := `{"prompt": "A"}` + "\n" + `{"prompt": "A", "chat_template_kwargs": {"word": "rain"}}` + "\n"
	all := objects(t, quireWith(t, lines, append([]string{"run", "--prompts", "-", "--json"}, sun...)...).ok(t))
	assert.Equal(t, []string{"It shines.", "We wait."}, []string{all[0].Text, all[1].Text})

	said := quireWith(t, "A\n/params chat_template_kwargs none\nB\n", append([]string{"chat", "--no-history"}, sun...)...).ok(t)
	assert.Equal(t, "It shines.\n\nWe wait.\n", said.stdout)

	for says, flags := range map[string][]string{
		"--chat-template-kwargs must be an object in JSON": {"run", "--chat-template-kwargs", "word=sun", "A"},
		"--chat-template-kwargs goes without --raw":        {"run", "--chat-template-kwargs", "{}", "--raw", "A"},
		"chat_template_kwargs must be an object in JSON":   {"run", "--prompts", file(t, "lines", []byte(`{"prompt": "A", "chat_template_kwargs": [1]}`))},
	} {
		r := quire(t, flags...)
		assert.NotZero(t, r.code, says)
		assert.Contains(t, r.stderr, says)
	}
}
