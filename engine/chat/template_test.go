package chat

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/testdata"
)

// TestHuggingFaceTemplates renders the templates of published models as Hugging Face does.
func TestHuggingFaceTemplates(t *testing.T) {
	var cases []struct {
		Name     string                     `json:"name"`
		Template string                     `json:"chat_template"`
		Data     map[string]json.RawMessage `json:"data"`
		Target   string                     `json:"target"`
	}
	require.NoError(t, json.Unmarshal(testdata.Bytes(t, "chat-templates/hf_jinja_e2e.json"), &cases))
	require.Len(t, cases, 32)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			template, err := New(c.Template, "", "")
			require.NoError(t, err)
			vars := map[string]any{}
			for name, value := range c.Data {
				vars[name] = toValue(value)
			}
			var got string
			func() {
				defer recoverError(&err)
				got = template.render(vars, time.Date(2025, 7, 10, 12, 0, 0, 0, time.UTC))
			}()
			require.NoError(t, err)
			assert.Equal(t, c.Target, got)
		})
	}
}
