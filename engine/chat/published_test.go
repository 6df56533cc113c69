//go:build !js

package chat

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/tests/venv"
)

// TestPublishedTemplates renders the templates of published models over many conversations as Jinja2 does. They are not ours to keep:
// testdata/published.py downloads them, unless QUIRE_TEMPLATES names a folder of *.jinja, and asks Jinja2.
func TestPublishedTemplates(t *testing.T) {
	if os.Getenv("QUIRE_ALL") == "" {
		t.Skip("downloads 77 MB and Jinja2: set QUIRE_ALL=1")
	}
	args := []string{"testdata/published.py"}
	if folder := os.Getenv("QUIRE_TEMPLATES"); folder != "" {
		args = append(args, folder)
	}
	script := exec.Command(venv.Python(t, "jinja2==3.1.6"), args...)
	script.Stderr = os.Stderr
	data, err := script.Output()
	require.NoError(t, err)
	var golden struct {
		Clock     time.Time
		Templates []struct {
			Name, Template string
			Cases          []struct {
				Name, Text string
				Vars       map[string]json.RawMessage
				Fails      bool
			}
		}
	}
	require.NoError(t, json.Unmarshal(data, &golden))
	require.NotEmpty(t, golden.Templates)
	for _, m := range golden.Templates {
		t.Run(m.Name, func(t *testing.T) {
			for _, c := range m.Cases {
				vars := map[string]any{}
				for name, value := range c.Vars {
					vars[name] = toValue(value)
				}
				got, err := render(m.Template, vars, golden.Clock)
				if c.Fails {
					assert.ErrorIs(t, err, ErrTemplate, c.Name)
				} else if assert.NoError(t, err, c.Name) {
					assert.Equal(t, c.Text, got, c.Name)
				}
			}
		})
	}
}
