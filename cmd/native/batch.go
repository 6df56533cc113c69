package main

import (
	"context"
	"slices"

	"quire/cmd/native/talk"
	"quire/engine"
	"quire/engine/chat"
)

// batch runs prompts at once and writes their outputs in order.
type batch struct {
	host      *host
	engine    *engine.Engine
	json, raw bool
	adapters  *loraFiles

	session  *engine.Session // what the prompt goes on with, or nil
	said     []int32         // the tokens of the last prompt and its answer
	messages []chat.Message  // of them, as far as they are known

	queue
	headed bool // a line before an output has been written
}

// run submits all jobs and writes their outputs.
func (b *batch) run(ctx context.Context, jobs []job) error {
	return b.queue.run(jobs, func(j job) *pending { return b.submit(ctx, j) }, b.write)
}

func (b *batch) submit(ctx context.Context, j job) *pending {
	p := &pending{}
	switch {
	case b.session != nil && (j.Prompt == "" || b.raw || !b.engine.HasTemplate()):
		p.prompt = b.session.TextPrompt(j.Prompt)
		if j.Prompt == "" {
			p.messages = messagesOf(b.session)
		}
	case b.session != nil:
		p.prompt, p.err = b.session.ChatPrompt(j.Prompt)
		if p.messages = messagesOf(b.session); p.messages != nil {
			p.messages = append(p.messages, chat.Message{Role: "user", Content: j.Prompt})
		}
	case j.IDs != nil:
		p.prompt = j.IDs
	case j.Messages == nil && j.system == "" && (b.raw || !b.engine.HasTemplate()):
		p.prompt, p.err = b.engine.TextPrompt(j.Prompt)
	default:
		if p.messages = j.Messages; p.messages == nil {
			p.messages = []chat.Message{{Role: "user", Content: j.Prompt}}
		}
		p.messages = withSystem(j.system, p.messages)
		p.prompt, p.err = b.engine.ChatPrompt(p.messages, talk.TemplateOptions(j.template))
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
		b.said, b.messages = slices.Concat(p.prompt, r.IDs), answered(p.messages, r.Text)
	}
}

// write writes an output to its end.
func (b *batch) write(p *pending) error {
	if b.json {
		return b.writeObject(p)
	}
	return b.writeText(p)
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
		b.fail(b.host, err, b.json)
	}
	return writeJSON(b.host.out, o)
}
