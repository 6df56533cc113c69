package engine

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/chat"
)

const (
	// The usual template, which takes content as a text, and one of a model that sees pictures.
	textTemplate = `{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}`
	partTemplate = `{% for m in messages %}<{{ m.role }}>{% if m.content is string %}{{ m.content }}{% else %}` +
		`{% for part in m.content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}{% endif %}{% endfor %}`
	onlyPartTemplate = `{% for m in messages %}<{{ m.role }}>{% for part in m.content %}{{ part['text'] }};{% endfor %}{% endfor %}`
)

func TestTextParts(t *testing.T) {
	part := func(text string) any { return map[string]any{"type": "text", "text": text} }
	for name, c := range map[string]struct {
		template string
		content  any
		want     string
	}{
		"a text":                               {textTemplate, "A", "<user>A"},
		"one part":                             {textTemplate, []any{part("A")}, "<user>A"},
		"parts are lines":                      {textTemplate, []any{part("A"), part("B")}, "<user>A\nB"},
		"no parts":                             {textTemplate, []any{}, "<user>"},
		"other Go types":                       {textTemplate, []map[string]string{{"type": "text", "text": "A"}}, "<user>A"},
		"raw JSON":                             {textTemplate, json.RawMessage(` [{"text": "A", "type": "text"}]`), "<user>A"},
		"raw JSON of a text":                   {textTemplate, json.RawMessage(`"A"`), "<user>A"},
		"what else a part says":                {textTemplate, json.RawMessage(`[{"type": "text", "text": "A", "cache_control": {}}]`), "<user>A"},
		"a template that reads parts":          {partTemplate, []any{part("A"), part("B")}, "<user>AB"},
		"a template that reads nothing but":    {onlyPartTemplate, []any{part("A"), part("B")}, "<user>A;B;"},
		"a template of parts is given a text":  {partTemplate, "A", "<user>A"},
		"a template that shows lists as lists": {`{{ messages[0].content | tojson }}`, []any{part("A")}, `"A"`},
	} {
		t.Run(name, func(t *testing.T) {
			template, err := chat.New(c.template, "", "")
			require.NoError(t, err)
			messages := []chat.Message{{Role: "user", Content: c.content}}
			given, err := readable(template, messages)
			require.NoError(t, err)
			text, err := template.Render(given, chat.Options{})
			require.NoError(t, err)
			assert.Equal(t, c.want, text)
			assert.Equal(t, c.content, messages[0].Content, "the caller's messages stay as they are")
		})
	}
}

func TestOtherPartsAreRefused(t *testing.T) {
	for content, want := range map[string]string{
		`[{"type": "text", "text": "A"}, {"type": "image_url", "image_url": {"url": "data:,"}}]`: `message 1: content part 1 is of type "image_url", and only parts of type "text"`,
		`[{"type": "input_audio", "text": 5}]`:                                                   `content part 0 is of type "input_audio"`,
		`[{"text": "A"}]`:                                                                        `content part 0 is not like {"type": "text"`,
		`[{"type": "text"}]`:                                                                     `content part 0 is not like`,
		`[{"type": "text", "text": 5}]`:                                                          `content part 0 is not like`,
		`[{"type": 5, "text": "A"}]`:                                                             `content part 0 is not like`,
		`["A"]`:                                                                                  `content part 0 is not like`,
		`[null]`:                                                                                 `content part 0 is not like`,
	} {
		for _, as := range []string{textTemplate, partTemplate} {
			template, err := chat.New(as, "", "")
			require.NoError(t, err)
			_, err = readable(template, []chat.Message{{Role: "system", Content: "A"}, {Role: "user", Content: json.RawMessage(content)}})
			require.ErrorIs(t, err, ErrBadRequest, content)
			assert.ErrorContains(t, err, want, content)
		}
	}
}

func TestStopTextsFromJSON(t *testing.T) {
	for text, want := range map[string]StopTexts{
		`"."`: {"."}, `""`: {""}, `[".", "!"]`: {".", "!"}, `[]`: {}, `null`: nil,
	} {
		got := StopTexts{"before"}
		require.NoError(t, json.Unmarshal([]byte(text), &got), text)
		assert.Equal(t, want, got, text)
	}
	for _, wrong := range []string{`5`, `true`, `{}`, `[5]`, `[["."]]`} {
		var got StopTexts
		assert.ErrorContains(t, json.Unmarshal([]byte(wrong), &got), "stop must be a text or a list of texts", wrong)
	}
}
