package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"quire/engine"
	"quire/engine/chat"
)

type embedCommand struct {
	Prompt *string `arg:"" optional:"" help:"The text to embed. Without it, or with -, stdin is read."`

	modelFlag   `group:"Model and prompt:"`
	Prompts     string  `group:"Model and prompt:" placeholder:"FILE" help:"Embed all prompts of a file (-: stdin) as one batch: one a line, or JSON Lines."`
	Pooling     *string `group:"Model and prompt:" placeholder:"HOW" enum:"mean, cls, last, rank" help:"Which tokens make the vector: the mean of all, cls (the first) or last; or rank, a score, of models that have one. Without it, as the model says, and mean where it says nothing."`
	NoNormalize bool    `group:"Model and prompt:" help:"Print vectors as they are, not divided by their length."`
	JSON        bool    `group:"Model and prompt:" name:"json" help:"Print more of each prompt: its token ids, errors and figures."`
	Ctx         int     `group:"Model and prompt:" placeholder:"TOKENS" default:"0" help:"At most so many tokens a prompt. 0: what the model was trained for, as memory allows, and at most 2048 where a prompt is seen as a whole. More is lowered to that."`

	engineFlags `group:"Engine:"`
}

// Help is what --help shows beyond the flags.
func (*embedCommand) Help() string {
	return `Prints {"embedding":[...]} for each prompt, a line each, in order; a model that ranks prints {"score":...}, and where it has
several labels their "scores" too.
All prompts run as one batch. A text is taken as it is, special tokens in it parsed, with the first and last tokens that the
vocabulary asks for.

--prompts takes what quire run takes: texts, a line each, or JSON Lines with "prompt", "ids" (token ids, taken as they are) or
"messages" (written with the model's chat template). Keys about generation change nothing.

--json adds "promptIds", "figures" and, where a prompt failed, "error".

Examples:

  quire embed -m nomic-embed-text-v1.5.Q8_0.gguf "search_query: What is a kite?"
  quire embed -m model.gguf --prompts texts.txt > vectors.jsonl
  quire embed -m chat.gguf --pooling last --no-normalize "A fox and a kite."`
}

// Run runs the command.
func (c *embedCommand) Run(h *host) error {
	jobs, err := c.jobs(h)
	if err != nil {
		return err
	}
	if f32 := "f32"; c.KVType == nil { // K and V live no longer than their prompt
		c.KVType = &f32
	}
	ctx, stop := interruptible()
	defer stop()
	eng, err := openEngine(ctx, h, "embed", c.Model, c.Ctx, c.engineFlags)
	if err != nil {
		return interrupted(ctx, h, err)
	}
	defer eng.Close()
	b := &embedding{host: h, engine: eng, all: c.JSON, ask: engine.Embed{Raw: c.NoNormalize}}
	if c.Pooling != nil {
		b.ask.Pooling = engine.Pooling(*c.Pooling)
	}
	if err := b.run(ctx, jobs); err != nil {
		return err
	}
	return b.outcome(ctx, c.JSON)
}

// jobs gathers the prompts: the argument, a file, or stdin.
func (c *embedCommand) jobs(h *host) ([]job, error) {
	switch {
	case c.Prompts != "" && c.Prompt != nil:
		return nil, usagef("a prompt and --prompts do not go together")
	case c.Prompts != "":
		return readPrompts(h, c.Prompts, job{})
	case c.Prompt != nil && *c.Prompt != "-":
		return []job{{Prompt: *c.Prompt}}, nil
	case c.Prompt == nil && isTerminal(h.in):
		return nil, usagef("no prompt")
	}
	text, err := io.ReadAll(h.in)
	if err != nil {
		return nil, fmt.Errorf("stdin: %w", err)
	}
	return []job{{Prompt: strings.TrimSuffix(string(text), "\n")}}, nil
}

// embedding embeds prompts at once and writes their vectors in order.
type embedding struct {
	host   *host
	engine *engine.Engine
	ask    engine.Embed
	all    bool // of what is known of a prompt
	queue
}

// run submits all jobs and writes their vectors.
func (b *embedding) run(ctx context.Context, jobs []job) error {
	return b.queue.run(jobs, func(j job) *pending { return b.submit(ctx, j) }, b.write)
}

func (b *embedding) submit(ctx context.Context, j job) *pending {
	p := &pending{}
	switch {
	case j.IDs != nil:
		p.prompt = j.IDs
	case j.Messages != nil:
		p.prompt, p.err = b.engine.ChatPrompt(j.Messages, chat.Options{})
	default:
		p.prompt, p.err = b.engine.EmbedPrompt(j.Prompt)
	}
	if p.err == nil {
		p.stream, p.err = b.engine.Submit(ctx, engine.Request{Prompt: p.prompt, Embed: &b.ask})
	}
	return p
}

// vector is a prompt's line.
type vector struct {
	PromptIDs []int32        `json:"promptIds,omitempty"`
	Embedding []float32      `json:"embedding,omitempty"`
	Score     *float32       `json:"score,omitempty"`
	Scores    []float32      `json:"scores,omitempty"`
	Error     string         `json:"error,omitempty"`
	Figures   *outputFigures `json:"figures,omitempty"`
}

// write writes a prompt's vector.
func (b *embedding) write(p *pending) error {
	info := b.engine.Info()
	var v vector
	figures := outputFigures{Adapter: info.Adapter.Name, LoadTime: info.LoadTime}
	err := p.err
	if err == nil {
		r := p.stream.Result()
		if v.Embedding, err = r.Embedding, r.Err; len(r.Scores) > 0 {
			v.Score = &r.Scores[0]
		}
		if len(r.Scores) > 1 {
			v.Scores = r.Scores
		}
		figures.Figures = r.Figures
		if r.Reason == engine.FinishCancelled && err == nil {
			return nil
		}
	}
	if err != nil {
		b.fail(b.host, err, b.all)
		if !b.all && !b.several {
			return nil
		}
		v.Error = say(err) // lines stay as many as prompts
	}
	if b.all {
		v.PromptIDs, v.Figures = p.prompt, &figures
	}
	return writeJSON(b.host.out, v)
}
