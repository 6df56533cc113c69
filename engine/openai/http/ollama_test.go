package http

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"quire/engine/openai"
)

// catalog has one model.
type catalog struct {
	kept   map[string]time.Duration
	loaded []string
}

func (c *catalog) All() []Listed {
	return []Listed{{Name: "tales", Architecture: "llama", Parameters: "7M", Quantization: "Q8_0", Template: "{% if tools %}", Size: 100, Context: 512, Dimensions: 64, Loaded: true, Memory: 200}}
}
func (c *catalog) Keep(name string, how time.Duration) { c.kept[name] = how }
func (c *catalog) Load(_ context.Context, name string) error {
	c.loaded = append(c.loaded, name)
	return nil
}

// says is a core that says these events, and keeps what it was asked.
func says(asked *map[string]any, events ...string) core {
	return func(_ context.Context, c openai.Call) *openai.Answer {
		*asked = map[string]any{"path": c.Path}
		json.Unmarshal(c.Body, asked)
		return &openai.Answer{Status: 200, Header: [][2]string{{"Content-Type", "text/event-stream"}}, Events: func(yield func([]byte) bool) {
			for _, e := range events {
				if !yield([]byte("data: " + e + "\n\n")) {
					return
				}
			}
		}}
	}
}

func post(t *testing.T, c Core, catalog Catalog, path, body string) (int, string) {
	t.Helper()
	s := serve(t, c, Options{Ollama: catalog})
	a, err := http.Post(s.URL+path, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	text, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	return a.StatusCode, string(text)
}

var spoken = []string{
	`{"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`,
	`{"choices":[{"index":0,"delta":{"reasoning":"Hm."}}]}`,
	`{"choices":[{"index":0,"delta":{"content":"Once"}}]}`,
	`{"choices":[{"index":0,"delta":{"content":" upon"}}]}`,
	`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","function":{"name":"look","arguments":"{\"at\":"}}]}}]}`,
	`{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"fox\"}"}}]}}]}`,
	`{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}`,
	`{"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":7}}`,
	`[DONE]`,
}

func TestOllamaChat(t *testing.T) {
	var asked map[string]any
	c := &catalog{kept: map[string]time.Duration{}}
	status, body := post(t, says(&asked, spoken...), c, "/api/chat",
		`{"model":"tales:latest","messages":[{"role":"user","content":"hi"}],"options":{"temperature":0,"num_predict":3,"repeat_penalty":1.1,"num_ctx":99},"keep_alive":"5m","think":true}`)
	assert.Equal(t, 200, status)
	assert.Equal(t, "/v1/chat/completions", asked["path"])
	assert.Equal(t, "tales", asked["model"])
	assert.EqualValues(t, 3, asked["max_tokens"])
	assert.EqualValues(t, 0, asked["temperature"])
	assert.EqualValues(t, 1.1, asked["repetition_penalty"])
	assert.Equal(t, map[string]any{"enable_thinking": true}, asked["chat_template_kwargs"])
	assert.NotContains(t, asked, "num_ctx")
	assert.Equal(t, 5*time.Minute, c.kept["tales"])
	var text, thinking string
	var last map[string]any
	var calls []any
	for line := range bytes.Lines([]byte(body)) {
		last = nil
		require.NoError(t, json.Unmarshal(line, &last), string(line))
		assert.Equal(t, "tales:latest", last["model"])
		m := last["message"].(map[string]any)
		text += m["content"].(string)
		if s, ok := m["thinking"].(string); ok {
			thinking += s
		}
		if list, ok := m["tool_calls"].([]any); ok {
			calls = append(calls, list...)
		}
	}
	assert.Equal(t, "Once upon", text)
	assert.Equal(t, "Hm.", thinking)
	require.Len(t, calls, 1)
	assert.Equal(t, map[string]any{"at": "fox"}, calls[0].(map[string]any)["function"].(map[string]any)["arguments"])
	assert.Equal(t, true, last["done"])
	assert.Equal(t, "length", last["done_reason"])
	assert.EqualValues(t, 5, last["prompt_eval_count"])
	assert.EqualValues(t, 7, last["eval_count"])
	assert.Positive(t, last["total_duration"])
}

// TestOllamaFormat: a format is one of the core's, and what is none is refused.
func TestOllamaFormat(t *testing.T) {
	schema := map[string]any{"type": "object", "properties": map[string]any{"a": map[string]any{"enum": []any{nil}}}}
	for format, want := range map[string]any{
		`null`: nil, `""`: nil, ` "json" `: map[string]any{"type": "json_object"},
		`{"type": "object", "properties": {"a": {"enum": [null]}}}`: map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "format", "schema": schema}},
	} {
		for path, more := range map[string]string{"/api/chat": `"messages":[{"role":"user","content":"hi"}]`, "/api/generate": `"prompt":"hi"`} {
			var asked map[string]any
			status, body := post(t, says(&asked, spoken...), &catalog{}, path, `{"model":"tales","format":`+format+`,`+more+`}`)
			require.Equal(t, 200, status, body)
			assert.Equal(t, want, asked["response_format"], format)
		}
	}
	for _, format := range []string{`"xml"`, `"{}"`, `true`, `5`, `["json"]`} {
		var asked map[string]any
		status, body := post(t, says(&asked, spoken...), &catalog{}, "/api/chat", `{"model":"tales","format":`+format+`,"messages":[{"role":"user","content":"hi"}]}`)
		assert.Equal(t, 400, status, format)
		assert.Contains(t, body, "format must be")
		assert.Empty(t, asked)
	}
}

func TestOllamaGenerateWhole(t *testing.T) {
	var asked map[string]any
	status, body := post(t, says(&asked, spoken...), &catalog{}, "/api/generate", `{"model":"tales","prompt":"hi","system":"Be short.","stream":false}`)
	assert.Equal(t, 200, status)
	assert.Len(t, asked["messages"], 2)
	var whole map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &whole))
	assert.Equal(t, "Once upon", whole["response"])
	assert.Equal(t, "Hm.", whole["thinking"])
	assert.Equal(t, true, whole["done"])
	assert.NotContains(t, whole, "message")

	_, body = post(t, says(&asked, `{"choices":[{"index":0,"text":"a kite"}]}`), &catalog{}, "/api/generate", `{"model":"tales","prompt":"A fox and","raw":true,"stream":false}`)
	assert.Equal(t, "/v1/completions", asked["path"])
	assert.Contains(t, body, `"response":"a kite"`)
}

// What the client sends back of an answer is what the core knows.
func TestOllamaTurns(t *testing.T) {
	var asked map[string]any
	status, body := post(t, says(&asked, spoken...), &catalog{}, "/api/chat", `{"model":"tales","tools":[{"type":"function","function":{"name":"look"}}],"messages":[
		{"role":"user","content":"hi"},
		{"role":"assistant","content":"","thinking":"Hm.","tool_calls":[{"function":{"name":"look","arguments":{"at":"fox"}}}]},
		{"role":"tool","tool_name":"look","content":"red"}]}`)
	require.Equal(t, 200, status, body)
	turn := asked["messages"].([]any)[1].(map[string]any)
	assert.Equal(t, "Hm.", turn["reasoning_content"])
	call := turn["tool_calls"].([]any)[0].(map[string]any)
	assert.Equal(t, `{"at":"fox"}`, call["function"].(map[string]any)["arguments"])
	assert.Equal(t, "function", call["type"])
	assert.Equal(t, "look", asked["messages"].([]any)[2].(map[string]any)["name"])
	assert.Len(t, asked["tools"], 1)
}

// A tool's answer need not say which call it is of.
func TestOllamaPairsCalls(t *testing.T) {
	var asked map[string]any
	status, body := post(t, says(&asked, spoken...), &catalog{}, "/api/chat", `{"model":"tales","messages":[
		{"role":"user","content":"hi"},
		{"role":"assistant","tool_calls":[{"function":{"name":"look"}},{"id":"b","function":{"name":"walk","arguments":null}},{"function":{"name":"look"}}]},
		{"role":"tool","tool_name":"walk","content":"1"},
		{"role":"tool","content":"2"},
		{"role":"tool","content":"3"},
		{"role":"tool","name":"run","content":"4"}]}`)
	require.Equal(t, 200, status, body)
	messages := asked["messages"].([]any)
	call := messages[1].(map[string]any)["tool_calls"].([]any)[0].(map[string]any)
	assert.Equal(t, "{}", call["function"].(map[string]any)["arguments"])
	var ids []any
	for _, m := range messages[2:] {
		ids = append(ids, m.(map[string]any)["tool_call_id"])
	}
	assert.Equal(t, []any{"b", "call_1_0", "call_1_2", nil}, ids)
}

// Without a limit, or with ollama's ones that are none, the answer may be as long as the context.
func TestOllamaLimit(t *testing.T) {
	for options, want := range map[string]float64{`{}`: math.MaxInt32, `{"num_predict":-1}`: math.MaxInt32, `{"num_predict":-2}`: math.MaxInt32, `{"num_predict":7}`: 7} {
		for _, raw := range []string{"true", "false"} {
			var asked map[string]any
			post(t, says(&asked, spoken...), &catalog{}, "/api/generate", `{"model":"tales","prompt":"x","raw":`+raw+`,"options":`+options+`}`)
			assert.Equal(t, want, asked["max_tokens"], options)
		}
	}
}

// What the core says in headers is passed on, and what is not known of the options is named.
func TestOllamaHeaders(t *testing.T) {
	for _, stream := range []string{"true", "false"} {
		s := serve(t, core(func(context.Context, openai.Call) *openai.Answer {
			header := [][2]string{{"Content-Type", "text/event-stream"}, {openai.HeaderPrefix, "abc"}}
			return &openai.Answer{Status: 200, Header: header, Events: func(func([]byte) bool) {}}
		}), Options{Ollama: &catalog{}})
		a, err := http.Post(s.URL+"/api/generate", "", strings.NewReader(`{"model":"tales","prompt":"x","options":{"top_k":1,"num_ctx":5},"stream":`+stream+`}`))
		require.NoError(t, err)
		assert.Equal(t, "abc", a.Header.Get(openai.HeaderPrefix))
		assert.Equal(t, []string{`"options.num_ctx" is not known and was ignored`}, a.Header.Values(openai.HeaderWarning))
		assert.NotContains(t, a.Header.Values("Content-Type"), "text/event-stream")
	}
}

func TestOllamaLoads(t *testing.T) {
	c := &catalog{kept: map[string]time.Duration{}}
	_, body := post(t, echo, c, "/api/generate", `{"model":"tales"}`)
	assert.Contains(t, body, `"done_reason":"load"`)
	assert.Equal(t, []string{"tales"}, c.loaded)
	_, body = post(t, echo, c, "/api/chat", `{"model":"tales","keep_alive":0}`)
	assert.Contains(t, body, `"done_reason":"unload"`)
	assert.Equal(t, map[string]time.Duration{"tales": 0}, c.kept)
	post(t, echo, c, "/api/generate", `{"model":"tales","keep_alive":-1}`)
	assert.Negative(t, c.kept["tales"])
	for path, body := range map[string]string{"/api/embed": `"input":[]`, "/api/embed ": `"input":""`, "/api/embeddings": `"prompt":""`} {
		c.loaded = nil
		status, said := post(t, echo, c, strings.TrimSpace(path), `{"model":"tales",`+body+`}`)
		assert.Equal(t, 200, status)
		assert.Regexp(t, `"embeddings?":\[\]`, said)
		assert.Equal(t, []string{"tales"}, c.loaded, body)
	}
}

// full has no room for a model.
type full struct{ catalog }

func (*full) Load(context.Context, string) error { return openai.Busy("no_room", "no room") }

// Who may come later hears so.
func TestOllamaBusy(t *testing.T) {
	busy := core(func(context.Context, openai.Call) *openai.Answer { return openai.Busy("no_room", "no room").Answer() })
	s := serve(t, busy, Options{Ollama: &full{}})
	for _, body := range []string{`{"model":"tales"}`, `{"model":"tales","messages":[{"role":"user","content":"x"}]}`} {
		a, err := http.Post(s.URL+"/api/chat", "", strings.NewReader(body))
		require.NoError(t, err)
		said, err := io.ReadAll(a.Body)
		require.NoError(t, err)
		assert.Equal(t, 503, a.StatusCode)
		assert.Equal(t, "1", a.Header.Get("Retry-After"))
		assert.JSONEq(t, `{"error":"no room"}`, string(said))
	}
}

func TestOllamaErrors(t *testing.T) {
	refusing := core(func(context.Context, openai.Call) *openai.Answer {
		return (&openai.Error{Status: 400, Message: "temperature is -1"}).Answer()
	})
	tests := []struct {
		path, body string
		status     int
		says       string
	}{
		{"/api/chat", `{"model":"none","messages":[{"role":"user","content":"x"}]}`, 404, "model 'none' not found"},
		{"/api/chat", `{"messages":[{"role":"user","content":"x"}]}`, 400, "model is required"},
		{"/api/chat", `{"model":"tales","messages":"x"}`, 400, "messages"},
		{"/api/chat", `{"model":`, 400, "not valid JSON"},
		{"/api/chat", ``, 400, "missing request body"},
		{"/api/chat", `{"model":"tales","messages":[{"role":"user","content":"x","images":["aGk="]}]}`, 400, "images"},
		{"/api/chat", `{"model":"tales","messages":[{"role":"user","content":"x"}],"options":{"temperature":-1}}`, 400, "temperature is -1"},
		{"/api/generate", `{"model":"tales","prompt":"x","context":[1]}`, 400, "context"},
		{"/api/generate", `{"model":"tales","prompt":"x","keep_alive":"soon"}`, 400, "keep_alive: "},
		{"/api/generate", `{"model":"tales","prompt":"x","keep_alive":[]}`, 400, "keep_alive must be"},
		{"/api/chat", `[]`, 400, "the body is of the kind array, it must be an object"},
		{"/api/chat", `{"model":"tales","messages":[{"role":"user","content":"x","images":"aGk="}]}`, 400, "images"},
		{"/api/chat", `{"model":"tales","messages":[{"role":"user","content":"x"}],"think":5}`, 400, "think"},
		{"/api/chat", `{"model":"tales","messages":[{"role":"user","content":"x"}],"options":[]}`, 400, "options"},
		{"/api/show", `{}`, 400, "model is required"},
		{"/api/show", `{"model":"none"}`, 404, "not found"},
		{"/api/embed", `{"model":"none","input":"x"}`, 404, "not found"},
		{"/api/embed", `{"model":"tales","input":"x"}`, 400, "temperature is -1"},
		{"/api/pull", `{"model":"tales"}`, 404, "/api/pull"},
		{"/api/tags", `{}`, 405, "GET"},
	}
	for _, tt := range tests {
		status, body := post(t, refusing, &catalog{kept: map[string]time.Duration{}}, tt.path, tt.body)
		assert.Equal(t, tt.status, status, tt.path+tt.body)
		var told map[string]string
		require.NoError(t, json.Unmarshal([]byte(body), &told), body)
		assert.Contains(t, told["error"], tt.says)
	}
}

// An error after the answer has begun is its last line.
func TestOllamaErrorInAStream(t *testing.T) {
	var asked map[string]any
	_, body := post(t, says(&asked, spoken[2], `{"error":{"message":"the device is lost"}}`), &catalog{}, "/api/chat", `{"model":"tales","messages":[{"role":"user","content":"x"}]}`)
	lines := strings.Split(strings.TrimSpace(body), "\n")
	assert.Equal(t, `{"error":"the device is lost"}`, lines[len(lines)-1])
}

func TestOllamaLists(t *testing.T) {
	s := serve(t, echo, Options{Ollama: &catalog{}})
	refused, err := http.Post(s.URL+"/api/tags", "", nil)
	require.NoError(t, err)
	assert.Equal(t, "GET", refused.Header.Get("Allow"))
	for path, says := range map[string]string{
		"/api/tags": `"quantization_level":"Q8_0"`, "/api/ps": `"size_vram":200`, "/api/version": fmt.Sprintf("%q", ollamaVersion),
	} {
		a, err := http.Get(s.URL + path)
		require.NoError(t, err)
		body, err := io.ReadAll(a.Body)
		require.NoError(t, err)
		assert.Equal(t, 200, a.StatusCode)
		assert.Contains(t, string(body), says)
	}
	_, body := post(t, echo, &catalog{}, "/api/show", `{"model":"tales"}`)
	assert.Contains(t, body, `"capabilities":["completion","tools"]`)
	assert.Contains(t, body, `"llama.context_length":512`)
	embedding := core(func(context.Context, openai.Call) *openai.Answer {
		return &openai.Answer{Status: 200, Body: []byte(`{"data":[{"embedding":[0.5,1]},{"embedding":[2,3]}],"usage":{"prompt_tokens":4}}`)}
	})
	_, body = post(t, embedding, &catalog{}, "/api/embed", `{"model":"tales","input":["a","b"]}`)
	assert.Contains(t, body, `"embeddings":[[0.5,1],[2,3]]`)
	assert.Contains(t, body, `"prompt_eval_count":4`)
	_, body = post(t, embedding, &catalog{}, "/api/embeddings", `{"model":"tales","prompt":"a"}`)
	assert.JSONEq(t, `{"embedding":[0.5,1]}`, body)
}

// Who is refused before the route is asked hears so in ollama's words, too.
func TestOllamaRefusals(t *testing.T) {
	s := serve(t, echo, Options{Ollama: &catalog{}, Keys: secrets(t, "ann", "secret-of-ann"), MaxBody: 10, Hosts: Loopback})
	for _, tt := range []struct {
		key, host, body string
		status          int
	}{{"", "localhost", "", 401}, {"secret-of-ann", "localhost", "more than ten", 413}, {"", "evil.example", "", 403}} {
		r, err := http.NewRequest(http.MethodPost, s.URL+"/api/chat", strings.NewReader(tt.body))
		require.NoError(t, err)
		r.Host = tt.host
		r.Header.Set("Authorization", "Bearer "+tt.key)
		a, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		assert.Equal(t, tt.status, a.StatusCode)
		var told map[string]string
		require.NoError(t, json.NewDecoder(a.Body).Decode(&told))
		assert.NotEmpty(t, told["error"])
	}
}

// Without the flag the routes are nobody's.
func TestOllamaIsAsked(t *testing.T) {
	s := serve(t, echo, Options{})
	a, err := http.Get(s.URL + "/api/tags")
	require.NoError(t, err)
	body, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), "GET /api/tags")
}
