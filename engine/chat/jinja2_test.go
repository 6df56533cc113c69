package chat

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// render renders with plain variables, as tests of the language want it.
func render(text string, vars map[string]any, now time.Time) (out string, err error) {
	template, err := New(text, "", "")
	if err != nil {
		return "", err
	}
	defer recoverError(&err)
	return template.render(vars, now), nil
}

// TestAgainstJinja2 compares the language with what Jinja2 itself gives for the same templates.
func TestAgainstJinja2(t *testing.T) {
	data, err := os.ReadFile("testdata/jinja2.json")
	require.NoError(t, err)
	var golden struct {
		Clock time.Time
		Data  map[string]json.RawMessage
		Cases []struct {
			Template, Text string
			Fails          bool
		}
	}
	require.NoError(t, json.Unmarshal(data, &golden))
	require.NotEmpty(t, golden.Cases)
	for _, c := range golden.Cases {
		vars := map[string]any{}
		for name, value := range golden.Data {
			vars[name] = toValue(value)
		}
		got, err := render(c.Template, vars, golden.Clock)
		if c.Fails {
			assert.ErrorIs(t, err, ErrTemplate, "%s", c.Template)
			continue
		}
		if assert.NoError(t, err, "%s", c.Template) {
			assert.Equal(t, c.Text, got, "%s", c.Template)
		}
	}
}
