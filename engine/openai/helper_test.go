package openai_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/openai"
	"quire/engine/openai/openaitest"
)

// door is an API over a model that says what a test has it say.
type door struct {
	*openai.API
	models *openaitest.Models
}

func newDoor(t *testing.T, template string, say func(prompt string, choice int) string) *door {
	e := openaitest.New("kite-1", template)
	e.Say = say
	models := &openaitest.Models{Engine: e}
	t.Cleanup(func() {
		assert.Eventually(t, func() bool { return models.Taken.Load() == 0 && e.Running.Load() == 0 }, time.Minute, time.Millisecond, "a model is still held")
	})
	return &door{&openai.API{Models: models, Patience: 10 * time.Second, Now: func() time.Time { return time.Unix(1800000000, 0) }}, models}
}

// says has every choice say one text.
func says(text string) func(string, int) string { return func(string, int) string { return text } }

// object is JSON as Go's own package reads it.
type object = map[string]any

func (d *door) call(t *testing.T, method, path, body string) *openai.Answer {
	t.Helper()
	return d.Handle(context.Background(), openai.Call{Method: method, Path: path, Body: []byte(body)})
}

// post gives the answer to a call, which must succeed.
func (d *door) post(t *testing.T, path, body string) object {
	t.Helper()
	a := d.call(t, "POST", path, body)
	require.Equal(t, 200, a.Status, "%s", a.Body)
	require.Nil(t, a.Events)
	return parse(t, a.Body)
}

// events gives the values of a stream, which must succeed.
func (d *door) events(t *testing.T, path, body string) (events []object) {
	t.Helper()
	a := d.call(t, "POST", path, body)
	require.Equal(t, 200, a.Status, "%s", a.Body)
	require.NotNil(t, a.Events)
	done := false
	for event := range a.Events {
		require.False(t, done, "an event after the end: %s", event)
		text, ok := strings.CutSuffix(string(event), "\n\n")
		require.True(t, ok, "%q", event)
		name := ""
		if strings.HasPrefix(text, "event: ") {
			name, text, _ = strings.Cut(strings.TrimPrefix(text, "event: "), "\n")
		}
		data, ok := strings.CutPrefix(text, "data: ")
		require.True(t, ok, "%q", event)
		if done = data == "[DONE]"; done {
			continue
		}
		value := parse(t, []byte(data))
		if name != "" {
			assert.Equal(t, name, value["type"])
		}
		events = append(events, value)
	}
	if !strings.HasSuffix(path, "/responses") {
		assert.True(t, done, "the stream did not say that it is done")
	}
	return events
}

func parse(t *testing.T, text []byte) (o object) {
	t.Helper()
	require.NoError(t, json.Unmarshal(text, &o), "%s", text)
	return o
}

// at follows a path such as "choices.0.message.content".
func at(value any, path string) any {
	for _, name := range strings.Split(path, ".") {
		switch v := value.(type) {
		case object:
			value = v[name]
		case []any:
			i := int(name[0] - '0')
			if i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// header gives an answer's headers of a name.
func header(a *openai.Answer, name string) (values []string) {
	for _, h := range a.Header {
		if h[0] == name {
			values = append(values, h[1])
		}
	}
	return values
}

func write(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	require.NoError(t, err)
	return string(text)
}
