package engine

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"quire/engine/chat"
	"quire/engine/generation"
	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/loop"
	"quire/engine/model"
	"quire/engine/runner"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/engine/session"
	"quire/engine/sha256"
	"quire/engine/step"
	"quire/engine/tokenizer"
)

// Errors that callers tell apart with errors.Is.
var (
	ErrContextTooLong   = generation.ErrContextTooLong
	ErrQueueFull        = schedule.ErrQueueFull
	ErrUnsupportedModel = model.ErrUnsupported
	ErrAdapter          = model.ErrAdapter
	ErrClosed           = loop.ErrClosed
	ErrBadRequest       = generation.ErrBadRequest
	ErrSessionFormat    = session.ErrFormat
	ErrSessionDamaged   = session.ErrDamaged
	ErrSessionModel     = session.ErrModel
	ErrDeadline         = generation.ErrDeadline

	// ErrNotNumbers finishes a request whose logits are infinity or NaN, and no other.
	ErrNotNumbers = generation.ErrNotNumbers
)

// Info describes an opened model.
type Info struct {
	Name         string `json:"name"`
	Architecture string `json:"architecture"`
	Parameters   int64  `json:"parameters"`
	WeightBytes  uint64 `json:"weightBytes"` // on the GPU
	KVBytes      uint64 `json:"kvBytes"`
	KVTokenBytes int    `json:"kvTokenBytes"` // that a token takes of them
	// LargestContext is the longest context of one sequence for which the KV memory is enough, by KV type; at most what the model
	// was trained for.
	LargestContext map[string]int  `json:"largestContext"`
	StateBytes     uint64          `json:"stateBytes"` // for the states of layers without K and V, of all slots
	StateSlots     int             `json:"stateSlots"` // for running sequences and snapshots
	DraftModel     string          `json:"draftModel"` // that drafts; "": none
	DraftBytes     uint64          `json:"draftBytes"` // on the GPU: its weights and its KV cache
	Vocabulary     int             `json:"vocabulary"`
	Context        int             `json:"context"`
	TokenBudget    int             `json:"tokenBudget"` // tokens a step
	Blocks         int             `json:"blocks"`
	BlockSize      int             `json:"blockSize"`
	KVType         string          `json:"kvType"`
	Variant        string          `json:"variant"`
	Deterministic  bool            `json:"deterministic"`
	Chat           bool            `json:"chat"`    // the model has a chat template
	Pooling        Pooling         `json:"pooling"` // how Embed pools unless it says: the model's way, or the mean
	NoText         bool            `json:"noText"`  // the model gives embeddings or scores only
	Adapter        gpu.AdapterInfo `json:"adapter"`
	Defaults       sample.Params   `json:"defaults"` // what the model is best drawn with
	SelfTest       SelfTest        `json:"selfTest"`
	Kernels        Kernels         `json:"kernels"`
	LoadTime       Duration        `json:"loadTime"`
	Warnings       []string        `json:"warnings"` // sentences about what in the file is not used, a context beyond the model's, and what failed the self-test

	Template   string   `json:"-"` // the chat template's text
	Dimensions int      `json:"-"` // of an embedding
	Labels     int      `json:"-"` // scores that a model that ranks gives; 0: it does not rank
	WeightTime Duration `json:"-"` // of the load, from the first weight that was read to the last in place
}

// SelfTest says which kernels computed rightly as the model loaded, none where there was no test.
type SelfTest struct {
	Kernels  []string `json:"kernels"`
	Replaced []string `json:"replaced"` // computed wrongly; their baseline, which did not, runs in their place
	Time     Duration `json:"time"`     // that the load took longer for it
}

// Kernels says what came of the kernels that the model needs.
type Kernels struct {
	Compiled int      `json:"compiled"`
	Reused   int      `json:"reused"` // in the tab: compiled for an engine that was closed before
	Time     Duration `json:"time"`   // of the load in which at least one was being compiled
}

// SelfTestError is why a model does not open on an adapter whose baseline kernels compute wrongly.
type SelfTestError = kernel.SelfTestError

// selfTest is a runner's test as Info has it.
func selfTest(t runner.SelfTest) SelfTest {
	return SelfTest{Kernels: append([]string{}, t.Kernels...), Replaced: append([]string{}, t.Replaced...), Time: Duration{Duration: t.Took}}
}

// Engine runs one model for many requests at once. Its methods may be called from any goroutine.
type Engine struct {
	plan    *model.Plan
	source  gpu.Source
	options Options
	info    Info
	kernels []*gpu.Module

	usualDepth bool // Options.Depth was not set

	readVocabulary func() error // fills what follows, while the device is awaited: a tab takes long for it
	tokenizer      *tokenizer.Tokenizer
	breakers       *generation.Breakers
	grammars       *generation.Grammars
	template       *chat.Template
	templateText   string
	templateErr    error  // why the model's template cannot be used
	pair           string // what a query and a document are put into, where the file says; "" otherwise

	mu       sync.Mutex // guards what follows
	stats    Stats
	profile  []runner.KernelTime
	done     chan struct{}
	closeErr error // once done is closed

	adapters adapters
	events   events
	loop     *loop.Loop
	limits   generation.Limits

	// The loop's.
	machine   *machine
	scheduler *schedule.Scheduler
	batch     batch // the last step's
	// sharedBudget is how many tokens a step has where somebody decodes; 0: as many as others.
	sharedBudget int
	runBlocks    int // of a session that is saved; 0: as many as may be
	print        session.Fingerprint
	printed      bool                 // print is known
	header       int64                // bytes of the model's header
	headerSum    [sha256.Size]byte    // of what K and V depend on of it
	sightings    map[uint64]*sighting // by streams
	trace        func(*step.Step)     // tests look at every step
}

// run is the engine's goroutine.
func (e *Engine) run() {
	defer close(e.done)
	e.loop.Run()
	e.events.close()
	e.closeErr = errors.Join(e.source.Close(), e.adapters.close())
	if src := e.options.DraftModel; src != nil {
		e.closeErr = errors.Join(e.closeErr, src.Close())
	}
}

// Tokenizer returns the model's tokenizer.
func (e *Engine) Tokenizer() *tokenizer.Tokenizer { return e.tokenizer }

// HasTemplate reports whether the model has a chat template.
func (e *Engine) HasTemplate() bool { return e.template != nil || e.templateErr != nil }

// ChatPrompt returns the token ids of the prompt for the answer to messages, which ChatText renders.
func (e *Engine) ChatPrompt(messages []chat.Message, o chat.Options) ([]int32, error) {
	o.AddGenerationPrompt = true
	text, err := e.ChatText(messages, o)
	if err != nil {
		return nil, err
	}
	return e.TextPrompt(text)
}

// ChatText renders messages with the model's chat template. A message's content is a text or a list of text parts. Where the template
// refuses a system message, the first user says its words.
func (e *Engine) ChatText(messages []chat.Message, o chat.Options) (string, error) {
	if e.templateErr != nil {
		return "", fmt.Errorf("%w: the model's chat template cannot be used, its prompts only as they are (--raw): %w", ErrUnsupportedModel, e.templateErr)
	}
	if e.template == nil {
		return "", fmt.Errorf("%w: the model has no chat template", ErrBadRequest)
	}
	messages, err := readable(e.template, messages)
	if err != nil {
		return "", err
	}
	return e.template.Converse(messages, o)
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

// EmbedPrompt returns the token ids of a text whose embedding is asked for: special tokens in it parsed, and the first and last
// tokens that the vocabulary asks for.
func (e *Engine) EmbedPrompt(text string) ([]int32, error) {
	ids := e.tokenizer.EncodeWhole(text, tokenizer.EncodeOptions{Special: true})
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w: the prompt is empty", ErrBadRequest)
	}
	return ids, nil
}

// PairPrompt returns the token ids of a query and a document whose score is asked for: in the form that the model's file has for
// them, and otherwise as its vocabulary pairs texts.
func (e *Engine) PairPrompt(query, document string) ([]int32, error) {
	if e.pair != "" {
		return e.EmbedPrompt(strings.NewReplacer("{query}", query, "{document}", document).Replace(e.pair))
	}
	ids := e.tokenizer.EncodePair(query, document, tokenizer.EncodeOptions{})
	if len(ids) == 0 {
		return nil, fmt.Errorf("%w: the prompt is empty", ErrBadRequest)
	}
	return ids, nil
}

// Kernels maps the SHA-256 of each compiled shader's final text to its kernel and variant.
func (e *Engine) Kernels() map[string]string {
	labels := map[string]string{}
	for _, m := range e.kernels {
		labels[m.Hash()] = m.Label
	}
	return labels
}

// Info describes the model.
func (e *Engine) Info() Info { return e.info }

// Stats returns what the engine does right now.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stats
}

// Close finishes all requests and gives everything on the GPU back.
func (e *Engine) Close() error {
	e.loop.Close()
	<-e.done
	return e.closeErr
}
