package engine

import (
	"context"
	"errors"

	"quire/engine/chat"
	"quire/engine/gpu"
	"quire/engine/tokenizer"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrContextTooLong   = errors.New("the prompt is longer than the context")
	ErrUnsupportedModel = errors.New("unsupported model")
	ErrClosed           = errors.New("the engine is closed")
	ErrQueueFull        = errors.New("the queue is full")
)

// Info describes an opened model.
type Info struct {
	Name, Architecture string
	Parameters         int64
	WeightBytes        uint64 // on the GPU
	KVBytes            uint64
	Context            int
	Blocks, BlockSize  int
	KVType, Variant    string
	Deterministic      bool
	Adapter            gpu.AdapterInfo
	LoadSeconds        float64
}

// Stats is what the engine does right now.
type Stats struct {
	BlocksFree, BlocksActive, BlocksCached int
	Waiting, Running                       int
	Steps, Preemptions                     uint64
	Tokens                                 uint64 // generated
	Dispatches                             int    // in the last step
	GPU                                    gpu.Stats
}

// Engine runs one model for many requests at once. Its methods may be called from any goroutine.
type Engine struct{}

// Stream is one request's output.
type Stream struct{}

// Open reads a model's header from src, moves its weights to the GPU and compiles what it needs. The engine owns src.
func Open(ctx context.Context, src gpu.Source, o Options) (*Engine, error) { return nil, errors.New("in the making") }

// Submit queues a request. Cancelling ctx cancels it. Its Stream must be read to the end or cancelled.
func (e *Engine) Submit(ctx context.Context, r Request) (*Stream, error) { return nil, errors.New("in the making") }

// Next blocks until a token comes; false means that the stream has ended and Result says how.
func (s *Stream) Next() (Chunk, bool) { return Chunk{}, false }

// Cancel ends the request after the steps in flight; what has come stays.
func (s *Stream) Cancel() {}

// Result waits for the end of the stream (what Next has not taken is dropped) and returns it.
func (s *Stream) Result() Result { return Result{} }

// Tokenizer returns the model's tokenizer.
func (e *Engine) Tokenizer() *tokenizer.Tokenizer { return nil }

// HasTemplate reports whether the model has a chat template.
func (e *Engine) HasTemplate() bool { return false }

// ChatPrompt renders messages with the model's chat template and returns the token ids of a prompt for its answer.
func (e *Engine) ChatPrompt(messages []chat.Message) ([]int32, error) { return nil, nil }

// TextPrompt returns the token ids of a text as it is: special tokens in it parsed, BOS added where the vocabulary asks for it.
func (e *Engine) TextPrompt(text string) ([]int32, error) { return nil, nil }

// Info describes the model.
func (e *Engine) Info() Info { return Info{} }

// Stats returns what the engine does right now.
func (e *Engine) Stats() Stats { return Stats{} }

// Close ends all requests and gives everything on the GPU back.
func (e *Engine) Close() error { return nil }
