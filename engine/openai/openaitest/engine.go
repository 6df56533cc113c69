// Package openaitest has a model for tests of the API's doors: it needs no GPU, and says what a test has it say.
package openaitest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"quire/engine/chat"
	"quire/engine/generation"
	"quire/engine/openai"
	"quire/engine/step"
	"quire/engine/tokenizer"
)

// Engine is a model that says what it is told to. A byte is a token, and so is each of Marks.
type Engine struct {
	// Say gives a choice's answer to a prompt, both with special tokens written out; nil: it repeats the prompt's end. What the
	// request's grammar does not allow becomes something at random that it does.
	Say func(prompt string, choice int) string
	// Pace is how long a token takes.
	Pace time.Duration
	// Err finishes every request, after FailAfter tokens.
	Err       error
	FailAfter int
	// Endless has answers begin again rather than end.
	Endless bool
	// Ask sees each request.
	Ask func(generation.Request)

	Running atomic.Int64 // requests that have not ended

	about     openai.About
	template  *chat.Template
	tokenizer *tokenizer.Tokenizer
	limits    generation.Limits
	next      atomic.Uint64
}

// ChatML is a template that shows tools as Hermes does.
const ChatML = `{%- if tools %}<|im_start|>system
Tools: {{ tools | tojson }} Call as <tool_call>{"name": ..., "arguments": ...}</tool_call>.<|im_end|>
{% endif %}{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content if message.content }}{% for call in message.tool_calls or [] %}<tool_call>{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}</tool_call>{% endfor %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}`

// Context is the most tokens of a prompt and its answer.
const Context = 4096

// Marks are tokens beside the bytes.
var Marks = []string{"<|im_start|>", "<|im_end|>", "[TOOL_CALLS]", "[ARGS]", "<think>", "</think>", "<tool_call>", "</tool_call>"}

// Dimensions are an embedding's.
const Dimensions = 4

// New makes a model with a chat template's text; "" for none.
func New(name, template string) *Engine {
	e := &Engine{tokenizer: byteTokenizer()}
	if template != "" {
		var err error
		if e.template, err = chat.New(template, "", "<|im_end|>"); err != nil {
			panic(err)
		}
	}
	vocabulary := e.tokenizer.Size()
	e.about = openai.About{Name: name, Context: Context, Vocabulary: vocabulary, TokenBytes: 12, Template: template, Dimensions: Dimensions, Scores: true,
		Pooling: generation.PoolMean, Created: 1700000000}
	e.limits = generation.Limits{Vocabulary: vocabulary, Ends: e.tokenizer.Ends(), MaxSeqs: 16, Context: func(int) int { return Context }, Pooling: generation.PoolMean, Rank: step.PoolLast}
	return e
}

// Submit runs a request in a goroutine of its own.
func (e *Engine) Submit(ctx context.Context, r generation.Request) (openai.Stream, error) {
	if err := r.Validate(e.limits); err != nil {
		return nil, err
	}
	m, err := e.matcher(&r)
	if err != nil {
		return nil, err
	}
	if e.Ask != nil {
		e.Ask(r)
	}
	s := newStream()
	g := generation.New(r.Settled(e.limits), e.tokenizer, s)
	g.Number(func() uint64 { return e.next.Add(1) })
	e.Running.Add(1)
	go func() {
		defer e.Running.Add(-1)
		e.run(ctx, g, s, m)
	}()
	return s, nil
}

// ChatText renders messages, whose parts are joined.
func (e *Engine) ChatText(messages []chat.Message, o chat.Options) (string, error) {
	messages = slices.Clone(messages)
	for i, m := range messages {
		parts, _ := m.Content.([]any)
		var texts []string
		for _, p := range parts {
			texts = append(texts, p.(map[string]any)["text"].(string))
		}
		if parts != nil {
			messages[i].Content = strings.Join(texts, "\n")
		}
	}
	return e.template.Converse(messages, o)
}

// TextPrompt gives a text's tokens.
func (e *Engine) TextPrompt(text string) ([]int32, error) {
	ids := e.tokenizer.EncodePrompt(text, tokenizer.EncodeOptions{Special: true})
	if len(ids) == 0 {
		return nil, errors.Join(generation.ErrBadRequest, errors.New("the prompt is empty"))
	}
	return ids, nil
}

// EmbedPrompt gives a text's tokens.
func (e *Engine) EmbedPrompt(text string) ([]int32, error) { return e.TextPrompt(text) }

// PairPrompt gives the tokens of a query and a document.
func (e *Engine) PairPrompt(query, document string) ([]int32, error) {
	return e.TextPrompt(query + "\n" + document)
}

// Tokenizer gives the tokenizer of bytes.
func (e *Engine) Tokenizer() *tokenizer.Tokenizer { return e.tokenizer }

// LoRA knows one adapter, "kites".
func (e *Engine) LoRA(name string) (uint64, error) {
	if name != "kites" {
		return 0, errors.New("none of that name is loaded")
	}
	return 7, nil
}

// Change has the model described otherwise.
func (e *Engine) Change(change func(*openai.About)) { change(&e.about) }

// About describes the model.
func (e *Engine) About() openai.About { return e.about }

// Models has one model for all names but "missing".
type Models struct {
	*Engine
	Taken atomic.Int64 // engines that are not let go yet
}

// List gives the one model.
func (m *Models) List(context.Context) []openai.ModelInfo {
	return []openai.ModelInfo{{ID: m.about.Name, Created: m.about.Created, Context: Context, Loaded: true}}
}

// Take gives the one engine.
func (m *Models) Take(_ context.Context, name string) (openai.Engine, func(), error) {
	if name == "missing" {
		return nil, nil, openai.UnknownModel(name)
	}
	m.Taken.Add(1)
	return m.Engine, func() { m.Taken.Add(-1) }, nil
}

// stream is a request's output.
type stream struct {
	mu       sync.Mutex
	chunks   []generation.Chunk
	result   *generation.Result
	wake     chan struct{}
	cancel   chan struct{}
	cancelMe func()
}

func newStream() *stream {
	s := &stream{wake: make(chan struct{}, 1), cancel: make(chan struct{})}
	s.cancelMe = sync.OnceFunc(func() { close(s.cancel) })
	return s
}

// Push implements generation.Sink.
func (s *stream) Push(c generation.Chunk) {
	s.mu.Lock()
	s.chunks = append(s.chunks, c)
	s.mu.Unlock()
	s.signal()
}

// Finish implements generation.Sink.
func (s *stream) Finish(r generation.Result) {
	s.mu.Lock()
	s.result = &r
	s.mu.Unlock()
	s.signal()
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Next gives the next chunk.
func (s *stream) Next() (generation.Chunk, bool) {
	for {
		s.mu.Lock()
		if len(s.chunks) > 0 {
			c := s.chunks[0]
			s.chunks = s.chunks[1:]
			s.mu.Unlock()
			return c, true
		}
		done := s.result != nil
		s.mu.Unlock()
		if done {
			return generation.Chunk{}, false
		}
		<-s.wake
	}
}

// Cancel ends the request.
func (s *stream) Cancel() { s.cancelMe() }

// Result waits for the end.
func (s *stream) Result() generation.Result {
	for {
		if _, more := s.Next(); !more {
			return *s.result
		}
	}
}
