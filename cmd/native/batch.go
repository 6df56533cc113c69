package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"quire/engine"
	"quire/engine/chat"
)

// batch runs prompts at once and writes their outputs in order.
type batch struct {
	host      *host
	engine    *engine.Engine
	json, raw bool

	waiting  []*pending // submitted, not yet written
	written  int
	several  bool
	failures []error
}

// pending is a prompt that runs.
type pending struct {
	prompt []int32
	seed   uint64
	stream *engine.Stream
	err    error // why it was not accepted

	several, ranked bool // several answers may be asked for; their log-probabilities are known
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
	if b.engine.HasTemplate() && !b.raw {
		p.prompt, p.err = b.engine.ChatPrompt([]chat.Message{{Role: "user", Content: j.Prompt}})
	} else {
		p.prompt, p.err = b.engine.TextPrompt(j.Prompt)
	}
	if p.err != nil {
		return p
	}
	params := j.params()
	p.seed = params.Seed
	r := engine.Request{Prompt: p.prompt, MaxTokens: j.MaxTokens, Sample: params, Stop: j.Stop, IgnoreEnd: j.IgnoreEnd}
	j.apply(&r)
	p.several, p.ranked = j.asked(), j.BestOf > max(j.N, 1) || j.Beams.Width > 0 || params.Logprobs > 0
	p.stream, p.err = b.engine.Submit(ctx, r)
	return p
}

// write writes the first waiting output to its end.
func (b *batch) write() error {
	p := b.waiting[0]
	b.waiting = b.waiting[1:]
	b.written++
	if b.json {
		return b.writeObject(p)
	}
	if b.written > 1 {
		fmt.Fprintln(b.host.out)
	}
	if p.err != nil {
		b.fail(p.err)
		return nil
	}
	written := 0
	for chunk, more := p.stream.Next(); more; chunk, more = p.stream.Next() {
		if chunk.Text == "" || chunk.Index > 0 {
			continue
		}
		written += len(chunk.Text)
		if _, err := io.WriteString(b.host.out, chunk.Text); err != nil {
			p.stream.Cancel()
			return err
		}
	}
	r := p.stream.Result()
	// What a cancelled answer had held back, as a possible beginning of a stop text.
	if _, err := io.WriteString(b.host.out, r.Text[min(written, len(r.Text)):]); err != nil {
		return err
	}
	if !strings.HasSuffix(r.Text, "\n") {
		line := b.host.err // only the text goes to stdout
		if b.several || p.several || isTerminal(b.host.out) {
			line = b.host.out
		}
		fmt.Fprintln(line)
	}
	if r.Reason == engine.FinishError {
		b.fail(r.Err)
		return nil
	}
	for _, c := range r.Choices[min(1, len(r.Choices)):] {
		if _, err := fmt.Fprintf(b.host.out, "\n%s\n", strings.TrimSuffix(c.Text, "\n")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(b.host.err, b.figures(r.Figures))
	return err
}

// fail keeps an error, and tells it now where there are several outputs and the JSON does not carry it.
func (b *batch) fail(err error) {
	b.failures = append(b.failures, err)
	if b.several && !b.json {
		fmt.Fprintf(b.host.err, "prompt %d: %v\n", b.written, err)
	}
}

// figures is one prompt's line of figures.
func (b *batch) figures(f engine.Figures) string {
	info := b.engine.Info()
	return fmt.Sprintf("%s | loaded in %.2f s | prompt %s, %.1f tokens/s | first token after %.3f s | %s, %.1f tokens/s | %d of %s, %s",
		info.Adapter.Name, info.LoadSeconds, plural(f.PromptTokens, "token"), f.PromptPerSecond, f.TimeToFirst.Seconds(),
		plural(f.GeneratedTokens, "token"), f.DecodePerSecond, f.Blocks, plural(info.Blocks, "block"), formatSize(info.KVBytes))
}

// output is one prompt's JSON object.
type output struct {
	PromptIDs    []int32             `json:"prompt_ids"`
	IDs          []int32             `json:"ids"`
	Text         string              `json:"text"`
	FinishReason engine.FinishReason `json:"finish_reason"`
	Error        string              `json:"error,omitempty"`
	Logprobs     []engine.Token      `json:"logprobs,omitempty"`
	Choices      []choice            `json:"choices,omitempty"` // all of them, where more than one may be asked for
	Figures      outputFigures       `json:"figures"`
}

type outputFigures struct {
	Adapter     string  `json:"adapter"`
	LoadSeconds float64 `json:"load_s"`
	Seed        uint64  `json:"seed"`
	engine.Figures
}

func (b *batch) writeObject(p *pending) error {
	info := b.engine.Info()
	o := output{PromptIDs: orEmpty(p.prompt), IDs: []int32{}, FinishReason: engine.FinishError,
		Figures: outputFigures{Adapter: info.Adapter.Name, LoadSeconds: info.LoadSeconds, Seed: p.seed}}
	err := p.err
	if err == nil {
		r := p.stream.Result()
		o.IDs, o.Text, o.FinishReason, o.Logprobs = orEmpty(r.IDs), r.Text, r.Reason, r.Tokens
		o.Figures.Figures = r.Figures
		if p.several {
			o.Choices = choicesOf(r, p.ranked)
		}
		if r.Reason == engine.FinishError {
			err = r.Err
		}
	}
	if err != nil {
		o.Error = err.Error()
		b.fail(err)
	}
	return writeJSON(b.host.out, o)
}
