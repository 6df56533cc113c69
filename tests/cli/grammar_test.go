//go:build !js

package cli

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a schema, a grammar or a regular expression says holds, from a flag and from lines of --prompts; what cannot be is told.
func TestGrammars(t *testing.T) {
	schema := file(t, "schema.json", []byte(`{"type":"object","properties":{"fox":{"type":"boolean"},"n":{"type":"integer","minimum":0,"maximum":9}},"required":["fox","n"],"additionalProperties":false}`))
	got := quire(t, "run", "--schema", schema, "--seed", "1", "A fox").ok(t)
	var value struct {
		Fox *bool `json:"fox"`
		N   *int  `json:"n"`
	}
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &value), got.stdout)
	assert.NotNil(t, value.Fox)
	assert.NotNil(t, value.N)

	lines := `{"prompt": "A"}` + "\n" + `{"prompt": "A", "json_schema": {"const": "kite"}}` + "\n" + `{"prompt": "A", "grammar": "root ::= \"no\""}` + "\n"
	all := objects(t, quireWith(t, lines, "run", "--prompts", "-", "--json", "--regex", "[0-9]{3}", "--max-tokens", "9").ok(t))
	assert.Regexp(t, "^[0-9]{3}$", all[0].Text)
	assert.Equal(t, []string{`"kite"`, "no"}, []string{all[1].Text, all[2].Text})

	for says, flags := range map[string][]string{
		"--schema and --regex do not go together":          {"run", "--schema", schema, "--regex", "a", "A"},
		"--regex: regular expression: character 3: a (":    {"run", "--regex", "a(", "A"},
		"#/properties/a/$dynamicRef":                       {"run", "--schema", file(t, "bad.json", []byte(`{"properties":{"a":{"$dynamicRef":"#b"}}}`)), "A"},
		"empty.json: it is empty":                          {"run", "--schema", file(t, "empty.json", nil), "A"},
		"root is not defined":                              {"run", "--grammar", file(t, "bad.gbnf", []byte(`a ::= "b"`)), "A"},
		"stdin is read once":                               {"run", "--schema", "-"},
		`of "json_schema", "grammar" and "regex" only one`: {"run", "--prompts", file(t, "lines", []byte(`{"prompt": "A", "regex": "a", "grammar": "b"}`))},
	} {
		r := quire(t, flags...)
		assert.NotZero(t, r.code, says)
		assert.Contains(t, r.stderr, says)
	}
}
