package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"quire/engine"
	"quire/engine/bench"
	"quire/engine/gpu"
	"quire/engine/quant"
)

type benchCommand struct {
	modelFlag `group:"Model:"`
	Shape     string  `group:"Model:" placeholder:"NAME" help:"Random weights of a named shape in place of a model: ${shapes}."`
	Type      *string `group:"Model:" placeholder:"TYPE" help:"With --shape, the type of all matrices: ${types}. q4_0 if not set."`
	WriteGGUF string  `group:"Model:" name:"write-gguf" placeholder:"FILE" help:"With --shape, write the model to a file and measure nothing."`

	Prompt  []int    `group:"Measurement:" short:"p" aliases:"pp,n-prompt" placeholder:"TOKENS" default:"512" help:"Prefill so many tokens; also --pp. 0: no prefill."`
	Gen     []int    `group:"Measurement:" short:"n" aliases:"tg,n-gen" placeholder:"TOKENS" default:"128" help:"Decode so many tokens; also --tg. 0: no decode."`
	Batch   []int    `group:"Measurement:" placeholder:"N" default:"1" min:"1" help:"Run so many sequences at once."`
	Depth   []int    `group:"Measurement:" short:"d" aliases:"n-depth" placeholder:"TOKENS" default:"0" help:"Tokens of each sequence that are in the cache before."`
	Shared  bool     `group:"Measurement:" aliases:"pps" help:"The sequences of a batch share the tokens that are in the cache before, but for the last 16."`
	Repeat  int      `group:"Measurement:" short:"r" aliases:"repetitions" placeholder:"N" default:"0" help:"Measure everything so often. 0: three times while that is short."`
	Profile bool     `group:"Measurement:" help:"List what a step costs the host, and measure once more with every kernel timed on the GPU."`
	Schema  bool     `group:"Measurement:" help:"Measure each decode under a JSON Schema too: a list of objects."`
	LoRA    string   `group:"Measurement:" name:"lora" placeholder:"N[:RANK]" help:"Load N LoRA adapters with random weights, of a rank (16 if not set), which the sequences of a batch take in turn."`
	Without []string `group:"Measurement:" placeholder:"FEATURE" help:"Do without features that the adapter has, as if it had not: ${features}."`
	JSON    bool     `group:"Measurement:" name:"json" help:"Print one JSON object."`

	engineFlags `group:"Engine:"`
}

// Help is what --help shows beyond the flags.
func (*benchCommand) Help() string {
	return `Measures the adapter's memory bandwidth, then prefill and decode in every combination of --batch and --depth, and prints a table as
llama-bench does: pp512 is a prompt of 512 tokens, tg128 an answer of 128, "@ d8192" with 8,192 tokens in the cache before, all
sequences of a batch together; the mean of the repetitions and their standard deviation. --shape takes random weights in place
of a model; nothing of a model's size is held in memory. The word "model" may be left out; "quire bench attention" measures
attention alone.

--json prints "adapter", "backend", "features", "host" (the operating system, or the browser), "command", "bandwidth_gb_per_second", "shape", "type", "weight_bytes",
"parameters", "variant", "kv_type", "lora" ("count" and "rank"), "shared", "self_test", "load" and "results", each with "kind" ("prefill" or "decode"), "prompt",
"gen", "batch", "depth", "schema" (true under one), "test", "tokens_per_second", "deviation", "samples", "first_token_ms" (of
prefill, from a sequence's start), "bandwidth_share" (weights and KV cache once a step, of
what the adapter reads) and "dispatches_per_step"; with --profile also "host_step" (microseconds of a step: "schedule_us", "build_us",
"bridge_us" from Go to JavaScript in the tab, "encode_us", "mask_us", "wait_us", "give_us"; "allocations", "allocated_bytes", "collections" and "drawn_again" (draws under a schema that were to be made again) in all
"steps") and "kernels" (the GPU's "seconds" and "dispatches"). "load" is of opening the model: "seconds" in all, "bytes" of weights in the
file, "weight_seconds" from the first that is read to the last in its place on the GPU, "gb_per_second" of that, how many "kernels" were
compiled, "kernel_seconds" while any was, and "peak_host_bytes", the most memory that the process had (0: not known). A file that was
read not long ago comes from the system's memory: a cold one has to be out of it (echo 3 > /proc/sys/vm/drop_caches). With --pp 0 --tg 0
nothing else is measured.

Examples:

  quire bench --shape llama-1b --type q4_0 --pp 512,2048 --tg 128 --batch 1,8 -d 0,8192 -r 5
  quire bench -m model.gguf --depth 0,4096 --json
  quire bench --shape llama-1b --batch 16 -d 8192 --shared --pp 0
  quire bench --shape llama-8b --type q8_0 --write-gguf random-8b.gguf
  quire bench -m random-8b.gguf --pp 0 --tg 0 --json`
}

// Run runs the command.
func (b *benchCommand) Run(h *host) error {
	for _, list := range []struct {
		flag   string
		values []int
	}{{"--prompt", b.Prompt}, {"--gen", b.Gen}, {"--batch", b.Batch}, {"--depth", b.Depth}} {
		if len(list.values) == 0 {
			return usagef("%s: must be a whole number, or several with commas", list.flag)
		}
	}
	plan := bench.Plan{Prompts: b.Prompt, Gens: b.Gen, Batches: b.Batch, Depths: b.Depth, Shared: b.Shared, Repeat: b.Repeat, Schema: b.Schema}
	switch {
	case b.Model != "" && b.Shape != "":
		return usagef("-m and --shape do not go together")
	case b.Shape == "" && (b.WriteGGUF != "" || b.Type != nil):
		return usagef("--type and --write-gguf need --shape")
	case len(b.Prompt) > 1 && slices.Contains(b.Prompt, 0):
		return usagef("--prompt 0 stands alone")
	case len(b.Gen) > 1 && slices.Contains(b.Gen, 0):
		return usagef("--gen 0 stands alone")
	}
	if b.Prompt[0] == 0 {
		plan.Prompts = nil
	}
	if b.Gen[0] == 0 {
		plan.Gens = nil
	}
	if b.LoRA != "" {
		var err error
		if plan.LoRA, err = readAdapters(b.LoRA); err != nil {
			return err
		}
	}
	ctx, stop := interruptible()
	defer stop()
	return interrupted(ctx, h, b.run(ctx, h, plan))
}

func (b *benchCommand) run(ctx context.Context, h *host, plan bench.Plan) error {
	if b.DraftModel != "" {
		return usagef("--draft-model does not go with a benchmark, whose tokens mean nothing")
	}
	source, name, weights, err := b.open(ctx, h)
	if err != nil {
		return err
	}
	if b.WriteGGUF != "" {
		return b.writeFile(ctx, h, source)
	}
	o := b.engineFlags.options()
	o.Profile = b.Profile
	if o.GPU.Disable, err = gpu.ParseFeatures(b.Without); err != nil {
		return usagef("--without: %v", err)
	}
	remember(&o, h.err)
	bar := newProgress(h.err)
	o.Progress = bar.update
	r, err := bench.Run(ctx, source, name, weights, o, plan, bar.note)
	bar.clear()
	if err != nil {
		return err
	}
	r.Command = strings.Join(append([]string{"quire"}, os.Args[1:]...), " ")
	if b.JSON {
		return writeJSON(h.out, r)
	}
	return r.Print(h.out)
}

// readAdapters reads how many adapters there are to be, and their rank.
func readAdapters(text string) (a bench.Adapters, err error) {
	count, rank, given := strings.Cut(text, ":")
	if !given {
		rank = "16"
	}
	if a.Count, err = strconv.Atoi(count); err != nil || a.Count < 1 || a.Count > bench.MaxAdapters {
		return a, usagef("--lora: %q is no number of adapters from 1 to %d", count, bench.MaxAdapters)
	}
	if a.Rank, err = strconv.Atoi(rank); err != nil || a.Rank < 1 || a.Rank > bench.MaxAdapterRank {
		return a, usagef("--lora: %q is no rank from 1 to %d", rank, bench.MaxAdapterRank)
	}
	return a, nil
}

// open returns the model with its name and the type of most of its weights.
func (b *benchCommand) open(ctx context.Context, h *host) (source gpu.Source, name, weights string, err error) {
	if b.Shape == "" {
		f, err := openModel(ctx, b.Model, h.err)
		if err != nil {
			return nil, "", "", err
		}
		_, header, err := withHeader(f)
		if err != nil {
			return nil, "", "", err
		}
		return gpu.ReaderSource(f, f.size), f.name, bench.CommonType(header), nil
	}
	shape, err := bench.FindShape(b.Shape)
	if err != nil {
		return nil, "", "", &usageError{err.Error()}
	}
	weights = "q4_0"
	set(&weights, b.Type)
	t, err := quant.Parse(weights)
	if err != nil {
		return nil, "", "", usagef("--type: there is no type %q", weights)
	}
	r, err := bench.NewRandom(shape, t)
	if errors.Is(err, quant.ErrUnsupportedType) {
		return nil, "", "", usagef("--type: random weights of type %s cannot be made", t)
	}
	if err != nil {
		return nil, "", "", err
	}
	return gpu.ReaderSource(r, r.Size()), shape.Name, strings.ToLower(t.String()), nil
}

// writeFile writes the model out; a file that is not whole is removed.
func (b *benchCommand) writeFile(ctx context.Context, h *host, source gpu.Source) (err error) {
	f, err := os.Create(b.WriteGGUF)
	if err != nil {
		return err
	}
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			os.Remove(b.WriteGGUF)
		}
	}()
	bar := newProgress(h.err)
	defer bar.clear()
	const piece = 4 << 20
	for at := int64(0); at < source.Size(); at += piece {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.Copy(f, io.NewSectionReader(source, at, min(piece, source.Size()-at))); err != nil {
			return err
		}
		bar.update(engine.Progress{Stage: "weights", Done: min(at+piece, source.Size()), Total: source.Size()})
	}
	return nil
}
