package openai

import (
	"quire/engine/json"
)

// Response is what /v1/responses answers.
type Response struct {
	ID                 string             `json:"id"`
	Object             string             `json:"object"` // "response"
	CreatedAt          int64              `json:"created_at"`
	Status             string             `json:"status"` // in_progress, completed, incomplete or failed
	Error              *ResponseError     `json:"error"`
	Incomplete         *IncompleteDetails `json:"incomplete_details"`
	Instructions       *string            `json:"instructions"`
	MaxOutputTokens    *int               `json:"max_output_tokens"`
	Model              string             `json:"model"`
	Output             []OutputItem       `json:"output"`
	ParallelToolCalls  bool               `json:"parallel_tool_calls"`
	PreviousResponseID *string            `json:"previous_response_id"` // nil: nothing is stored
	Reasoning          any                `json:"reasoning"`
	Store              bool               `json:"store"`
	Background         bool               `json:"background"`
	Temperature        float64            `json:"temperature"`
	Text               any                `json:"text"`
	ToolChoice         any                `json:"tool_choice"`
	Tools              any                `json:"tools"`
	TopP               float64            `json:"top_p"`
	Truncation         string             `json:"truncation"` // "auto" or "disabled"
	Usage              *ResponseUsage     `json:"usage"`
	User               *string            `json:"user"`
	Metadata           any                `json:"metadata"`
	Warnings           []string           `json:"warnings,omitempty"`

	prefix string
}

// ResponseError is why a response failed.
type ResponseError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// IncompleteDetails say at what limit a response ended.
type IncompleteDetails struct {
	Reason string `json:"reason"` // "max_output_tokens"
}

// ResponseUsage counts tokens.
type ResponseUsage struct {
	InputTokens  int               `json:"input_tokens"`
	Input        PromptDetails     `json:"input_tokens_details"`
	OutputTokens int               `json:"output_tokens"`
	Output       CompletionDetails `json:"output_tokens_details"`
	TotalTokens  int               `json:"total_tokens"`
}

// OutputItem is a part of a response: a message, a function_call or reasoning.
type OutputItem struct {
	ID     string
	Type   string
	Status string // in_progress, completed or incomplete

	Content []OutputPart // of a message and of reasoning

	CallID    string // of a function_call
	Name      string
	Arguments string // JSON
}

// OutputPart is a part of an item: output_text or reasoning_text.
type OutputPart struct {
	Type     string
	Text     string
	Logprobs []TokenLogprob
}

// MarshalJSON writes what an item of its type has.
func (o OutputItem) MarshalJSON() ([]byte, error) {
	content := o.Content
	if content == nil {
		content = []OutputPart{}
	}
	switch o.Type {
	case "function_call":
		return json.Marshal(struct {
			ID        string `json:"id"`
			Type      string `json:"type"`
			Status    string `json:"status"`
			CallID    string `json:"call_id"`
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		}{o.ID, o.Type, o.Status, o.CallID, o.Name, o.Arguments})
	case "reasoning":
		return json.Marshal(struct {
			ID      string       `json:"id"`
			Type    string       `json:"type"`
			Status  string       `json:"status"`
			Summary []OutputPart `json:"summary"`
			Content []OutputPart `json:"content"`
		}{o.ID, o.Type, o.Status, []OutputPart{}, content})
	}
	return json.Marshal(struct {
		ID      string       `json:"id"`
		Type    string       `json:"type"`
		Status  string       `json:"status"`
		Role    string       `json:"role"`
		Content []OutputPart `json:"content"`
	}{o.ID, o.Type, o.Status, "assistant", content})
}

// MarshalJSON writes what a part of its type has.
func (p OutputPart) MarshalJSON() ([]byte, error) {
	if p.Type == "reasoning_text" {
		return json.Marshal(Part{p.Type, p.Text})
	}
	logprobs := p.Logprobs
	if logprobs == nil {
		logprobs = []TokenLogprob{}
	}
	return json.Marshal(struct {
		Type        string         `json:"type"`
		Text        string         `json:"text"`
		Annotations []string       `json:"annotations"`
		Logprobs    []TokenLogprob `json:"logprobs"`
	}{p.Type, p.Text, []string{}, logprobs})
}

// ResponseEvent is an event of a streamed response. Which fields it has its type says.
type ResponseEvent struct {
	Type         string          `json:"type"`
	Sequence     int             `json:"sequence_number"`
	Response     *Response       `json:"response,omitempty"`
	OutputIndex  *int            `json:"output_index,omitempty"`
	Item         *OutputItem     `json:"item,omitempty"`
	ItemID       string          `json:"item_id,omitempty"`
	ContentIndex *int            `json:"content_index,omitempty"`
	Part         *OutputPart     `json:"part,omitempty"`
	Delta        *string         `json:"delta,omitempty"`
	Text         *string         `json:"text,omitempty"`
	Name         string          `json:"name,omitempty"`
	Arguments    *string         `json:"arguments,omitempty"`
	Logprobs     *[]TokenLogprob `json:"logprobs,omitempty"`
}

// newResponse is a response that nothing has come of yet.
func (q *ResponseRequest) newResponse(id string, j *chatJob) *Response {
	p := j.request.Sample
	r := &Response{
		ID: id, Object: "response", CreatedAt: j.created, Status: "in_progress", Instructions: optional(q.Instructions), MaxOutputTokens: q.MaxTokens, Model: j.name,
		Output: []OutputItem{}, ParallelToolCalls: valueOr(q.ParallelToolCalls, true), Reasoning: q.told.reasoning, Temperature: p.Temperature,
		Text: q.told.text, ToolChoice: q.told.choice, Tools: q.told.tools, TopP: p.TopP, Truncation: "disabled",
		User: q.told.user, Metadata: q.told.metadata, prefix: q.Prefix(),
	}
	if q.Truncate {
		r.Truncation = "auto"
	}
	if r.Reasoning == nil {
		r.Reasoning = map[string]any{"effort": nil, "summary": nil}
	}
	if r.Text == nil {
		r.Text = map[string]any{"format": map[string]any{"type": "text"}}
	}
	if r.ToolChoice == nil {
		r.ToolChoice = ToolsAuto
	}
	if r.Tools == nil {
		r.Tools = []any{}
	}
	if r.Metadata == nil {
		r.Metadata = map[string]any{}
	}
	return r
}

func (r *Response) notes() (string, []string) { return r.prefix, r.Warnings }
