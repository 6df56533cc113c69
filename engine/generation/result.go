package generation

import (
	"strconv"
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
	LimitTokens  Limit = "maxTokens" // Request.MaxTokens
	LimitContext Limit = "context"   // Options.Context, or what the model or the KV cache has room for
)

// Chunk is what has newly come: the token, and the text that is now certain (whole code points, no part of a stop text).
type Chunk struct {
	Token sample.Token `json:"token"`
	Text  string       `json:"text"`
	Index int          `json:"index"` // of the choice

	Reason FinishReason `json:"-"` // why the choice ends with it; "": it goes on
}

// Result is a stream's end. Reason, Limit, IDs, Text and Tokens are those of the first choice, but Reason is FinishCancelled or
// FinishError whenever the request finished so.
type Result struct {
	Reason  FinishReason   `json:"reason"`
	Limit   Limit          `json:"limit,omitempty"` // with FinishLength
	Err     error          `json:"-"`               // with FinishError, and ErrDeadline
	IDs     []int32        `json:"ids"`
	Text    string         `json:"text"`
	Tokens  []sample.Token `json:"logprobs,omitempty"` // with Sample.Logprobs, one a generated token
	Choices []Choice       `json:"choices"`
	Figures Figures        `json:"figures"`

	Embedding []float32 `json:"embedding,omitempty"` // with Request.Embed
	Scores    []float32 `json:"scores,omitempty"`    // with PoolRank: one a label of the model; the first is a reranker's
}

// Choice is one of a request's answers.
type Choice struct {
	Index  int            `json:"index"` // from 0; with BestOf over N, and with Beams, the best is first
	Reason FinishReason   `json:"reason"`
	Limit  Limit          `json:"limit,omitempty"` // with FinishLength
	IDs    []int32        `json:"ids"`
	Text   string         `json:"text"`
	Tokens []sample.Token `json:"logprobs,omitempty"` // with Sample.Logprobs, one a generated token

	// Logprob is the sum of the tokens' log-probabilities, and Score what choices are ranked by: their mean, and with
	// Beams the sum over the number of tokens to the power of the length penalty. Both are 0 where nothing asks for
	// log-probabilities: no Sample.Logprobs, no BestOf over N, no Beams.
	Logprob float64 `json:"logprob"`
	Score   float64 `json:"score"`
}

// Figures are what a request took.
type Figures struct {
	PromptTokens    int      `json:"promptTokens"`
	CachedTokens    int      `json:"cachedTokens"`
	GeneratedTokens int      `json:"generatedTokens"` // what BestOf and Beams left out too
	DraftedTokens   int      `json:"draftedTokens"`   // of drafts that were verified
	AcceptedTokens  int      `json:"acceptedTokens"`  // of them, those that were right
	TimeToFirst     Duration `json:"timeToFirst"`     // from Submit
	PromptPerSecond float64  `json:"promptPerSecond"` // tokens
	DecodePerSecond float64  `json:"decodePerSecond"` // tokens
	Blocks          int      `json:"blocks"`          // the most blocks held, shared ones once
}

// Duration is a time that JSON has in milliseconds, as JavaScript counts.
type Duration struct{ time.Duration }

// MarshalJSON writes milliseconds.
func (d Duration) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, 1000*d.Seconds(), 'g', -1, 64), nil
}
