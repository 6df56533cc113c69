package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"quire/engine/chat"
	"quire/engine/gpu"
	"quire/engine/model"
	"quire/engine/runner"
	"quire/engine/schedule"
	"quire/engine/session"
	"quire/engine/step"
	"quire/engine/tokenizer"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrContextTooLong   = schedule.ErrContextTooLong
	ErrQueueFull        = schedule.ErrQueueFull
	ErrUnsupportedModel = model.ErrUnsupported
	ErrClosed           = errors.New("the engine is closed")
	ErrBadRequest       = errors.New("bad request")
	ErrSessionFormat    = session.ErrFormat
	ErrSessionDamaged   = session.ErrDamaged
	ErrSessionModel     = session.ErrModel
	ErrDeadline         = errors.New("the request's deadline has passed")

	// ErrNotNumbers ends a request whose logits are infinity or NaN, and no other.
	ErrNotNumbers = errors.New("the logits are not numbers: the model's weights hold infinity or NaN, or its sums overflow")
)

// Info describes an opened model.
type Info struct {
	Name, Architecture string
	Parameters         int64
	WeightBytes        uint64 // on the GPU
	KVBytes            uint64
	Vocabulary         int
	Context            int
	TokenBudget        int // tokens a step
	Blocks, BlockSize  int
	KVType, Variant    string
	Deterministic      bool
	Adapter            gpu.AdapterInfo
	LoadSeconds        float64
	Warnings           []string // sentences about what in the file is not used, and a context beyond the model's
}

// Engine runs one model for many requests at once. Its methods may be called from any goroutine.
type Engine struct {
	plan        *model.Plan
	source      gpu.Source
	options     Options
	runnerOpt   runner.Options
	tokenizer   *tokenizer.Tokenizer
	template    *chat.Template
	templateErr error // why the model's template cannot be used
	info        Info
	kernels     map[string]string

	mu       sync.Mutex // guards what follows
	incoming []*group
	cancels  []uint64
	calls    []func() // for the loop, between steps
	closing  bool
	next     uint64
	stats    Stats
	profile  []runner.KernelTime
	wake     chan struct{}
	done     chan struct{}
	closeErr error

	events events

	// The loop's own.
	device    *gpu.Device
	runner    *runner.Runner
	scheduler *schedule.Scheduler
	live      map[uint64]*sequence
	groups    map[uint64]*group
	counted   map[int32]bool // blocks, to count a group's
	step      step.Step
	failures  int   // devices lost in a row without a step landing
	batch     batch // the last step's
	print     session.Fingerprint
	printed   bool             // print is known
	header    int64            // bytes of the model's header
	trace     func(*step.Step) // tests look at every step
}

// Submit queues a request. Cancelling ctx cancels it. Its Stream must be read to the end or cancelled.
func (e *Engine) Submit(ctx context.Context, r Request) (*Stream, error) {
	r.own()
	if err := r.Sample.Validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadRequest, err)
	}
	if len(r.Prompt) == 0 {
		return nil, fmt.Errorf("%w: the prompt is empty", ErrBadRequest)
	}
	if r.MaxTokens < 0 {
		return nil, fmt.Errorf("%w: MaxTokens is %d", ErrBadRequest, r.MaxTokens)
	}
	for i, id := range r.Prompt {
		if id < 0 || int(id) >= e.info.Vocabulary {
			return nil, fmt.Errorf("%w: prompt token %d is %d, the vocabulary has %d", ErrBadRequest, i, id, e.info.Vocabulary)
		}
	}
	if len(r.Prompt) >= e.info.Context {
		return nil, fmt.Errorf("%w: it has %d tokens, the context %d; raise the context or the KV memory", ErrContextTooLong, len(r.Prompt), e.info.Context)
	}
	for _, stop := range r.Stop {
		if stop == "" {
			return nil, fmt.Errorf("%w: a stop text is empty", ErrBadRequest)
		}
	}
	if err := e.checkChoices(&r); err != nil {
		return nil, err
	}
	g := e.newGroup(r)
	ctx, release := r.bound(ctx)
	e.mu.Lock()
	if e.closing {
		e.mu.Unlock()
		release()
		return nil, ErrClosed
	}
	for _, q := range g.live {
		e.next++
		q.id = e.next
	}
	g.id = g.live[0].id
	g.stream = newStream(e, g.id)
	stop := context.AfterFunc(ctx, g.stream.Cancel)
	g.stopCtx = func() { stop(); release() }
	g.ctx = ctx
	e.incoming = append(e.incoming, g)
	e.mu.Unlock()
	e.signal()
	return g.stream, nil
}

func (e *Engine) cancel(id uint64) {
	e.mu.Lock()
	e.cancels = append(e.cancels, id)
	e.mu.Unlock()
	e.signal()
}

func (e *Engine) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// Tokenizer returns the model's tokenizer.
func (e *Engine) Tokenizer() *tokenizer.Tokenizer { return e.tokenizer }

// HasTemplate reports whether the model has a chat template.
func (e *Engine) HasTemplate() bool { return e.template != nil || e.templateErr != nil }

// ChatPrompt renders messages with the model's chat template and returns the token ids of a prompt for its answer. A
// message's content is a text or a list of text parts.
func (e *Engine) ChatPrompt(messages []chat.Message) ([]int32, error) {
	if e.templateErr != nil {
		return nil, fmt.Errorf("%w: the model's chat template cannot be used, its prompts only as they are (--raw): %w", ErrUnsupportedModel, e.templateErr)
	}
	if e.template == nil {
		return nil, fmt.Errorf("%w: the model has no chat template", ErrBadRequest)
	}
	messages, err := readable(e.template, messages)
	if err != nil {
		return nil, err
	}
	text, err := e.template.Render(messages, chat.Options{AddGenerationPrompt: true, Now: time.Now()})
	if err != nil {
		return nil, err
	}
	return e.TextPrompt(text)
}

// TextPrompt returns the token ids of a text as it is: special tokens in it parsed, BOS added where the vocabulary asks
// for it and the text does not begin with it.
func (e *Engine) TextPrompt(text string) ([]int32, error) {
	ids := e.tokenizer.EncodePrompt(text, tokenizer.EncodeOptions{Special: true})
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w: the prompt is empty", ErrBadRequest)
	}
	return ids, nil
}

// Kernels maps the SHA-256 of each compiled shader's final text to its kernel and variant.
func (e *Engine) Kernels() map[string]string { return e.kernels }

// Info describes the model.
func (e *Engine) Info() Info { return e.info }

// Stats returns what the engine does right now.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stats
}

// Close ends all requests and gives everything on the GPU back.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closing = true
	e.mu.Unlock()
	e.signal()
	<-e.done
	return e.closeErr
}
