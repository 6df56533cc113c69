package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"quire/engine"
	"quire/engine/chat"
)

// batch runs prompts at once and writes their outputs in order.
type batch struct {
	host      *host
	engine    *engine.Engine
	json, raw bool
	adapters  *loraFiles

	session *engine.Session // what the prompt goes on with, or nil
	said    []int32         // the tokens of the last prompt and its answer

	waiting  []*pending // submitted, not yet written
	written  int
	several  bool
	headed   bool // a line before an output has been written
	failures []error
}

// pending is a prompt that runs.
type pending struct {
	prompt []int32
	seed   uint64
	stream *engine.Stream
	err    error // why it was not accepted

	maxTokens int // of an answer; 0: no limit
	answers   int // that come
}

// run submits everything and writes each output as soon as those before it are written.
func (b *batch) run(ctx context.Context, jobs []job) error {
	b.several = len(jobs) > 1
	for _, j := range jobs {
		p := b.submit(ctx, j)
		for errors.Is(p.err, engine.ErrQueueFull) && len(b.waiting) > 0 {
			if err := b.write(); err != nil {
				return err
			}
			p = b.submit(ctx, j)
		}
		b.waiting = append(b.waiting, p)
	}
	for len(b.waiting) > 0 {
		if err := b.write(); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) submit(ctx context.Context, j job) *pending {
	p := &pending{}
	switch {
	case b.session != nil && (j.Prompt == "" || b.raw || !b.engine.HasTemplate()):
		p.prompt = b.session.TextPrompt(j.Prompt)
	case b.session != nil:
		p.prompt, p.err = b.session.ChatPrompt(j.Prompt)
	case j.IDs != nil:
		p.prompt = j.IDs
	case j.Messages != nil:
		p.prompt, p.err = b.engine.ChatPrompt(j.Messages)
	case b.engine.HasTemplate() && !b.raw:
		p.prompt, p.err = b.engine.ChatPrompt([]chat.Message{{Role: "user", Content: j.Prompt}})
	default:
		p.prompt, p.err = b.engine.TextPrompt(j.Prompt)
	}
	if p.err != nil {
		return p
	}
	r := j.request(p.prompt)
	r.LoRA = b.adapters.named(j.lora)
	p.seed = r.Sample.Seed
	p.maxTokens, p.answers = j.MaxTokens, max(j.N, 1)
	p.stream, p.err = b.engine.Submit(ctx, r)
	return p
}

// keep remembers what was said.
func (b *batch) keep(p *pending, r engine.Result) {
	if r.Reason != engine.FinishError {
		b.said = slices.Concat(p.prompt, r.IDs)
	}
}

// write writes the first waiting output to its end.
func (b *batch) write() error {
	p := b.waiting[0]
	b.waiting = b.waiting[1:]
	b.written++
	if b.json {
		return b.writeObject(p)
	}
	return b.writeText(p)
}

// fail keeps an error, and tells it now where there are several outputs and the JSON does not carry it.
func (b *batch) fail(err error) {
	b.failures = append(b.failures, err)
	if b.several && !b.json {
		fmt.Fprintf(b.host.err, "prompt %d: %s\n", b.written, say(err))
	}
}

// output is one prompt's JSON object.
type output struct {
	PromptIDs []int32 `json:"promptIds"`
	engine.Result
	Error   string        `json:"error,omitempty"`
	Figures outputFigures `json:"figures"`
}

type outputFigures struct {
	Adapter  string          `json:"adapter"`
	LoadTime engine.Duration `json:"loadTime"`
	Seed     uint64          `json:"seed"`
	engine.Figures
}

func (b *batch) writeObject(p *pending) error {
	info := b.engine.Info()
	o := output{PromptIDs: orEmpty(p.prompt), Result: engine.Result{Reason: engine.FinishError, IDs: []int32{}, Choices: []engine.Choice{}},
		Figures: outputFigures{Adapter: info.Adapter.Name, LoadTime: info.LoadTime, Seed: p.seed}}
	err := p.err
	if err == nil {
		r := p.stream.Result()
		b.keep(p, r)
		o.Result, o.Figures.Figures = r, r.Figures
		if r.Reason == engine.FinishError {
			err = r.Err
		}
	}
	if err != nil {
		o.Error = say(err)
		b.fail(err)
	}
	return writeJSON(b.host.out, o)
}
