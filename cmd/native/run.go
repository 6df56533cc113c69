package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"quire/engine"
	"quire/engine/gguf"
	"quire/engine/gpu"
)

var runCommand = &command{
	name:      "run",
	summary:   "generate text after a prompt",
	usage:     `[-m FILE|URL] [flags] "prompt"`,
	arguments: [2]int{0, 1},
	about: `Streams the model's answer to stdout, then a line of figures to stderr. Where the model has a chat template, the prompt
is what the user says. Without a prompt it is read from stdin. Ctrl-C stops and keeps the text so far; a second one quits.`,
	examples: []string{
		`quire run "Tell me a story about a fox and a kite."`,
		`quire run -m model.gguf --temperature 0 --max-tokens 64 "What is a kite?"`,
		`quire run -m https://example.org/model.gguf --raw "Once upon a time"`,
		`quire run --beams 4 --n 2 --json "What is a kite?"`,
		`quire run --prompts questions.txt --json > answers.jsonl`,
		`echo '{"prompt":"Hello.","seed":7}' | quire run --prompts -`,
	},
	prepare: prepareRun,
}

// runFlags is what the command line of run says.
type runFlags struct {
	model, prompts string
	raw, json      bool
	base           job
	options        engine.Options
}

func prepareRun(f *flags) func(*host, []string) error {
	var r runFlags
	var logprobs int
	f.group("model and prompt")
	f.text("m", &r.model, modelUsage)
	f.text("prompts", &r.prompts, "run all prompts of a `FILE` as one batch: one a line, or JSON Lines; - for stdin")
	f.flag("raw", &r.raw, "the prompt as it is: no chat template, special tokens in it parsed")
	f.flag("json", &r.json, "print JSON Lines, one object a prompt")
	f.whole("logprobs", &logprobs, 0, "with --json: log-probabilities of each token and of the best `K`, at most 20")
	f.group("generation")
	f.whole("max-tokens", &r.base.MaxTokens, 0, "generate at most `N` tokens; 0: until the model ends or the context is full")
	f.texts("stop", &r.base.Stop, "a `TEXT` that ends generation; may come several times")
	f.flag("ignore-eos", &r.base.IgnoreEnd, "go on past end tokens")
	contextFlag(f, &r.options.Context)
	sampling := samplingFlags(f)
	choiceFlags(f, &r.base.choosing)
	engineFlags(f, &r.options)
	return func(h *host, args []string) error {
		r.base.Sample, r.base.seeded = sampling(r.model == ""), f.given("seed")
		r.base.Sample.Logprobs = logprobs
		if err := r.base.check(); err != nil {
			return usagef("%v", err)
		}
		if r.base.Beams.Width > 0 && f.given("temperature") && r.base.Sample.Temperature > 0 {
			return usagef("%v", errBeamsDraw)
		}
		if logprobs > 0 && !r.json {
			return usagef("--logprobs needs --json")
		}
		jobs, err := r.jobs(h, args)
		if err != nil {
			return err
		}
		return r.run(h, jobs)
	}
}

// jobs gathers the prompts: the argument, a file, or stdin.
func (r *runFlags) jobs(h *host, args []string) ([]job, error) {
	switch {
	case r.prompts != "" && len(args) > 0:
		return nil, usagef("a prompt and --prompts do not go together")
	case r.prompts != "":
		return readPrompts(h, r.prompts, r.base)
	}
	j := r.base
	if len(args) > 0 && args[0] != "-" {
		j.Prompt = args[0]
	} else {
		if len(args) == 0 && isTerminal(h.in) {
			return nil, usagef("no prompt")
		}
		text, err := io.ReadAll(h.in)
		if err != nil {
			return nil, fmt.Errorf("stdin: %w", err)
		}
		j.Prompt = strings.TrimSuffix(string(text), "\n")
	}
	if j.Prompt == "" && !r.raw { // raw, it may still be BOS
		return nil, usagef("the prompt is empty")
	}
	return []job{j}, nil
}

func (r *runFlags) run(h *host, jobs []job) error {
	ctx, stop := interruptible()
	defer stop()
	eng, err := r.open(ctx, h)
	if err != nil {
		return interrupted(ctx, h, err)
	}
	defer eng.Close()
	b := &batch{host: h, engine: eng, json: r.json, raw: r.raw}
	if err := b.run(ctx, jobs); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return exitCode(exitInterrupted)
	case len(b.failures) == 0:
		return nil
	case len(jobs) == 1 && !r.json:
		return b.failures[0]
	}
	return fmt.Errorf("%d of %s failed", len(b.failures), plural(len(jobs), "prompt"))
}

func (r *runFlags) open(ctx context.Context, h *host) (*engine.Engine, error) {
	f, err := openFile(ctx, r.model, h.err)
	if err != nil {
		return nil, err
	}
	if r.options.Context > 0 {
		// A file that cannot be read here gives its error below.
		if header, err := gguf.Read(f, f.size); err == nil {
			r.options.Context = withinModel(h, "run", r.options.Context, header)
		}
	}
	bar := newProgress(h.err)
	r.options.Progress = bar.update
	remember(&r.options, h.err)
	eng, err := engine.Open(ctx, gpu.ReaderSource(f, f.size), r.options)
	bar.clear()
	if err != nil {
		return nil, f.wrap(err)
	}
	for _, w := range eng.Info().Warnings {
		fmt.Fprintf(h.err, "warning: %s: %s\n", f.name, w)
	}
	return eng, nil
}

// interrupted turns an error that Ctrl-C caused into its exit code.
func interrupted(ctx context.Context, h *host, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(h.err, "interrupted")
		return exitCode(exitInterrupted)
	}
	return err
}
