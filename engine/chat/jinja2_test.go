package chat

import (
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// render renders with plain variables, as tests of the language want it.
func render(text string, vars map[string]any, now time.Time) (out string, err error) {
	return renderWithin(usualLimits, text, vars, now)
}

func renderWithin(l limits, text string, vars map[string]any, now time.Time) (out string, err error) {
	template, err := newTemplate(text, "", "", l)
	if err != nil {
		return "", err
	}
	defer recoverError(&err)
	return template.render(vars, now), nil
}

// TestAgainstJinja2 compares the language with what Jinja2 itself gives for the same templates: jinja2.json by hand, language.json made
// by language.py of everything over values of all kinds.
func TestAgainstJinja2(t *testing.T) {
	for _, name := range []string{"jinja2.json", "language.json"} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile("testdata/" + name)
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
			vars := map[string]any{}
			for name, value := range golden.Data {
				vars[name] = toValue(value)
			}
			for i, c := range golden.Cases {
				if runtime.GOOS == "js" && len(golden.Cases) > 1000 && i%10 > 0 && os.Getenv("QUIRE_ALL") == "" {
					continue // a tab is slow, and the code is the same
				}
				got, err := render(c.Template, vars, golden.Clock)
				switch {
				case c.Fails && !errors.Is(err, ErrTemplate):
					t.Errorf("%s\ngives %q, but Jinja2 fails", c.Template, got)
				case !c.Fails && err != nil:
					t.Errorf("%s\n%v", c.Template, err)
				case !c.Fails && got != c.Text:
					t.Errorf("%s\ngives %q\nwant  %q", c.Template, got, c.Text)
				}
			}
		})
	}
}
