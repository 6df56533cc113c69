package http

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"quire/engine/openai"
)

// Catalog tells ollama's clients of models.
type Catalog interface {
	// All gives the models that can be asked for.
	All() []Listed
	// Keep says how long a model stays loaded when nobody uses it: below 0 for ever, 0 not at all.
	Keep(name string, how time.Duration)
	// Load loads a model.
	Load(ctx context.Context, name string) error
}

// Listed is a model as ollama's clients see it.
type Listed struct {
	Name, Architecture, Parameters, Quantization string
	Template                                     string
	Digest                                       string // SHA-256 in hexadecimal: another where the model is another
	Size                                         int64  // of its file
	Memory                                       uint64 // on the GPU, where it is loaded
	Context                                      int
	Dimensions                                   int
	Embeds                                       bool // it gives embeddings only
	Modified                                     time.Time
	Loaded                                       bool
	Expires                                      time.Time // when it is unloaded unless somebody uses it; zero: never
}

// ollamaVersion is the version of ollama's API that is answered; clients ask for it.
const ollamaVersion = "0.12.0"

// ollamaRoutes are the paths below /api/.
var ollamaRoutes = map[string]struct {
	method string
	answer func(h *Handler, ctx context.Context, c openai.Call) (*openai.Answer, *openai.Error)
}{
	"chat":       {http.MethodPost, (*Handler).ollamaChat},
	"generate":   {http.MethodPost, (*Handler).ollamaGenerate},
	"embed":      {http.MethodPost, (*Handler).ollamaEmbed},
	"embeddings": {http.MethodPost, (*Handler).ollamaEmbeddings},
	"tags":       {http.MethodGet, (*Handler).ollamaTags},
	"ps":         {http.MethodGet, (*Handler).ollamaRunning},
	"show":       {http.MethodPost, (*Handler).ollamaShow},
	"version": {http.MethodGet, func(*Handler, context.Context, openai.Call) (*openai.Answer, *openai.Error) {
		return ollamaJSON(map[string]string{"version": ollamaVersion})
	}},
}

// ollama answers one of ollama's routes, and says what is wrong as it does.
func (h *Handler) ollama(ctx context.Context, c openai.Call) *openai.Answer {
	name := strings.TrimPrefix(c.Path, "/api/")
	route, ok := ollamaRoutes[name]
	var answer *openai.Answer
	var bad *openai.Error
	switch {
	case !ok:
		bad = invalid(http.StatusNotFound, "", fmt.Sprintf("%s is not answered here: models are given by quire serve -m and quire pull", c.Path))
	case c.Method != route.method && !(c.Method == http.MethodHead && route.method == http.MethodGet):
		bad = invalid(http.StatusMethodNotAllowed, "", "only "+route.method+" is allowed on "+c.Path)
	default:
		answer, bad = route.answer(h, ctx, c)
	}
	if bad != nil {
		answer = ollamaError(bad)
	}
	if bad != nil && bad.Status == http.StatusMethodNotAllowed {
		answer.Header = append(answer.Header, [2]string{"Allow", route.method})
	}
	return answer
}

// forOllama reports whether a request is for one of ollama's routes.
func (h *Handler) forOllama(r *http.Request) bool {
	return h.Ollama != nil && strings.HasPrefix(r.URL.Path, "/api/")
}

func ollamaError(e *openai.Error) *openai.Answer {
	a, _ := ollamaJSON(map[string]string{"error": e.Message})
	a.Status = e.Status
	for _, pair := range e.Answer().Header {
		if pair[0] != "Content-Type" {
			a.Header = append(a.Header, pair)
		}
	}
	return a
}

func ollamaJSON(v any) (*openai.Answer, *openai.Error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, &openai.Error{Status: http.StatusInternalServerError, Message: err.Error()}
	}
	return &openai.Answer{Status: http.StatusOK, Header: [][2]string{{"Content-Type", "application/json; charset=utf-8"}}, Body: body}, nil
}

// fields reads a request of ollama's.
func fields(c openai.Call, into any) *openai.Error {
	if len(c.Body) == 0 {
		return invalid(http.StatusBadRequest, "", "missing request body")
	}
	if err := json.Unmarshal(c.Body, into); err != nil {
		return invalid(http.StatusBadRequest, "", plainJSON(err))
	}
	return nil
}

// plainJSON says what is wrong with JSON in a user's words.
func plainJSON(err error) string {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Sprintf("%s: %s is of the wrong kind here", kind.Field, kind.Value)
	case errors.As(err, &kind):
		return fmt.Sprintf("the body is of the kind %s, it must be an object", kind.Value)
	case errors.As(err, &syntax):
		return fmt.Sprintf("the body is not valid JSON, from character %d on", syntax.Offset)
	}
	return err.Error()
}

// find gives a model by its name, with or without ollama's ":latest".
func (h *Handler) find(name string) (Listed, bool) {
	all := h.Ollama.All()
	for _, name := range []string{name, strings.TrimSuffix(name, ":latest")} {
		for _, m := range all {
			if m.Name == name {
				return m, true
			}
		}
	}
	return Listed{}, false
}

// model gives the name under which the core knows a request's model, and notes how long it is to stay.
func (h *Handler) model(name string, keep *keepAlive) (string, *openai.Error) {
	if name == "" {
		return "", invalid(http.StatusBadRequest, "", "model is required")
	}
	m, ok := h.find(name)
	if !ok {
		return "", invalid(http.StatusNotFound, "", fmt.Sprintf("model '%s' not found", name))
	}
	if keep != nil {
		h.Ollama.Keep(m.Name, time.Duration(*keep))
	}
	return m.Name, nil
}

// keepAlive is how long a model stays: "5m", or seconds; below 0 is for ever.
type keepAlive time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (k *keepAlive) UnmarshalJSON(text []byte) error {
	var n float64
	if json.Unmarshal(text, &n) == nil {
		*k = keepAlive(seconds(min(max(n, -1), 1e9)))
		return nil
	}
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("keep_alive must be a duration such as \"5m\", or a number of seconds")
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return fmt.Errorf("keep_alive: %q is not a duration such as \"5m\"", s)
	}
	*k = keepAlive(d)
	return nil
}

type details struct {
	Parent       string   `json:"parent_model"`
	Format       string   `json:"format"`
	Family       string   `json:"family"`
	Families     []string `json:"families"`
	Parameters   string   `json:"parameter_size"`
	Quantization string   `json:"quantization_level"`
}

type tagged struct {
	Name     string    `json:"name"`
	Model    string    `json:"model"`
	Modified time.Time `json:"modified_at,omitzero"`
	Size     int64     `json:"size"`
	Digest   string    `json:"digest"`
	Details  details   `json:"details"`
	Expires  time.Time `json:"expires_at,omitzero"`
	Memory   uint64    `json:"size_vram,omitempty"`
	Context  int       `json:"context_length,omitempty"`
}

func (m *Listed) details() details {
	return details{Format: "gguf", Family: m.Architecture, Families: []string{m.Architecture}, Parameters: m.Parameters, Quantization: m.Quantization}
}

func (h *Handler) ollamaTags(context.Context, openai.Call) (*openai.Answer, *openai.Error) {
	list := []tagged{}
	for _, m := range h.Ollama.All() {
		list = append(list, tagged{Name: m.Name, Model: m.Name, Modified: m.Modified, Size: m.Size, Digest: m.Digest, Details: m.details()})
	}
	return ollamaJSON(map[string]any{"models": list})
}

func (h *Handler) ollamaRunning(context.Context, openai.Call) (*openai.Answer, *openai.Error) {
	list := []tagged{}
	for _, m := range h.Ollama.All() {
		if m.Loaded {
			expires := m.Expires
			if expires.IsZero() {
				expires = time.Now().AddDate(100, 0, 0) // as ollama has "never"
			}
			list = append(list, tagged{Name: m.Name, Model: m.Name, Size: int64(m.Memory), Digest: m.Digest, Details: m.details(), Expires: expires, Memory: m.Memory, Context: m.Context})
		}
	}
	return ollamaJSON(map[string]any{"models": list})
}

func (h *Handler) ollamaShow(_ context.Context, c openai.Call) (*openai.Answer, *openai.Error) {
	var q struct {
		Model string `json:"model"`
		Name  string `json:"name"`
	}
	if bad := fields(c, &q); bad != nil {
		return nil, bad
	}
	if q.Model == "" {
		q.Model = q.Name
	}
	if q.Model == "" {
		return nil, invalid(http.StatusBadRequest, "", "model is required")
	}
	m, ok := h.find(q.Model)
	if !ok {
		return nil, invalid(http.StatusNotFound, "", fmt.Sprintf("model '%s' not found", q.Model))
	}
	info := map[string]any{"general.architecture": m.Architecture}
	if m.Context > 0 {
		info[m.Architecture+".context_length"] = m.Context
	}
	if m.Dimensions > 0 {
		info[m.Architecture+".embedding_length"] = m.Dimensions
	}
	abilities := []string{"completion"}
	if m.Embeds {
		abilities = []string{"embedding"}
	}
	if strings.Contains(m.Template, "tools") {
		abilities = append(abilities, "tools")
	}
	return ollamaJSON(map[string]any{
		"modelfile": "", "parameters": "", "template": m.Template, "details": m.details(), "model_info": info, "capabilities": abilities, "modified_at": m.Modified,
	})
}
