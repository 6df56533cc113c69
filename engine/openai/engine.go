package openai

import (
	"context"

	"quire/engine/chat"
	"quire/engine/generation"
	"quire/engine/sample"
	"quire/engine/tokenizer"
)

// Engine is what is asked of a model that is loaded. Its methods may be called from any goroutine.
type Engine interface {
	// Submit queues a request. Cancelling ctx cancels it.
	Submit(ctx context.Context, r generation.Request) (Stream, error)
	// ChatText renders messages with the model's chat template. A message's content is a text or a list of text parts.
	ChatText(messages []chat.Message, o chat.Options) (string, error)
	// TextPrompt returns the token ids of a text that is to be continued, special tokens in it parsed.
	TextPrompt(text string) ([]int32, error)
	// EmbedPrompt returns the token ids of a text whose embedding is asked for, special tokens in it parsed.
	EmbedPrompt(text string) ([]int32, error)
	// PairPrompt returns the token ids of a query and a document whose score is asked for.
	PairPrompt(query, document string) ([]int32, error)
	// Tokenizer is the model's.
	Tokenizer() *tokenizer.Tokenizer
	// LoRA gives the number of an adapter that is loaded, by the name it was loaded under.
	LoRA(name string) (number uint64, err error)
	// About describes the model.
	About() About
}

// Stream is a request's output. One goroutine reads it; any may cancel it.
type Stream interface {
	Next() (c generation.Chunk, more bool) // blocks until a token comes
	Cancel()                               // finishes the request
	Result() generation.Result             // waits for the end
}

// About describes a model to those who answer for it.
type About struct {
	Name       string             // that answers give; "" where the request's is given back
	Context    int                // the most tokens of prompt and answer
	Vocabulary int                // tokens
	TokenBytes int                // of the longest token's text; 0: not known
	Template   string             // the chat template's text; "" where the model has none
	Defaults   sample.Params      // what the model is best drawn with
	Pooling    generation.Pooling // of embeddings, unless the file says rank
	Dimensions int                // of an embedding
	NoText     bool               // the model gives embeddings or scores only
	Scores     bool               // the model can rank
	Created    int64              // when the model was made or put in place, in seconds since 1970; 0: not known
}

// Models finds engines by name.
type Models interface {
	// List gives the models that can be asked for, loaded or not.
	List(ctx context.Context) []ModelInfo
	// Take gives a model's engine, which is loaded where it is not yet; "" is the only model, or the first. An *Error is told as
	// it is. Release is called when the answer has ended.
	Take(ctx context.Context, name string) (e Engine, release func(), err error)
}

// ModelInfo is a model as /v1/models lists it.
type ModelInfo struct {
	ID      string // what requests name it by
	Created int64  // in seconds since 1970
	OwnedBy string // "": quire
	Parent  string // of an adapter: its model
	Context int    // the most tokens of prompt and answer; 0: not known before the model is loaded
	Loaded  bool
}
