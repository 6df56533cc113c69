package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"quire/cmd/native/talk"
	"quire/engine"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/json"
	"quire/engine/sample"
	"quire/engine/words"
)

type runCommand struct {
	Prompt *string `arg:"" optional:"" help:"What to answer or go on with. Without it, or with -, stdin is read."`

	modelFlag `group:"Model and prompt:"`
	System    string   `group:"Model and prompt:" placeholder:"TEXT" help:"The system message before what the user says: what the model is to be and to keep to."`
	Messages  string   `group:"Model and prompt:" filled:"" placeholder:"FILE" help:"Answer a conversation: messages in JSON as the API has them (-: stdin). A prompt is the user's next message."`
	Prompts   string   `group:"Model and prompt:" placeholder:"FILE" help:"Run all prompts of a file (-: stdin) as one batch: one a line, or JSON Lines."`
	LoRA      []string `group:"Model and prompt:" name:"lora" names:"" placeholder:"NAME[:SCALE]" sep:"none" filled:"" help:"Add a LoRA adapter in GGUF, by the names that -m takes, times a scale (1 unless it is given). May come several times: adapters add up."`
	Template  string   `group:"Model and prompt:" name:"chat-template-kwargs" filled:"" placeholder:"JSON" help:"Variables of the model's chat template, such as {\"enable_thinking\": false}."`
	Raw       bool     `group:"Model and prompt:" help:"Take the prompt as it is: no chat template, special tokens in it parsed, BOS only where the vocabulary asks for it."`
	JSON      bool     `group:"Model and prompt:" name:"json" help:"Print JSON Lines, one object a prompt."`
	Logprobs  int      `group:"Model and prompt:" placeholder:"K" default:"0" help:"With --json: log-probabilities of each token and of the best K, at most 20. Logits are raw, before temperature."`

	MaxTokens int      `group:"Generation:" placeholder:"TOKENS" default:"0" help:"Generate at most so many tokens. 0: until the model ends or the context is full."`
	MinTokens int      `group:"Generation:" placeholder:"TOKENS" default:"0" help:"Before so many tokens draw no end token, and let no --stop end the text."`
	Stop      []string `group:"Generation:" placeholder:"TEXT" sep:"none" filled:"" help:"End before this text, which may be or hold the name of a control token, such as <|sep|>. May come several times."`
	IgnoreEOS bool     `group:"Generation:" name:"ignore-eos" help:"Go on past end tokens."`
	Ctx       int      `group:"Generation:" placeholder:"TOKENS" default:"0" help:"At most so many tokens a sequence. 0: what the model was trained for, as memory allows. More is lowered to that."`

	grammarFlags      `group:"Grammar:"`
	conversationFlags `group:"Conversation:"`
	samplingFlags     `group:"Sampling:"`
	choiceFlags       `group:"Choices:"`
	engineFlags       `group:"Engine:"`
}

// Help is what --help shows beyond the flags.
func (*runCommand) Help() string {
	return `Streams the model's answer to stdout, then a line of figures to stderr: adapter, load time, prompt tokens and their speed, time to
the first token, generated tokens and their speed, and the most blocks of the KV cache that were held. A text that ended at a
limit says which. Where the model has a chat template, the prompt is what the user says. With several prompts or answers, a line
such as "==> prompt 2, answer 1 <==" stands before each text. Ctrl-C stops and keeps the text so far; a second one quits.

A model of a hub (hf:owner/repo) is pulled into the cache first. A model's address is read by ranges, resumed where a connection breaks,
and stored only by "quire pull". A server without ranges is streamed once into a temporary file. A server that is busy (429, 503) is asked again after the time it tells, up to two minutes.

--messages is a list of objects with "role" ("system", "user", "assistant", "tool") and "content", or an object that has it under
"messages". Its last message is answered, or the prompt, which is then the user's next.

A line of JSON in --prompts is an object with "prompt", "ids" (token ids, taken as they are) or "messages" (a conversation: objects
with "role" and "content", a text or a list of {"type": "text", "text": "..."}). These keys go before the flags: "max_tokens",
"min_tokens", "temperature", "top_k", "top_p", "min_p", "seed", "stop" (a text or a list), "ignore_eos", "logprobs", "n", "best_of",
"beams", "length_penalty", "early_stopping", "chat_template_kwargs" and "lora" (NAME[:SCALE], a text or a list; [] for none). Prompts with different adapters
run in one batch. So do "repetition_penalty", "frequency_penalty", "presence_penalty", "logit_bias" (an object of token ids and
biases), "dry_multiplier", "dry_base", "dry_allowed_length", "dry_range" and "dry_sequence_breakers" (a list of texts).

What changes logits is applied in this order: logit bias, repetition penalty, frequency and presence penalty, DRY, then what a grammar
forbids, temperature, top-k, top-p and min-p. But for grammars it goes without beams. Log-probabilities stay those of the raw logits;
under a grammar, among the tokens that it allows.

--schema, --grammar and --regex make the model write nothing else: what they do not support is an error that names it. A text that ends
at a limit may be unfinished. In --prompts they are "json_schema" (the schema itself), "grammar" and "regex" (texts).

--json prints what quire.js calls a result: "promptIds", "ids", "text", "reason" ("stop", "length", "cancelled", or "error", then with
"error"), with "length" the "limit" ("maxTokens" or "context"), "logprobs", "choices" and "figures". Each of "logprobs" has "id",
"logit", "logprob" and "top". Each of "choices" has "index", "ids", "text", "reason", "logprob" and "score"; the last two are 0 where
nothing asks for them. Times are in milliseconds.

Examples:

  quire run "Tell me a story about a fox and a kite."
  quire run -m model.gguf --temperature 0 --max-tokens 64 "What is a kite?"
  quire run -m https://example.org/model.gguf --raw "Once upon a time"
  quire run --schema person.json "Who wrote Faust?"
  quire run --regex "(yes|no)" "Is a fox an animal?"
  quire run --beams 4 --n 2 --json "What is a kite?"
  quire run --system "You tell stories for children." "Tell me one about a fox."
  quire run --messages talk.json "And then?"
  quire run --save talk.quire "Tell me a story about a fox."
  quire run --load talk.quire --save talk.quire "And then?"
  quire run --prompts questions.txt --json > answers.jsonl
  echo '{"prompt":"Hello.","seed":7}' | quire run --prompts -`
}

// Run runs the command.
func (r *runCommand) Run(h *host) error {
	name := "" // not known before the file is read
	if r.Model == "" {
		name = sample.Tales
	}
	base := job{Sample: r.samplingFlags.params(name), seeded: r.Seed != nil, MaxTokens: r.MaxTokens, MinTokens: r.MinTokens, Stop: r.Stop,
		IgnoreEnd: r.IgnoreEOS, choosing: r.choiceFlags.choosing()}
	base.Sample.Logprobs = r.Logprobs
	err := r.samplingFlags.penalties(&base.Sample)
	if err != nil {
		return usagef("%s", inFlags(err))
	}
	if base.lora, err = readLoRAs(r.LoRA); err != nil {
		return usagef("--lora: %s", say(err))
	}
	if base.template, err = templateFlag(r.Template); err != nil {
		return err
	}
	if base.template != nil && (r.Raw || r.Load != "") {
		return usagef("--chat-template-kwargs goes without --raw and --load, which use no template, or only its end")
	}
	if r.grammarFlags.stdin() && (r.Prompt == nil || *r.Prompt == "-" || r.Messages == "-" || r.Prompts == "-") {
		return usagef("stdin is read once: give the prompt as an argument, or the schema or grammar as a file")
	}
	if base.grammar, err = r.grammarFlags.read(h); err != nil {
		return err
	}
	if err := base.check(); err != nil {
		return usagef("%s", inFlags(err))
	}
	if r.Beams != nil && r.Temperature != nil && *r.Temperature > 0 {
		return usagef("%s", inFlags(errBeamsDraw))
	}
	if r.Logprobs > 0 && !r.JSON {
		return usagef("--logprobs needs --json")
	}
	jobs, err := r.jobs(h, base)
	if err != nil {
		return err
	}
	return r.run(h, jobs)
}

// jsonNames are the keys of --prompts that are flags too.
var jsonNames = []string{
	"max_tokens", "min_tokens", "temperature", "top_k", "top_p", "min_p", "logprobs", "n", "best_of", "beams",
	"logit_bias", "repetition_penalty", "frequency_penalty", "presence_penalty", "dry_multiplier", "dry_base", "dry_allowed_length", "dry_range",
}

// inFlags gives an error about a job's settings that names flags, in place of the keys of --prompts.
func inFlags(err error) string {
	list := strings.Fields(words.Error(err))
	for i, word := range list {
		if name := strings.TrimRight(word, ":,;"); slices.Contains(jsonNames, name) {
			list[i] = "--" + strings.ReplaceAll(word, "_", "-")
		}
	}
	return strings.Join(list, " ")
}

// jobs gathers the prompts: the argument, a file, or stdin.
func (r *runCommand) jobs(h *host, base job) ([]job, error) {
	if err := r.checkConversation(); err != nil {
		return nil, err
	}
	base.system = r.System
	switch {
	case r.Prompts != "" && r.Prompt != nil:
		return nil, usagef("a prompt and --prompts do not go together")
	case (r.Save != "" || r.Load != "") && (r.Prompts != "" || base.choosing.asked()):
		return nil, usagef("--save and --load hold one conversation: they go without --prompts, --n, --best-of and --beams")
	case r.Load != "" && r.Prompt == nil:
		return []job{base}, nil
	case r.Prompts != "":
		return readPrompts(h, r.Prompts, base)
	case r.Messages != "":
		var err error
		base.Messages, err = r.conversation(h)
		return []job{base}, err
	}
	var err error
	if base.Prompt, err = r.prompt(h); err != nil {
		return nil, err
	}
	if base.Prompt == "" && !r.Raw { // raw, it may still be BOS
		return nil, usagef("the prompt is empty")
	}
	return []job{base}, nil
}

func (r *runCommand) run(h *host, jobs []job) error {
	if err := r.conversationFlags.open(); err != nil {
		return err
	}
	ctx, stop := interruptible()
	defer stop()
	eng, adapters, err := openAdapted(ctx, h, jobs, r.engineFlags, func(flags engineFlags) (*engine.Engine, error) {
		return openEngine(ctx, h, "run", r.Model, r.Ctx, flags)
	})
	if err != nil {
		return interrupted(ctx, h, err)
	}
	defer eng.Close()
	b := &batch{host: h, engine: eng, json: r.JSON, raw: r.Raw, adapters: adapters}
	if b.session, err = r.restore(eng); err != nil {
		return err
	}
	if err := b.run(ctx, jobs); err != nil {
		return err
	}
	if r.Save != "" && b.said != nil {
		if err := r.keep(h, eng, b); err != nil {
			return err
		}
	}
	return b.outcome(ctx, r.JSON)
}

// templateFlag reads --chat-template-kwargs; nil where it is not given.
func templateFlag(text string) (*json.Object, error) {
	if text == "" {
		return nil, nil
	}
	o, err := talk.ReadTemplate(text)
	if err != nil {
		return nil, usagef("--%s", strings.ReplaceAll(err.Error(), "chat_template_kwargs", "chat-template-kwargs"))
	}
	return o, nil
}

// openEngine opens a model for a command, with its --ctx and flags, and shows how far that has come.
func openEngine(ctx context.Context, h *host, command, model string, tokens int, flags engineFlags) (*engine.Engine, error) {
	bar := newProgress(h.err)
	eng, name, err := openWith(ctx, h, command, model, tokens, flags, bar.update)
	bar.clear()
	if err != nil {
		return nil, err
	}
	for _, w := range eng.Info().Warnings {
		fmt.Fprintf(h.err, "warning: %s: %s\n", name, w)
	}
	return eng, nil
}

// openWith opens a model, and gives the name that its file is told by.
func openWith(ctx context.Context, h *host, command, model string, tokens int, flags engineFlags, progress func(engine.Progress)) (*engine.Engine, string, error) {
	f, err := openModel(ctx, model, h.err)
	if err != nil {
		return nil, "", err
	}
	o := flags.options()
	if o.Context = tokens; o.Context > 0 {
		// A file that cannot be read here gives its error below.
		if header, err := gguf.Read(f, f.size); err == nil {
			o.Context = withinModel(h, command, o.Context, header)
		}
	}
	o.Progress = progress
	remember(&o, h.err)
	if flags.DraftModel != "" {
		drafts, err := openModel(ctx, flags.DraftModel, h.err)
		if err != nil {
			f.Close()
			return nil, "", fmt.Errorf("--draft-model: %w", err)
		}
		o.DraftModel = gpu.ReaderSource(drafts, drafts.size)
	}
	eng, err := engine.Open(ctx, gpu.ReaderSource(f, f.size), o)
	if err != nil {
		return nil, "", f.wrap(err)
	}
	return eng, f.name, nil
}

// interrupted turns an error that Ctrl-C caused into its exit code.
func interrupted(ctx context.Context, h *host, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		fmt.Fprintln(h.err, "interrupted")
		return exitCode(exitInterrupted)
	}
	return err
}
