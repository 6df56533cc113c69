package toolcall

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var testTools = []Tool{
	{Name: "get_weather", Parameters: []byte(`{"type": "object", "properties": {
		"place": {"type": "string"}, "days": {"type": "integer"}, "units": {"enum": ["C", "F"]},
		"where": {"type": "object", "properties": {"lat": {"type": "number"}, "lon": {"type": ["number", "null"]}}},
		"tags": {"type": "array", "items": {"type": "string"}}, "exact": {"type": "boolean"}, "note": {"type": ["string", "null"]},
		"limit": {"anyOf": [{"type": "number"}, {"type": "string"}]}, "near": {"$ref": "#/$defs/point"}, "code": {"$ref": "#/$defs/code"}},
		"$defs": {"point": {"type": "object"}, "code": {"allOf": [{"type": "string"}]}}, "required": ["place"]}`)},
	{Name: "now", Parameters: []byte(`{"type": "object", "properties": {}}`)},
	{Name: "write-file.v2", Parameters: []byte(`{"type": "object", "properties": {"path": {"type": "string"}, "text": {"type": "string"}}}`)},
}

// answerText is what an answer comes to.
type answerText struct {
	Content, Reasoning string
	Calls              []Call
}

// join puts deltas together, and checks what holds for all of them.
func join(t *testing.T, deltas []Delta) answerText {
	t.Helper()
	var a answerText
	ids := map[string]bool{}
	for _, d := range deltas {
		if c := d.Call; c != nil {
			require.Empty(t, d.Content+d.Reasoning, "one thing at a time")
			if c.Index == len(a.Calls) {
				require.NotEmpty(t, c.Name)
				require.NotEmpty(t, c.ID)
				require.False(t, ids[c.ID], "ids are unique")
				ids[c.ID] = true
				a.Calls = append(a.Calls, Call{Index: c.Index, Name: c.Name})
			} else {
				require.Equal(t, len(a.Calls)-1, c.Index)
				require.Empty(t, c.Name+c.ID, "a name comes once")
				require.NotEmpty(t, c.Arguments)
			}
			a.Calls[c.Index].Arguments += c.Arguments
			continue
		}
		require.True(t, (d.Content == "") != (d.Reasoning == ""), "one thing at a time")
		a.Content += d.Content
		a.Reasoning += d.Reasoning
	}
	return a
}

// parse gives a parser the pieces of a text.
func parse(t *testing.T, f Format, tools []Tool, prompt string, pieces ...string) answerText {
	t.Helper()
	p := f.Parser(tools)
	p.Prompt(prompt)
	var deltas []Delta
	for _, piece := range pieces {
		deltas = append(deltas, p.Push(piece)...)
	}
	deltas = append(deltas, p.Finish()...)
	a := join(t, deltas)
	require.Equal(t, len(a.Calls), p.Calls())
	if utf8.ValidString(strings.Join(pieces, "")) {
		for _, d := range deltas {
			require.True(t, utf8.ValidString(d.Content+d.Reasoning), "half a code point: %q", d)
			require.True(t, d.Call == nil || utf8.ValidString(d.Call.Arguments), "half a code point: %q", d.Call)
		}
	}
	return a
}

// parseEveryCut parses a text whole, cut once at every byte, and byte by byte.
func parseEveryCut(t *testing.T, f Format, tools []Tool, prompt, text string) answerText {
	t.Helper()
	whole := parse(t, f, tools, prompt, text)
	step := 1
	if runtime.GOOS == "js" {
		step = 23 // a tab is slow, and the code is the same
	}
	for i := 1; i < len(text); i += step {
		require.Equal(t, whole, parse(t, f, tools, prompt, text[:i], text[i:]), "cut at byte %d", i)
	}
	require.Equal(t, whole, parse(t, f, tools, prompt, strings.Split(text, "")...), "letter by letter")
	var bytes []string
	for i := range len(text) {
		bytes = append(bytes, text[i:i+1])
	}
	require.Equal(t, whole, parse(t, f, tools, prompt, bytes...), "byte by byte")
	return whole
}

// TestFamilies parses texts of each family: testdata/FORMAT.txt has cases of a title, a text, and what it comes to.
func TestFamilies(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	require.NoError(t, err)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) {
			format, err := Named(name)
			require.NoError(t, err)
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			cases := strings.Split("\n"+string(data), "\n### ")[1:]
			require.GreaterOrEqual(t, len(cases), 20)
			for _, c := range cases {
				title, rest, _ := strings.Cut(c, "\n")
				text, want, ok := strings.Cut(rest, "\n---")
				require.True(t, ok, title)
				t.Run(title, func(t *testing.T) { testFamily(t, format, text, strings.Split(want, "\n")) })
			}
		})
	}
}

func testFamily(t *testing.T, format Format, text string, want []string) {
	prompt, tools := "", testTools
	var expected answerText
	for _, line := range want {
		word, rest, _ := strings.Cut(line, " ")
		quoted := func() (s string) {
			require.NoError(t, json.Unmarshal([]byte(rest), &s), line)
			return s
		}
		switch word {
		case "":
		case "prompt":
			prompt = quoted()
		case "without": // tools
			tools = nil
		case "content":
			expected.Content = quoted()
		case "reasoning":
			expected.Reasoning = quoted()
		case "call", "cut": // a cut call has no whole arguments
			name, arguments, _ := strings.Cut(rest, " ")
			expected.Calls = append(expected.Calls, Call{Index: len(expected.Calls), Name: name, Arguments: arguments})
			assert.Equal(t, word == "call", json.Valid([]byte(arguments)), line)
		default:
			t.Fatal(line)
		}
	}
	got := parseEveryCut(t, format, tools, prompt, text)
	for i := range min(len(got.Calls), len(expected.Calls)) {
		if same(got.Calls[i].Arguments, expected.Calls[i].Arguments) {
			got.Calls[i].Arguments = expected.Calls[i].Arguments
		}
	}
	assert.Equal(t, expected, got)
}

// same says whether two texts are the same JSON.
func same(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && assert.ObjectsAreEqual(x, y)
}

// TestNames: a format is found by its name, in any spelling of it, and by what vLLM calls its parser; others are refused by name.
func TestNames(t *testing.T) {
	for _, name := range Names() {
		f, err := Named(name)
		require.NoError(t, err)
		assert.Equal(t, name, f.Name())
		assert.True(t, f.Calls())
	}
	for alias, name := range map[string]string{"qwen3_coder": "qwen3-coder", "llama3_json": "llama3", "deepseek_v31": "deepseek", "phi4_mini_json": "phi", "gpt-oss": "harmony", "Hermes": "hermes"} {
		f, err := Named(alias)
		require.NoError(t, err)
		assert.Equal(t, name, f.Name())
	}
	for _, alias := range aliases {
		_, err := Named(alias[1])
		assert.NoError(t, err)
	}
	_, err := Named("elvish")
	assert.ErrorContains(t, err, `"elvish"; there are apertus, `)
	assert.False(t, Format{}.Calls())
	assert.Empty(t, Format{}.Name())
}

// TestIDs: Mistral's templates want ids of nine letters and digits, of which a model's own is taken where it comes first.
func TestIDs(t *testing.T) {
	ids := func(name, text string) (ids []string) {
		f, err := Named(name)
		require.NoError(t, err)
		p := f.Parser(testTools)
		for _, d := range append(p.Push(text), p.Finish()...) {
			if d.Call != nil && d.Call.ID != "" {
				ids = append(ids, d.Call.ID)
			}
		}
		return ids
	}
	mistral := ids("mistral", `[TOOL_CALLS][{"id": "abcdef123", "name": "now", "arguments": {}}, {"name": "now", "id": "abcdef123"}, {"name": "now", "id": "short"}]`)
	require.Len(t, mistral, 3)
	assert.Equal(t, "abcdef123", mistral[0])
	for _, id := range mistral {
		assert.Regexp(t, "^[a-zA-Z0-9]{9}$", id)
	}
	hermes := ids("hermes", `<tool_call>{"name": "now", "id": "abcdef123"}</tool_call>`)
	require.Len(t, hermes, 1)
	assert.Regexp(t, "^call_[a-zA-Z0-9]{24}$", hermes[0])
}
