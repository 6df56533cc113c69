package engine

import (
	"slices"
	"time"

	"quire/engine/sample"
)

// Request asks for tokens after a prompt.
type Request struct {
	Prompt    []int32       // token ids, at least one, computed once for all choices
	MaxTokens int           // the most tokens to generate; 0: until the model ends or the context is full
	Sample    sample.Params // the zero value is greedy; its Logprobs asks for log-probabilities
	Stop      []string      // texts that end generation; they are not part of the output
	IgnoreEnd bool          // go on past end tokens
	Special   bool          // show special tokens in the text
	Priority  int           // the lower, the sooner
	Tenant    string        // turns are shared out among tenants
	Salt      string        // cached blocks are shared only under an equal salt, such as a tenant's or an origin's name; sessions have none

	Deadline time.Time // ends the request as cancelled, with ErrDeadline; zero: none

	N      int    // choices to give; 0: 1. Choice i is drawn with Sample.Seed+i
	BestOf int    // draws to make, of which the N with the best mean log-probability are given; 0: N
	Beams  *Beams // search instead of drawing; Sample must be greedy, and there is no BestOf, Stop or Logits

	// Logits, when set, receives the logits of every position, the prompt's too, in order. Slow: for tests and research. It runs
	// in the step loop and must not call the engine.
	Logits func(position int, logits []float32)
}

// own makes r independent of what its caller may change after Submit.
func (r *Request) own() {
	r.Prompt, r.Stop = slices.Clone(r.Prompt), slices.Clone(r.Stop)
	if r.Beams != nil {
		beams := *r.Beams
		r.Beams = &beams
	}
}

// FinishReason says why a stream ended.
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
	Index int // of the choice
}

// Result is a stream's end. Reason, Limit, IDs, Text and Tokens are those of the first choice, but Reason is FinishCancelled or
// FinishError whenever the request ended so.
type Result struct {
	Reason  FinishReason
	Limit   Limit // with FinishLength
	Err     error // with FinishError, and ErrDeadline
	IDs     []int32
	Text    string
	Tokens  []Token // with Sample.Logprobs, one a generated token
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
	Tokens []Token // with Sample.Logprobs, one a generated token

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
