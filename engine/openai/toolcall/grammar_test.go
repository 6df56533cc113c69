package toolcall

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/grammar"
)

// heldTools are tools whose arguments are of many kinds.
var heldTools = []Tool{
	{Name: "now"},
	{Name: "get_weather", Parameters: []byte(`{"type": "object", "properties": {
		"place": {"type": "string", "minLength": 1, "maxLength": 20}, "days": {"type": "integer", "minimum": 1, "maximum": 14}, "units": {"enum": ["C", "F"]},
		"exact": {"type": "boolean"}}, "required": ["place", "days"], "additionalProperties": false}`)},
	{Name: "write-file", Parameters: []byte(`{"type": "object", "properties": {
		"path": {"type": "string", "pattern": "^[a-z/]+\\.[a-z]{1,4}$"}, "text": {"type": "string"}, "mode": {"type": ["integer", "null"], "minimum": 0},
		"note": {"type": ["string", "null"]}, "limit": {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 100}]}, "free": {}},
		"required": ["path", "text", "note", "limit"]}`)},
	{Name: "nested_2", Parameters: []byte(`{"type": "object", "properties": {
		"where": {"$ref": "#/$defs/point"}, "tags": {"type": "array", "items": {"type": "string", "maxLength": 8}, "minItems": 1, "maxItems": 3},
		"tree": {"$ref": "#/$defs/tree"}, "when": {"type": "string", "format": "date-time"}, "flags": {"type": "object", "additionalProperties": {"type": "boolean"}, "maxProperties": 2}},
		"$defs": {"point": {"type": "object", "properties": {"lat": {"type": "number"}, "odd name": {"const": "a\"b"}}, "required": ["lat", "odd name"], "additionalProperties": false},
			"tree": {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}, "value": {"enum": [null, true, 5, "five"]}}, "required": ["value"], "additionalProperties": false}},
		"required": ["where", "tags", "tree"], "additionalProperties": false}`)},
	{Name: "plan", Parameters: []byte(`{"$ref": "#plan", "$defs": {"plan": {"$anchor": "plan", "type": "object", "properties": {
		"day": {"type": "string", "format": "date"}, "stay": {"type": "object", "properties": {"day": {"type": "string", "format": "date"}}, "required": ["day"], "additionalProperties": false},
		"code": {"enum": ["12", 0]}}, "required": ["day", "stay", "code"], "additionalProperties": false}}}`)},
	{Name: "choose", Parameters: []byte(`{"anyOf": [{"properties": {"c": {"enum": ["-0", "null", "x"]}}, "required": ["c"], "additionalProperties": false},
		{"properties": {"c": {"anyOf": [{"type": "string", "maxLength": 0}, {"not": {"type": ["string", "null"]}}]}, "d": {"const": "1"}}, "required": ["c", "d"], "additionalProperties": false}]}`)},
	{Name: "either", Parameters: []byte(`{"anyOf": [{"properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": false},
		{"properties": {"b": {"type": "string", "maxLength": 9}}, "required": ["b"], "additionalProperties": false}]}`)},
}

// schemasOf compiles the tools' schemas, by name.
func schemasOf(t *testing.T, tools []Tool) map[string]*jsonschema.Schema {
	all := map[string]*jsonschema.Schema{}
	for _, tool := range tools {
		source := tool.Parameters
		if source == nil {
			source = []byte(`{"maxProperties": 0}`)
		}
		parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(source))
		require.NoError(t, err)
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		require.NoError(t, c.AddResource("s.json", parsed))
		all[tool.Name], err = c.Compile("s.json")
		require.NoError(t, err)
	}
	return all
}

// marked is a vocabulary of all bytes, the marks of a format, and pieces of what calls are made of.
func marked(f Format) (v *grammar.Vocabulary, tokens [][]byte) {
	for b := range 256 {
		tokens = append(tokens, []byte{byte(b)})
	}
	for _, text := range append(f.Marks(), `{"`, `":`, `": `, `", "`, `"}`, `"}}`, "null", "true", "False", "\n\n", "None", " a", "<", "</", "日", "\n<", "]]>", `\u00`, "name", "wea", "12", "```") {
		tokens = append(tokens, []byte(text))
	}
	tokens = append(tokens, []byte("<end>"))
	end := int32(len(tokens) - 1)
	return grammar.NewVocabulary(tokens, []int32{end}, nil), tokens
}

// drawer draws texts of a format. It keeps the grammars that it has compiled.
type drawer struct {
	f        Format
	v        *grammar.Vocabulary
	tokens   [][]byte
	rnd      *rand.Rand
	matchers map[string]*grammar.Matcher
}

func newDrawer(f Format, seed int) *drawer {
	v, tokens := marked(f)
	return &drawer{f, v, tokens, rand.New(rand.NewPCG(uint64(seed), 1)), map[string]*grammar.Matcher{}}
}

// draw draws tokens at random among those that may come, until the text ends. Behind some it would rather end than go on.
func (d *drawer) draw(t *testing.T, source string) string {
	f, v, tokens, rnd := d.f, d.v, d.tokens, d.rnd
	if d.matchers[source] == nil {
		g, err := grammar.Compile(grammar.GBNF, source, grammar.Limits{})
		require.NoError(t, err, source)
		d.matchers[source] = g.Matcher(v)
	}
	m := d.matchers[source].Clone()
	end := int32(v.Size() - 1)
	mask := make([]uint32, v.MaskWords())
	endings := []string{`"`, `<|"|>`, "<escape>", "}", "]", ")", "<|end|>"}
	if p := f.spelling; p != nil {
		_, behind, _ := strings.Cut(p.call, "{arguments}")
		endings = append(endings, behind+p.close, p.close)
		if len(p.arguments) > 3 {
			endings = append(endings, p.arguments[3], p.arguments[5])
		}
	}
	if f.thinking != nil {
		endings = append(endings, f.thinking.close)
	}
	var out []byte
	if p := f.spelling; p != nil && rnd.IntN(2) == 0 { // a call at once, where it may come
		before, _, _ := strings.Cut(p.open+p.call, "{name}")
		if m.AcceptBytes([]byte(before)) {
			out = append(out, before...)
		}
	}
	patience := rnd.IntN(80)
	for step := 0; step < 2000; step++ {
		require.NoError(t, m.Mask(mask))
		if step > patience {
			if mask[end>>5]>>(end&31)&1 != 0 {
				return string(out)
			}
			took := false
			for _, i := range rnd.Perm(len(endings)) {
				if took = endings[i] != "" && m.AcceptBytes([]byte(endings[i])); took {
					out = append(out, endings[i]...)
					break
				}
			}
			if took {
				continue
			}
		}
		var allowed []int32
		for id := range int32(v.Size()) {
			if mask[id>>5]>>(id&31)&1 != 0 {
				allowed = append(allowed, id)
			}
		}
		require.NotEmpty(t, allowed, "a dead end behind %q", out)
		id := allowed[rnd.IntN(len(allowed))]
		require.True(t, m.Accept(id))
		if id == end {
			return string(out)
		}
		out = append(out, tokens[id]...)
	}
	t.Fatalf("no end behind %q", out[:200])
	return ""
}

// draws is how many texts are drawn of each kind; in a tab, which is slow, fewer.
func draws(n int) int {
	switch {
	case os.Getenv("QUIRE_ALL") != "":
		return 10 * n
	case runtime.GOOS == "js":
		return 1 + n/6
	}
	return n
}

// TestRequiredCalls: in each syntax, and each spelling of it, whatever the model would say is a call of one of the tools, whose
// arguments are valid.
func TestRequiredCalls(t *testing.T) {
	schemas := schemasOf(t, heldTools)
	for i := range syntaxes {
		s := &syntaxes[i]
		spelled := make([]*spelling, max(1, len(s.spelled)))
		for j := range s.spelled {
			spelled[j] = &s.spelled[j]
		}
		require.True(t, len(s.spelled) > 0 || s.messages != nil, "%s has no spelling", s.name)
		for j, p := range spelled {
			for _, thinking := range []*thinking{nil, thinkingOf(s)} {
				f := Format{syntax: s, spelling: p, thinking: thinking}
				d := newDrawer(f, i<<8|j)
				for n := range draws(6) {
					prompt := ""
					if thinking != nil {
						prompt = []string{"", thinking.open + "\n", thinking.close}[n%3]
					}
					w := Wanted{Tools: heldTools, Required: true, Single: n%2 == 0}
					if n%5 == 0 {
						w.Tools = heldTools[1:2]
					}
					w.Thoughtless = n%4 == 1
					got := checkCalls(t, d, prompt, w, schemas)
					if w.Thoughtless {
						require.Empty(t, got.Reasoning)
					}
				}
			}
		}
	}
}

func checkCalls(t *testing.T, d *drawer, prompt string, w Wanted, schemas map[string]*jsonschema.Schema) answerText {
	f := d.f
	source, err := f.Grammar(prompt, w)
	require.NoError(t, err)
	text := d.draw(t, source)
	got := parse(t, f, w.Tools, prompt, text)
	if w.Required {
		require.NotEmpty(t, got.Calls, "%s: %q", f.Name(), text)
		require.Empty(t, got.Content, "%s: %q", f.Name(), text)
	}
	if w.Single {
		require.LessOrEqual(t, len(got.Calls), 1, "%s: %q", f.Name(), text)
	}
	for _, c := range got.Calls {
		schema := schemas[c.Name]
		require.NotNil(t, schema, "%s: %q is called in %q", f.Name(), c.Name, text)
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(c.Arguments))
		require.NoError(t, err, "%s: %q in %q", f.Name(), c.Arguments, text)
		require.NoError(t, schema.Validate(value), "%s: %s in %q", f.Name(), c.Arguments, text)
	}
	return got
}

// TestFreeCalls: where a text may come instead, calls that come are as valid.
func TestFreeCalls(t *testing.T) {
	schemas := schemasOf(t, heldTools)
	called := map[string]bool{}
	for i := range syntaxes {
		s := &syntaxes[i]
		f := Format{syntax: s, spelling: s.spellingOf(""), thinking: thinkingOf(s)}
		d := newDrawer(f, i)
		for range draws(10) {
			got := checkCalls(t, d, "", Wanted{Tools: heldTools}, schemas)
			called[s.name] = called[s.name] || len(got.Calls) > 0
		}
		if runtime.GOOS != "js" {
			assert.True(t, called[s.name], s.name)
		}
	}
}

// TestPlainAnswers: behind what the model thinks, an answer of a grammar is told as it is, whatever marks it holds.
func TestPlainAnswers(t *testing.T) {
	for i := range thinkings {
		f := Format{thinking: &thinkings[i], syntax: &syntaxes[3]}
		testPlain(t, f, "", thinkings[i].open+"\n", thinkings[i].close)
	}
	harmony, err := Named("harmony")
	require.NoError(t, err)
	testPlain(t, harmony, "<|start|>assistant")
	testPlain(t, Format{}, "")
}

func testPlain(t *testing.T, f Format, prompts ...string) {
	d := newDrawer(f, 1)
	thought := false
	for n := range draws(12) {
		prompt := prompts[n%len(prompts)]
		w := Wanted{Answer: Schema(`{"type": "object", "properties": {"a": {"type": "string"}, "b": {"const": "[TOOL_CALLS] <think> </think> <|end|>"}}, "required": ["a", "b"], "additionalProperties": false}`)}
		if n%2 == 1 {
			w.Answer = Regex(`[a-z"\\\n]{3} <\|end\|> [0-9]+x`)
		}
		source, err := f.Grammar(prompt, w)
		require.NoError(t, err)
		text := d.draw(t, source)
		got := parse(t, f.Plain(), nil, prompt, text)
		thought = thought || got.Reasoning != ""
		if n%2 == 1 {
			require.Regexp(t, `^[a-z"\\\n]{1,3} <\|end\|> [0-9]+x$`, got.Content, "%q", text)
			continue
		}
		var answer struct{ A, B string }
		require.NoError(t, json.Unmarshal([]byte(got.Content), &answer), "%q", text)
		require.Contains(t, answer.B, "<|end|>")
	}
	if runtime.GOOS != "js" {
		assert.Equal(t, f.Thinks(), thought)
	}
}

// TestNotCallable: what a syntax cannot write is refused by name.
func TestNotCallable(t *testing.T) {
	f, err := Named("hermes")
	require.NoError(t, err)
	var refused *ToolError
	_, err = f.Grammar("", Wanted{Tools: []Tool{heldTools[0], {Name: "two words"}}})
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, 1, refused.Index)
	f, err = Named("lfm2")
	require.NoError(t, err)
	source, err := f.Grammar("", Wanted{Tools: []Tool{{Name: "a", Parameters: []byte(`{"properties": {"odd name": {"type": "string"}}}`)}}})
	require.NoError(t, err)
	_, err = grammar.Compile(grammar.GBNF, source, grammar.Limits{})
	assert.ErrorContains(t, err, `schema tool-0, #/properties/odd name: a property of the name "odd name" cannot be written`)
}
