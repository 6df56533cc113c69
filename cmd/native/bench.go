package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"quire/engine"
	"quire/engine/bench"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/quant"
)

type benchCommand struct {
	modelFlag `group:"Model:"`
	Shape     string  `group:"Model:" placeholder:"NAME" help:"Random weights of a named shape in place of a model: ${shapes}."`
	Type      *string `group:"Model:" placeholder:"TYPE" help:"With --shape, the type of all matrices: ${types}. q4_0 if not set."`
	WriteGGUF string  `group:"Model:" name:"write-gguf" placeholder:"FILE" help:"With --shape, write the model to a file and measure nothing."`

	Prompt  []int  `group:"Measurement:" placeholder:"TOKENS" default:"512" help:"Prefill so many tokens. 0: no prefill."`
	Gen     int    `group:"Measurement:" placeholder:"TOKENS" default:"128" help:"Decode so many tokens. 0: no decode."`
	Batch   []int  `group:"Measurement:" placeholder:"N" default:"1" min:"1" help:"Run so many sequences at once."`
	Depth   []int  `group:"Measurement:" placeholder:"TOKENS" default:"0" help:"Tokens of each sequence that are in the cache before."`
	Profile bool   `group:"Measurement:" help:"Time every kernel on the GPU and list where the time goes. Steps are slower for it."`
	LoRA    string `group:"Measurement:" name:"lora" placeholder:"N[:RANK]" help:"Load N LoRA adapters with random weights, of a rank (16 if not set), which the sequences of a batch take in turn."`
	JSON    bool   `group:"Measurement:" name:"json" help:"Print one JSON object."`

	engineFlags `group:"Engine:"`
}

// Help is what --help shows beyond the flags.
func (*benchCommand) Help() string {
	return `Measures the adapter's memory bandwidth, then prefill and decode in every combination of --batch and --depth. --shape takes random
weights in place of a model; nothing of a model's size is held in memory. The share of bandwidth counts weights and KV cache once
a step. The word "model" may be left out; "quire bench attention" measures attention alone.

--json prints "adapter", "bandwidth_gb_per_second", "shape", "type", "variant", "kv_type", "lora" ("count" and "rank"), "self_test" and "results", each with "kind" ("prefill" or
"decode"), "prompt", "gen", "batch", "depth", "tokens_per_second", "bandwidth_share" and "dispatches_per_step".

Examples:

  quire bench --shape llama-1b --type q4_0 --prompt 512,2048 --gen 128 --batch 1,8 --depth 0
  quire bench -m model.gguf --depth 0,4096 --json
  quire bench --shape llama-8b --type q8_0 --write-gguf random-8b.gguf`
}

// Run runs the command.
func (b *benchCommand) Run(h *host) error {
	plan := bench.Plan{Prompts: b.Prompt, Gen: b.Gen, Batches: b.Batch, Depths: b.Depth}
	switch {
	case b.Model != "" && b.Shape != "":
		return usagef("-m and --shape do not go together")
	case b.Shape == "" && (b.WriteGGUF != "" || b.Type != nil):
		return usagef("--type and --write-gguf need --shape")
	case slices.Equal(b.Prompt, []int{0}):
		plan.Prompts = nil
	case slices.Contains(b.Prompt, 0):
		return usagef("--prompt 0 stands alone")
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
	source, name, weights, err := b.open(ctx, h)
	if err != nil {
		return err
	}
	if b.WriteGGUF != "" {
		return b.writeFile(ctx, h, source)
	}
	o := b.engineFlags.options()
	o.Profile = b.Profile
	remember(&o, h.err)
	bar := newProgress(h.err)
	o.Progress = bar.update
	r, err := bench.Run(ctx, source, name, weights, o, plan, bar.note)
	bar.clear()
	if err != nil {
		return err
	}
	if b.JSON {
		return writeJSON(h.out, r)
	}
	return printBench(h.out, r)
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
		return gpu.ReaderSource(f, f.size), f.name, commonType(header), nil
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

// commonType is the tensor type that takes the most bytes.
func commonType(header *gguf.File) string {
	bytes := map[quant.Type]int64{}
	most := quant.F32
	for _, t := range header.Tensors {
		bytes[t.Type] += t.Bytes
		if bytes[t.Type] > bytes[most] {
			most = t.Type
		}
	}
	return strings.ToLower(most.String())
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

func printBench(w io.Writer, r *bench.Report) error {
	fmt.Fprintf(w, "adapter    %s, reads %.1f GB/s\nmodel      %s, %s\nvariant    %s, KV cache %s\n",
		r.Adapter, r.Bandwidth, r.Shape, r.Type, r.Variant, r.KVType)
	if n := len(r.SelfTest.Kernels); n > 0 {
		fmt.Fprintf(w, "self-test  %d kernels in %d ms\n", n, r.SelfTest.Time.Milliseconds())
	}
	if r.LoRA.Count > 0 {
		fmt.Fprintf(w, "LoRA       %d of rank %d\n", r.LoRA.Count, r.LoRA.Rank)
	}
	fmt.Fprintln(w)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "kind\tprompt\tgen\tbatch\tdepth\ttokens/s\tbandwidth\tdispatches/step\t")
	for _, m := range r.Results {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%.1f\t%.1f %%\t%d\t\n", m.Kind, m.Prompt, m.Gen, m.Batch, m.Depth,
			m.TokensPerSecond, 100*m.BandwidthShare, m.DispatchesPerStep)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return printKernels(w, r.Results)
}

// printKernels lists where the GPU's time went, measurement by measurement.
func printKernels(w io.Writer, results []bench.Result) error {
	for _, m := range results {
		if len(m.Kernels) == 0 {
			continue
		}
		total := 0.0
		for _, k := range m.Kernels {
			total += k.Seconds
		}
		fmt.Fprintf(w, "\n%s of %d tokens, batch %d, depth %d: %.2f ms on the GPU\n", m.Kind, max(m.Prompt, m.Gen), m.Batch, m.Depth, 1e3*total)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, k := range m.Kernels {
			fmt.Fprintf(table, "  %s\t%.2f ms\t%.1f %%\t%d dispatches\t%.1f µs each\n", k.Kernel, 1e3*k.Seconds,
				100*k.Seconds/total, k.Dispatches, 1e6*k.Seconds/float64(k.Dispatches))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	return nil
}
