package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"quire/engine"
	"quire/engine/bench"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/quant"
)

var benchCommand = &command{
	name:    "bench",
	summary: "measure prefill and decode, of a model or of random weights",
	usage:   "[--shape NAME --type TYPE | -m FILE|URL] [flags]",
	about: `Measures the adapter's memory bandwidth, then prefill and decode in every combination of --batch and --depth. --shape takes
random weights of a named shape instead of a model; nothing of a model's size is held in memory. The share of bandwidth
counts weights and KV cache once a step.`,
	examples: []string{
		`quire bench --shape llama-1b --type q4_0 --prompt 512,2048 --gen 128 --batch 1,8 --depth 0`,
		`quire bench -m model.gguf --depth 0,4096 --json`,
		`quire bench --shape llama-8b --type q8_0 --write-gguf random-8b.gguf`,
	},
	prepare: prepareBench,
	sub:     []*command{benchAttentionCommand},
}

// benchFlags is what the command line of bench says.
type benchFlags struct {
	model, shape, weights, write string
	json                         bool
	plan                         bench.Plan
	options                      engine.Options
}

func prepareBench(f *flags) func(*host, []string) error {
	b := benchFlags{weights: "q4_0", plan: bench.Plan{Prompts: []int{512}, Gen: 128, Batches: []int{1}, Depths: []int{0}}}
	f.group("model")
	f.text("m", &b.model, modelUsage)
	f.text("shape", &b.shape, "random weights of the shape `NAME`: "+strings.Join(bench.ShapeNames(), ", "))
	f.text("type", &b.weights, "with --shape, the `TYPE` of all matrices: q4_0 (default), q4_1, q8_0, f16, bf16 or f32")
	f.text("write-gguf", &b.write, "with --shape, write the model to a `FILE` and measure nothing")
	f.group("measurement")
	f.wholes("prompt", &b.plan.Prompts, 0, "prefill `N,...` tokens; 0: no prefill; default 512")
	f.whole("gen", &b.plan.Gen, 0, "decode `N` tokens; 0: no decode; default 128")
	f.wholes("batch", &b.plan.Batches, 1, "`N,...` sequences at once; default 1")
	f.wholes("depth", &b.plan.Depths, 0, "`N,...` tokens of each sequence in the cache before; default 0")
	f.flag("profile", &b.options.Profile, "time every kernel on the GPU and list where the time goes; steps are slower for it")
	f.flag("json", &b.json, "print one JSON object")
	engineFlags(f, &b.options)
	return func(h *host, _ []string) error {
		if b.model != "" && b.shape != "" {
			return usagef("-m and --shape do not go together")
		}
		if b.shape == "" && (b.write != "" || f.given("type")) {
			return usagef("--type and --write-gguf need --shape")
		}
		if len(b.plan.Prompts) == 1 && b.plan.Prompts[0] == 0 {
			b.plan.Prompts = nil
		}
		for _, n := range b.plan.Prompts {
			if n == 0 {
				return usagef("--prompt 0 stands alone")
			}
		}
		return b.run(h)
	}
}

func (b *benchFlags) run(h *host) error {
	ctx, stop := interruptible()
	defer stop()
	source, name, weights, err := b.open(ctx, h)
	if err != nil {
		return interrupted(ctx, h, err)
	}
	if b.write != "" {
		return interrupted(ctx, h, b.writeFile(ctx, h, source))
	}
	remember(&b.options, h.err)
	bar := newProgress(h.err)
	b.options.Progress = bar.update
	r, err := bench.Run(ctx, source, name, weights, b.options, b.plan, bar.note)
	bar.clear()
	if err != nil {
		return interrupted(ctx, h, err)
	}
	if b.json {
		return writeJSON(h.out, r)
	}
	return printBench(h.out, r)
}

// open returns the model with its name and the type of most of its weights.
func (b *benchFlags) open(ctx context.Context, h *host) (source gpu.Source, name, weights string, err error) {
	if b.shape == "" {
		f, header, err := openHeader(ctx, b.model, h.err)
		if err != nil {
			return nil, "", "", err
		}
		return gpu.ReaderSource(f, f.size), f.name, commonType(header), nil
	}
	shape, err := bench.FindShape(b.shape)
	if err != nil {
		return nil, "", "", &usageError{err.Error()}
	}
	t, err := quant.Parse(b.weights)
	if err != nil {
		return nil, "", "", usagef("--type: there is no type %q", b.weights)
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
func (b *benchFlags) writeFile(ctx context.Context, h *host, source gpu.Source) (err error) {
	f, err := os.Create(b.write)
	if err != nil {
		return err
	}
	defer func() {
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			os.Remove(b.write)
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
	fmt.Fprintf(w, "adapter    %s, reads %.1f GB/s\nmodel      %s, %s\nvariant    %s, KV cache %s\n\n",
		r.Adapter, r.Bandwidth, r.Shape, r.Type, r.Variant, r.KVType)
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
