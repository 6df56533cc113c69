package openai

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"math"

	"quire/engine/generation"
	"quire/engine/json"
)

// EmbeddingRequest asks for embeddings of texts.
type EmbeddingRequest struct {
	Model      string // "": the only model, or the first
	Input      []Prompt
	Base64     bool // vectors as base64 of little-endian floats of 32 bits, in place of lists
	Dimensions *int // of the vectors; the model's, or nil
	Pooling    generation.Pooling
	Raw        bool // vectors as they are, not divided by their length

	Priority int
	User     string
	Tenant   string // turns are shared out among tenants; "": the user

	reader reader
}

// EmbeddingList is what /v1/embeddings answers.
type EmbeddingList struct {
	Object   string      `json:"object"` // "list"
	Data     []Embedding `json:"data"`
	Model    string      `json:"model"`
	Usage    PromptUsage `json:"usage"`
	Warnings []string    `json:"warnings,omitempty"`
}

// Embedding is one text's.
type Embedding struct {
	Object    string `json:"object"` // "embedding"
	Index     int    `json:"index"`
	Embedding Vector `json:"embedding"`
}

// Vector is an embedding's numbers.
type Vector struct {
	Values []float32
	Base64 bool // how JSON has them
}

// MarshalJSON writes a list, or base64.
func (v Vector) MarshalJSON() ([]byte, error) {
	if !v.Base64 {
		return json.Marshal(v.Values)
	}
	data := make([]byte, 0, 4*len(v.Values))
	for _, x := range v.Values {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(data))
}

// PromptUsage counts the tokens of what is read only.
type PromptUsage struct {
	PromptTokens int `json:"prompt_tokens"`
	TotalTokens  int `json:"total_tokens"`
}

// ReadEmbeddingRequest reads the body of a call of /v1/embeddings.
func ReadEmbeddingRequest(body []byte) (*EmbeddingRequest, error) {
	q := &EmbeddingRequest{}
	r := &q.reader
	f := r.read(body)
	q.Model, q.Input = f.textOr("model", ""), readPrompts(f, "input")
	format := f.textOr("encoding_format", "float")
	c := checker{}
	c.choice("encoding_format", format, "float", "base64")
	r.check(&c)
	q.Base64 = format == "base64"
	q.Dimensions = f.integer("dimensions")
	q.Pooling = generation.Pooling(f.textOr("pooling", ""))
	normalize := f.flag("normalize")
	q.Raw = normalize != nil && !*normalize
	q.Priority, q.User = valueOr(f.integer("priority"), 0), f.textOr("user", "")
	f.done()
	if r.err != nil {
		return nil, r.err
	}
	return q, nil
}

func (q *EmbeddingRequest) check() *Error {
	c := &checker{}
	c.length("input", len(q.Input), 1, maxPrompts)
	c.integer("dimensions", q.Dimensions, 1, anyNumber)
	if q.Pooling != "" {
		c.choice("pooling", string(q.Pooling), "mean", "cls", "last")
	}
	return c.err
}

// Embeddings gives the embeddings of texts.
func (a *API) Embeddings(ctx context.Context, q *EmbeddingRequest) (*EmbeddingList, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	l, err := a.take(ctx, q.Model)
	if err != nil {
		return nil, err
	}
	requests, err := l.embeddings(q)
	if err != nil {
		l.release()
		return nil, err
	}
	f, failed := l.start(ctx, requests)
	if failed != nil {
		return nil, asError(failed, "input")
	}
	results, failed := f.results()
	if failed != nil {
		return nil, asError(failed, "input")
	}
	list := &EmbeddingList{Object: "list", Data: make([]Embedding, len(results)), Model: l.name, Warnings: q.reader.warnings}
	for i, r := range results {
		list.Data[i] = Embedding{"embedding", i, Vector{r.Embedding, q.Base64}}
		list.Usage.PromptTokens += r.Figures.PromptTokens
	}
	list.Usage.TotalTokens = list.Usage.PromptTokens
	return list, nil
}

// embeddings are the requests for the texts.
func (l *lease) embeddings(q *EmbeddingRequest) ([]generation.Request, *Error) {
	if d := q.Dimensions; d != nil && *d != l.about.Dimensions {
		return nil, unsupported("dimensions", "\"dimensions\" is %d, and the model %q has %d: vectors are not cut.", *d, l.name, l.about.Dimensions)
	}
	pooling := q.Pooling
	if pooling == "" && l.about.Pooling == generation.PoolRank {
		pooling = generation.PoolMean
	}
	requests := make([]generation.Request, len(q.Input))
	for i, p := range q.Input {
		param := "input"
		if len(q.Input) > 1 {
			param = item("input", i)
		}
		ids, err := l.embedIDs(p, param)
		if err != nil {
			return nil, err
		}
		requests[i] = generation.Request{Prompt: ids, Priority: q.Priority, Tenant: tenant(q.Tenant, q.User), Embed: &generation.Embed{Pooling: pooling, Raw: q.Raw}}
	}
	return requests, nil
}

func tenant(name, user string) string {
	if name == "" {
		return user
	}
	return name
}

// embedIDs gives a text's tokens.
func (l *lease) embedIDs(p Prompt, param string) ([]int32, *Error) {
	if p.IDs != nil {
		return l.known(p.IDs, param)
	}
	if p.Text == "" {
		return nil, invalid(param, "invalid_value", "%q is empty.", param)
	}
	ids, err := l.engine.EmbedPrompt(p.Text)
	if err != nil {
		return nil, asError(err, param)
	}
	return ids, l.holds(ids, param)
}

// holds refuses what has more tokens than the context, before more of the request is read.
func (l *lease) holds(ids []int32, param string) *Error {
	if len(ids) > l.about.Context {
		return invalid(param, "context_length_exceeded", "%q has %d tokens, more than the context of %d.", param, len(ids), l.about.Context)
	}
	return nil
}

func (a *API) handleEmbeddings(ctx context.Context, c Call) (*Answer, *Error) {
	q, err := ReadEmbeddingRequest(c.Body)
	if err != nil {
		return nil, asError(err, "")
	}
	q.Tenant = c.Tenant
	return whole(a.Embeddings(ctx, q))
}

func (l *EmbeddingList) notes() (string, []string) { return "", l.Warnings }
