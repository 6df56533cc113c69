package chat

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestMessages: templates see what callers give: keys in their order where that is known, integers as integers, and no content where
// there is none.
func TestMessages(t *testing.T) {
	type arguments struct {
		Zip  string `json:"zip"`
		Days int    `json:"days"`
		Big  uint64 `json:"big"`
	}
	var decoded any
	require.NoError(t, json.Unmarshal([]byte(`{"n": 3, "x": 1.5, "list": [100000, 1e21]}`), &decoded))
	for name, c := range map[string]struct {
		message Message
		want    string
	}{
		"no content":         {Message{Role: "user"}, `{"role": "user"}|False|`},
		"none":               {Message{Role: "user", Fields: map[string]any{"content": nil}}, `{"role": "user", "content": null}|True|None`},
		"empty":              {Message{Role: "user", Content: ""}, `{"role": "user", "content": ""}|True|`},
		"raw JSON":           {Message{Role: "user", Content: "A", Fields: map[string]any{"t": json.RawMessage(`{"b": 1, "a": [2.0, 9007199254740993, 2e3]}`)}}, `{"role": "user", "content": "A", "t": {"b": 1, "a": [2.0, 9007199254740993, 2000.0]}}|True|A`},
		"raw JSON inside":    {Message{Role: "user", Fields: map[string]any{"t": []any{map[string]any{"f": json.RawMessage(`{"z":1,"a":2}`)}}}}, `{"role": "user", "t": [{"f": {"z": 1, "a": 2}}]}|False|`},
		"a struct":           {Message{Role: "user", Fields: map[string]any{"t": arguments{"x", 3, 1 << 63}}}, `{"role": "user", "t": {"zip": "x", "days": 3, "big": 9223372036854775808}}|False|`},
		"a struct inside":    {Message{Role: "user", Fields: map[string]any{"t": []any{arguments{"x", 3, 4}}}}, `{"role": "user", "t": [{"zip": "x", "days": 3, "big": 4}]}|False|`},
		"decoded JSON":       {Message{Role: "user", Fields: map[string]any{"t": decoded}}, `{"role": "user", "t": {"list": [100000, 1e+21], "n": 3, "x": 1.5}}|False|`},
		"Go's other numbers": {Message{Role: "user", Fields: map[string]any{"t": []any{int32(1), uint8(2), float32(0.5), json.Number("7")}}}, `{"role": "user", "t": [1, 2, 0.5, 7]}|False|`},
	} {
		t.Run(name, func(t *testing.T) {
			template, err := New("{% set m = messages[0] %}{{ m|tojson }}|{{ m.content is defined }}|{{ m.content }}", "", "")
			require.NoError(t, err)
			got, err := template.Render([]Message{c.message}, Options{})
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestMessageFromJSON(t *testing.T) {
	var messages []Message
	text := `[{"name": "Ann", "content": "hi", "role": "user", "b": 1, "a": {"d": 1, "c": 18446744073709551616}}, {"role": "tool", "content": null},
		{"role": "assistant"}, {"role": "user", "content": [{"type": "text", "text": "A"}]}]`
	require.NoError(t, json.Unmarshal([]byte(text), &messages))
	assert.Equal(t, "hi", messages[0].Content)
	assert.Nil(t, messages[2].Content)
	messages[2].Fields["z"] = 1
	template, err := New("{{ messages|tojson }}", "", "")
	require.NoError(t, err)
	got, err := template.Render(messages, Options{})
	require.NoError(t, err)
	assert.Equal(t, `[{"name": "Ann", "content": "hi", "role": "user", "b": 1, "a": {"d": 1, "c": 18446744073709551616}}, {"role": "tool", "content": null}, `+
		`{"role": "assistant", "z": 1}, {"role": "user", "content": [{"type": "text", "text": "A"}]}]`, got)
	messages[0].Content = "changed"
	got, err = template.Render(messages[:1], Options{})
	require.NoError(t, err)
	assert.Contains(t, got, `"content": "changed"`)
	for _, wrong := range []string{`{}`, `{"role": 1}`, `[]`, `null`, `"A"`} {
		var m Message
		assert.Error(t, m.UnmarshalJSON([]byte(wrong)), wrong)
	}
}

// A message is written as it was read: its keys in their order, integers with their digits, and no content where there was none.
func TestMessageIsWrittenAsItWasRead(t *testing.T) {
	for _, text := range []string{
		`{"role": "user", "content": "a\n\"b\" — <c> 漢字"}`,
		`{"content": [{"type": "text", "text": "a"}], "role": "user", "name": "ann"}`,
		`{"role": "assistant", "content": null, "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": {"z": 1180591620717411303424, "a": [1, 2.5, true, null]}}}]}`,
		`{"role": "assistant", "reasoning_content": "hm"}`,
	} {
		var m Message
		require.NoError(t, m.UnmarshalJSON([]byte(text)))
		again, err := m.MarshalJSON()
		require.NoError(t, err)
		assert.Equal(t, text, string(again))
	}
	text, err := Message{Role: "assistant", Content: "b", Fields: map[string]any{"reasoning_content": "a"}}.MarshalJSON()
	require.NoError(t, err)
	assert.Equal(t, `{"role": "assistant", "content": "b", "reasoning_content": "a"}`, string(text))
}

func FuzzMessageJSON(f *testing.F) {
	f.Add([]byte(`{"role": "user", "content": [{"type": "text", "text": "a"}], "n": 1e5, "x": {"b": null, "a": [true, -0.5]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var m, again Message
		if m.UnmarshalJSON(text) != nil {
			return
		}
		written, err := m.MarshalJSON()
		if err != nil {
			return
		}
		require.NoError(t, again.UnmarshalJSON(written), "%s", written)
		twice, err := again.MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, string(written), string(twice))
	})
}
