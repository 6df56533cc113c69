package engine

import (
	"time"

	"quire/engine/sample"
)

// Request asks for tokens after a prompt.
type Request struct {
	Prompt    []int32       // token ids, at least one
	MaxTokens int           // the most tokens to generate; 0: until the model ends or the context is full
	Sample    sample.Params // the zero value is greedy; its Logprobs asks for log-probabilities
	Stop      []string      // texts that end generation; they are not part of the output
	IgnoreEnd bool          // go on past end tokens
	Special   bool          // show special tokens in the text
	Priority  int           // the lower, the sooner
	Tenant    string        // turns are shared out among tenants

	// Logits, when set, receives the logits of every position, the prompt's too, in order. Slow: for tests and research.
	Logits func(position int, logits []float32)
}

// FinishReason says why a stream ended.
type FinishReason string

// The finish reasons.
const (
	FinishStop      FinishReason = "stop"      // an end token or a stop text
	FinishLength    FinishReason = "length"    // MaxTokens or the context's end
	FinishCancelled FinishReason = "cancelled" // Stream.Cancel or its context
	FinishError     FinishReason = "error"     // Result.Err says which
)

// Candidate is a token with its raw logit and its log-probability before temperature and penalties.
type Candidate struct {
	ID      int32   `json:"id"`
	Logit   float32 `json:"logit"`
	Logprob float32 `json:"logprob"`
}

// Token is one generated token.
type Token struct {
	Candidate
	Top []Candidate `json:"top"` // the best few, best first; with Sample.Logprobs
}

// Chunk is what has newly come: the token, and the text that is now certain (whole code points, no part of a stop text).
type Chunk struct {
	Token Token
	Text  string
}

// Result is a stream's end.
type Result struct {
	Reason  FinishReason
	Err     error // with FinishError
	IDs     []int32
	Text    string
	Tokens  []Token // with Sample.Logprobs, one a generated token
	Figures Figures
}

// Figures are what a request took.
type Figures struct {
	PromptTokens    int           `json:"prompt_tokens"`
	CachedTokens    int           `json:"cached_tokens"`
	GeneratedTokens int           `json:"generated_tokens"`
	TimeToFirst     time.Duration `json:"time_to_first_ns"` // from Submit
	PromptPerSecond float64       `json:"prompt_tokens_per_s"`
	DecodePerSecond float64       `json:"decode_tokens_per_s"`
	Blocks          int           `json:"blocks"` // the most blocks held
}
