package http

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"quire/engine/openai"
	"quire/engine/words"
)

// asked is what /api/chat and /api/generate ask for.
type asked struct {
	Model     string            `json:"model"`
	Messages  []map[string]any  `json:"messages"` // of chat
	Tools     json.RawMessage   `json:"tools"`
	Prompt    string            `json:"prompt"` // of generate
	System    string            `json:"system"`
	Suffix    string            `json:"suffix"`
	Template  string            `json:"template"`
	Context   []int32           `json:"context"`
	Raw       bool              `json:"raw"`
	Images    []json.RawMessage `json:"images"`
	Format    json.RawMessage   `json:"format"`
	Options   map[string]any    `json:"options"`
	Stream    *bool             `json:"stream"`
	KeepAlive *keepAlive        `json:"keep_alive"`
	Think     any               `json:"think"`
}

// ollamaOptions are the names of ollama's options in the core.
var ollamaOptions = map[string]string{
	"temperature": "temperature", "top_k": "top_k", "top_p": "top_p", "min_p": "min_p", "seed": "seed", "stop": "stop", "num_predict": "max_tokens",
	"repeat_penalty": "repetition_penalty", "presence_penalty": "presence_penalty", "frequency_penalty": "frequency_penalty",
}

func (h *Handler) ollamaChat(ctx context.Context, c openai.Call) (*openai.Answer, *openai.Error) {
	var q asked
	if bad := fields(c, &q); bad != nil {
		return nil, bad
	}
	if len(q.Messages) == 0 {
		return h.ollamaLoad(ctx, q, false)
	}
	var open []map[string]any // calls of tools that no message has answered yet
	for i, m := range q.Messages {
		if bad := fitMessage(m, i); bad != nil {
			return nil, bad
		}
		open = pairCalls(m, open)
	}
	body := map[string]any{"messages": q.Messages}
	if len(q.Tools) > 0 && string(q.Tools) != "null" {
		body["tools"] = q.Tools
	}
	return h.ollamaRun(ctx, c, q, "/v1/chat/completions", body, false)
}

func (h *Handler) ollamaGenerate(ctx context.Context, c openai.Call) (*openai.Answer, *openai.Error) {
	var q asked
	if bad := fields(c, &q); bad != nil {
		return nil, bad
	}
	for name, set := range map[string]bool{"suffix": q.Suffix != "", "template": q.Template != "", "context": len(q.Context) > 0, "images": len(q.Images) > 0} {
		if set {
			return nil, invalid(http.StatusBadRequest, "", name+" is not supported")
		}
	}
	switch {
	case q.Prompt == "":
		return h.ollamaLoad(ctx, q, true)
	case q.Raw:
		return h.ollamaRun(ctx, c, q, "/v1/completions", map[string]any{"prompt": q.Prompt}, true)
	}
	messages := []map[string]any{{"role": "user", "content": q.Prompt}}
	if q.System != "" {
		messages = append([]map[string]any{{"role": "system", "content": q.System}}, messages...)
	}
	return h.ollamaRun(ctx, c, q, "/v1/chat/completions", map[string]any{"messages": messages}, true)
}

// ollamaLoad loads a model, or with a keep_alive of 0 lets it go: what a request without a prompt asks for.
func (h *Handler) ollamaLoad(ctx context.Context, q asked, generate bool) (*openai.Answer, *openai.Error) {
	name, bad := h.model(q.Model, q.KeepAlive)
	if bad != nil {
		return nil, bad
	}
	reason := "load"
	if q.KeepAlive != nil && *q.KeepAlive == 0 {
		reason = "unload"
	} else if err := h.Ollama.Load(ctx, name); err != nil {
		return nil, loadError(err)
	}
	p := piece{Model: q.Model, Created: time.Now().UTC(), Done: true, Reason: reason}
	p.say(generate, said{})
	return ollamaJSON(p)
}

// ollamaRun asks the core, and gives what it answers in ollama's words.
func (h *Handler) ollamaRun(ctx context.Context, c openai.Call, q asked, path string, body map[string]any, generate bool) (*openai.Answer, *openai.Error) {
	name, bad := h.model(q.Model, q.KeepAlive)
	if bad != nil {
		return nil, bad
	}
	body["model"], body["stream"], body["stream_options"] = name, true, map[string]any{"include_usage": true}
	for from, to := range ollamaOptions {
		if v, ok := q.Options[from]; ok && v != nil {
			body[to] = v
		}
	}
	if n, number := body["max_tokens"].(float64); number && n < 0 || body["max_tokens"] == nil {
		body["max_tokens"] = math.MaxInt32 // as much as the context holds
	}
	switch format := string(bytes.TrimSpace(q.Format)); {
	case format == "" || format == "null" || format == `""`:
	case format == `"json"`:
		body["response_format"] = map[string]any{"type": "json_object"}
	case format[0] == '{':
		body["response_format"] = map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "format", "schema": q.Format}}
	default:
		return nil, invalid(http.StatusBadRequest, "", `format must be "json" or a JSON schema`)
	}
	switch think := q.Think.(type) {
	case bool:
		body["chat_template_kwargs"] = map[string]any{"enable_thinking": think}
	case string:
		body["chat_template_kwargs"] = map[string]any{"enable_thinking": true, "reasoning_effort": think}
	case nil:
	default:
		return nil, invalid(http.StatusBadRequest, "", "think must be true, false, or a level such as \"high\"")
	}
	text, err := json.Marshal(body)
	if err != nil {
		return nil, invalid(http.StatusBadRequest, "", err.Error())
	}
	c.Method, c.Path, c.Body = http.MethodPost, path, text
	t := &telling{model: q.Model, generate: generate, start: time.Now()}
	a := h.core.Handle(ctx, c)
	if a.Events == nil {
		return nil, coreError(a)
	}
	answer := &openai.Answer{Status: http.StatusOK, Header: [][2]string{{"Content-Type", "application/x-ndjson"}}, Events: t.lines(a.Events)}
	if q.Stream != nil && !*q.Stream {
		if answer, bad = t.whole(a.Events); bad != nil {
			return nil, bad
		}
	}
	for _, header := range a.Header {
		if header[0] == openai.HeaderPrefix || header[0] == openai.HeaderWarning {
			answer.Header = append(answer.Header, header)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(q.Options)) {
		if _, known := ollamaOptions[name]; !known {
			answer.Header = append(answer.Header, [2]string{openai.HeaderWarning, strconv.QuoteToASCII("options."+name) + " is not known and was ignored"})
		}
	}
	return answer, nil
}

// coreError is an error of the core's.
func coreError(a *openai.Answer) *openai.Error {
	var told struct{ Error struct{ Message string } }
	if err := json.Unmarshal(a.Body, &told); err != nil || told.Error.Message == "" {
		return &openai.Error{Status: http.StatusInternalServerError, Message: "the server gave an answer that it does not know itself"}
	}
	message := ollamaNames.Replace(told.Error.Message)
	if a.Status == http.StatusServiceUnavailable {
		return openai.Busy("", message)
	}
	return &openai.Error{Status: a.Status, Message: message}
}

// ollamaNames are the core's names of fields as ollama's clients know them.
var ollamaNames = strings.NewReplacer("response_format.type", "format", "response_format", "format", "max_tokens", "num_predict", "repetition_penalty", "repeat_penalty")

// ollamaEmbed answers /api/embed.
func (h *Handler) ollamaEmbed(ctx context.Context, c openai.Call) (*openai.Answer, *openai.Error) {
	var q struct {
		Model      string          `json:"model"`
		Input      json.RawMessage `json:"input"`
		Dimensions int             `json:"dimensions"`
		KeepAlive  *keepAlive      `json:"keep_alive"`
	}
	if bad := fields(c, &q); bad != nil {
		return nil, bad
	}
	start := time.Now()
	if input := bytes.TrimSpace(q.Input); string(input) == `""` || string(input) == "[]" {
		if bad := h.loadFor(ctx, q.Model, q.KeepAlive); bad != nil {
			return nil, bad
		}
		return ollamaJSON(map[string]any{"model": q.Model, "embeddings": []any{}, "total_duration": time.Since(start), "load_duration": time.Since(start), "prompt_eval_count": 0})
	}
	body := map[string]any{"input": q.Input}
	if q.Dimensions != 0 {
		body["dimensions"] = q.Dimensions
	}
	vectors, tokens, bad := h.embed(ctx, c, q.Model, q.KeepAlive, body)
	if bad != nil {
		return nil, bad
	}
	return ollamaJSON(map[string]any{"model": q.Model, "embeddings": vectors, "total_duration": time.Since(start), "load_duration": 0, "prompt_eval_count": tokens})
}

// ollamaEmbeddings answers /api/embeddings, the older of the two.
func (h *Handler) ollamaEmbeddings(ctx context.Context, c openai.Call) (*openai.Answer, *openai.Error) {
	var q struct {
		Model     string     `json:"model"`
		Prompt    string     `json:"prompt"`
		KeepAlive *keepAlive `json:"keep_alive"`
	}
	if bad := fields(c, &q); bad != nil {
		return nil, bad
	}
	if q.Prompt == "" {
		if bad := h.loadFor(ctx, q.Model, q.KeepAlive); bad != nil {
			return nil, bad
		}
		return ollamaJSON(map[string]any{"embedding": []any{}})
	}
	vectors, _, bad := h.embed(ctx, c, q.Model, q.KeepAlive, map[string]any{"input": q.Prompt})
	if bad != nil {
		return nil, bad
	}
	return ollamaJSON(map[string]any{"embedding": vectors[0]})
}

// loadFor loads a model for a request of no text, which is how ollama's clients ask for that.
func (h *Handler) loadFor(ctx context.Context, model string, keep *keepAlive) *openai.Error {
	name, bad := h.model(model, keep)
	if bad != nil {
		return bad
	}
	if err := h.Ollama.Load(ctx, name); err != nil {
		return loadError(err)
	}
	return nil
}

// loadError says why a model could not be loaded.
func loadError(err error) *openai.Error {
	var told *openai.Error
	if errors.As(err, &told) {
		return told
	}
	return &openai.Error{Status: http.StatusInternalServerError, Message: words.Error(err)}
}

func (h *Handler) embed(ctx context.Context, c openai.Call, model string, keep *keepAlive, body map[string]any) (vectors []json.RawMessage, tokens int, bad *openai.Error) {
	name, bad := h.model(model, keep)
	if bad != nil {
		return nil, 0, bad
	}
	body["model"] = name
	text, err := json.Marshal(body)
	if err != nil {
		return nil, 0, invalid(http.StatusBadRequest, "", err.Error())
	}
	c.Method, c.Path, c.Body = http.MethodPost, "/v1/embeddings", text
	a := h.core.Handle(ctx, c)
	if a.Status != http.StatusOK {
		return nil, 0, coreError(a)
	}
	var told struct {
		Data []struct {
			Embedding json.RawMessage `json:"embedding"`
		} `json:"data"`
		Usage struct {
			Prompt int `json:"prompt_tokens"`
		} `json:"usage"`
	}
	if err := json.Unmarshal(a.Body, &told); err != nil || len(told.Data) == 0 {
		return nil, 0, coreError(a)
	}
	for _, d := range told.Data {
		vectors = append(vectors, d.Embedding)
	}
	return vectors, told.Usage.Prompt, nil
}

// ollamaReason is a finish reason in ollama's words.
func ollamaReason(reason string) string {
	if strings.Contains(reason, "length") {
		return "length"
	}
	return "stop"
}
