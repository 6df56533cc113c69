package openai

import "quire/engine/json"

// ChatCompletion is what /v1/chat/completions answers.
type ChatCompletion struct {
	ID       string       `json:"id"`
	Object   string       `json:"object"` // "chat.completion"
	Created  int64        `json:"created"`
	Model    string       `json:"model"`
	Choices  []ChatChoice `json:"choices"`
	Usage    Usage        `json:"usage"`
	Dropped  int          `json:"dropped,omitempty"` // messages that "truncation": "auto" left out
	Warnings []string     `json:"warnings,omitempty"`

	prefix string
}

// ChatChoice is one of the answers.
type ChatChoice struct {
	Index        int           `json:"index"`
	Message      AnswerMessage `json:"message"`
	Logprobs     *Logprobs     `json:"logprobs"`
	FinishReason string        `json:"finish_reason"` // stop, length or tool_calls
}

// AnswerMessage is an assistant's turn.
type AnswerMessage struct {
	Role             string     `json:"role"` // "assistant"
	Content          *string    `json:"content"`
	ReasoningContent string     `json:"reasoning_content,omitempty"`
	Refusal          *string    `json:"refusal"` // nil: models say so in words
	ToolCalls        []ToolCall `json:"tool_calls,omitempty"`
}

// ChatChunk is an event of a streamed answer.
type ChatChunk struct {
	ID       string        `json:"id"`
	Object   string        `json:"object"` // "chat.completion.chunk"
	Created  int64         `json:"created"`
	Model    string        `json:"model"`
	Choices  []DeltaChoice `json:"choices"` // none in the chunk with the usage
	Usage    *Usage        `json:"usage,omitempty"`
	Dropped  int           `json:"dropped,omitempty"` // in the last chunk: messages that "truncation": "auto" left out
	Warnings []string      `json:"warnings,omitempty"`

	later bool // the usage was asked for, and comes in the last chunk
}

// MarshalJSON writes null for a usage that comes later.
func (c ChatChunk) MarshalJSON() ([]byte, error) {
	type plain ChatChunk
	return marshalUsage(plain(c), c.later)
}

// marshalUsage writes an event of a stream; null for its usage, which it has not, where that comes later.
func marshalUsage(event any, later bool) ([]byte, error) {
	text, err := json.Marshal(event)
	if later && err == nil {
		text = append(text[:len(text)-1], `,"usage":null}`...)
	}
	return text, err
}

// DeltaChoice is what is new of a choice.
type DeltaChoice struct {
	Index        int       `json:"index"`
	Delta        Delta     `json:"delta"`
	Logprobs     *Logprobs `json:"logprobs"`
	FinishReason *string   `json:"finish_reason"`
}

// Delta is what is new of a message.
type Delta struct {
	Role             string          `json:"role,omitempty"`
	Content          *string         `json:"content,omitempty"`
	ReasoningContent *string         `json:"reasoning_content,omitempty"`
	ToolCalls        []ToolCallDelta `json:"tool_calls,omitempty"`
}

// ToolCallDelta is what is new of a call: first its name, then pieces of its arguments.
type ToolCallDelta struct {
	Index    int           `json:"index"`
	ID       string        `json:"id,omitempty"`
	Type     string        `json:"type,omitempty"` // "function", with the name
	Function FunctionDelta `json:"function"`
}

// FunctionDelta is what is new of a call's function.
type FunctionDelta struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

// Logprobs are the log-probabilities of tokens.
type Logprobs struct {
	Content []TokenLogprob `json:"content"`
	Refusal []TokenLogprob `json:"refusal"`
}

// TokenLogprob is a token's, with those of the likeliest in its place.
type TokenLogprob struct {
	Logprob
	Top []Logprob `json:"top_logprobs"`
}

// Logprob is a token's log-probability before temperature and penalties.
type Logprob struct {
	Token   string  `json:"token"`
	Logprob float32 `json:"logprob"`
	Bytes   []int   `json:"bytes"`
}

// Usage counts tokens.
type Usage struct {
	PromptTokens     int                `json:"prompt_tokens"`
	CompletionTokens int                `json:"completion_tokens"`
	TotalTokens      int                `json:"total_tokens"`
	Prompt           PromptDetails      `json:"prompt_tokens_details"`
	Completion       *CompletionDetails `json:"completion_tokens_details,omitempty"`
}

// PromptDetails say how many of a prompt's tokens were not computed again.
type PromptDetails struct {
	CachedTokens int `json:"cached_tokens"`
}

// CompletionDetails say how many of an answer's tokens are reasoning.
type CompletionDetails struct {
	ReasoningTokens int `json:"reasoning_tokens"`
}
