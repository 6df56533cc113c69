package generation

import (
	"time"

	"quire/engine/sample"
)

// FinishReason says why a request finished, or one of its choices.
type FinishReason string

// The finish reasons.
const (
	FinishStop      FinishReason = "stop"      // an end token or a stop text
	FinishLength    FinishReason = "length"    // MaxTokens or the context's end
	FinishCancelled FinishReason = "cancelled" // Stream.Cancel, its context, or its deadline (Result.Err is ErrDeadline)
	FinishError     FinishReason = "error"     // Result.Err says which
)

// Limit says which limit a text ended at, with FinishLength.
type Limit string

// The limits.
const (
	LimitTokens  Limit = "max_tokens" // Request.MaxTokens
	LimitContext Limit = "context"    // Options.Context, or what the model or the KV cache has room for
)

// Chunk is what has newly come: the token, and the text that is now certain (whole code points, no part of a stop text).
type Chunk struct {
	Token sample.Token
	Text  string
	Index int // of the choice
}

// Result is a stream's end. Reason, Limit, IDs, Text and Tokens are those of the first choice, but Reason is FinishCancelled or
// FinishError whenever the request finished so.
type Result struct {
	Reason  FinishReason
	Limit   Limit // with FinishLength
	Err     error // with FinishError, and ErrDeadline
	IDs     []int32
	Text    string
	Tokens  []sample.Token // with Sample.Logprobs, one a generated token
	Choices []Choice
	Figures Figures
}

// Choice is one of a request's answers.
type Choice struct {
	Index  int // from 0; with BestOf over N, and with Beams, the best is first
	Reason FinishReason
	Limit  Limit // with FinishLength
	IDs    []int32
	Text   string
	Tokens []sample.Token // with Sample.Logprobs, one a generated token

	// Logprob is the sum of the tokens' log-probabilities, and Score what choices are ranked by: their mean, and with
	// Beams the sum over the number of tokens to the power of the length penalty. Both are 0 where nothing asks for
	// log-probabilities: no Sample.Logprobs, no BestOf over N, no Beams.
	Logprob, Score float64
}

// Figures are what a request took.
type Figures struct {
	PromptTokens    int           `json:"prompt_tokens"`
	CachedTokens    int           `json:"cached_tokens"`
	GeneratedTokens int           `json:"generated_tokens"` // what BestOf and Beams left out too
	TimeToFirst     time.Duration `json:"-"`                // from Submit
	PromptPerSecond float64       `json:"prompt_tokens_per_second"`
	DecodePerSecond float64       `json:"decode_tokens_per_second"`
	Blocks          int           `json:"blocks"` // the most blocks held, shared ones once
}
