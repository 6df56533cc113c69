package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"quire/engine/bench/attend"
	"quire/engine/kernel"
)

type benchAttentionCommand struct {
	Kind            []attend.Kind `group:"Measurement:" placeholder:"KIND" help:"What to measure: forward, backward, decode, and standard beside forward and backward. Without it, all."`
	Length          []int         `group:"Measurement:" placeholder:"N" min:"1" help:"Queries and keys of a sequence; for decode, keys. Without it, what suits the adapter, up to 16384, for decode 131072."`
	Context         []int         `group:"Measurement:" placeholder:"N" min:"1" help:"Keys of a sequence that decodes, where --length is not meant."`
	HeadDim         []int         `group:"Measurement:" placeholder:"N" min:"1" help:"Elements of a head. Without it 64,128, and 64 on software adapters."`
	Heads           heads         `group:"Measurement:" placeholder:"N" help:"Heads, or query heads and KV heads as in 32/8. Without it 8, for decode 32/8."`
	Batch           []int         `group:"Measurement:" placeholder:"N" min:"1" help:"Sequences at once. Without it 1, for decode 1,8."`
	Full            bool          `group:"Measurement:" help:"Let every query see every key: no causal mask."`
	KVType          *string       `group:"Measurement:" name:"kv-type" placeholder:"TYPE" enum:"${kvtypes}" help:"The type of K and V, ${enum}, in decode, and where given in flash attention's forward pass. Without it f16, forward f32."`
	Variant         []string      `group:"Measurement:" placeholder:"NAME" filled:"" help:"Flash attention's kernel variants, forward and decode. Without it, what suits the adapter."`
	BackwardVariant []string      `group:"Measurement:" placeholder:"NAME" filled:"" help:"Its backward pass's kernel variants."`

	JSON   bool   `group:"Output:" name:"json" help:"Print one JSON object."`
	Charts string `group:"Output:" placeholder:"FOLDER" help:"Write charts of speed and memory over length to a folder, as SVG files."`

	gpuFlags `group:"Adapter:"`
}

// Help is what --help shows beyond the flags.
func (*benchAttentionCommand) Help() string {
	return `Measures the adapter's memory bandwidth, copies and rate of multiply-adds, then attention in f32: flash attention, and standard
attention, which writes all scores to memory, head by head. Operations are counted as 4 · N² · d a head, half of it for causal
attention, 2.5 times as much for backward; bytes as every input read and every output written once, and for standard attention
the scores too. "of FMA" and "of memory" are shares of what was measured first. What does not fit the adapter is listed with the
reason. Ctrl-C prints what was measured before. On a software adapter expect a minute.

Examples:

  quire bench attention
  quire bench attention --length 2048,8192 --head-dim 128 --kind forward,standard
  quire bench attention --kind decode --length 16384,131072 --batch 1,8 --heads 32/8 --json
  quire bench attention --charts figures/`
}

// Run runs the command.
func (b *benchAttentionCommand) Run(h *host) error {
	shared := attend.Heads(b.Heads)
	plan := attend.Plan{Kinds: b.Kind, HeadDims: b.HeadDim, Full: b.Full, Variants: b.Variant, BackwardVariants: b.BackwardVariant,
		Lengths: b.Length, Batches: b.Batch, Heads: shared, Contexts: b.Context, DecodeBatches: b.Batch, DecodeHeads: shared,
		KVType: kernel.KVF16.String()}
	if b.KVType != nil {
		plan.KVType, plan.ForwardKVType = *b.KVType, *b.KVType
	}
	if len(b.Context) == 0 {
		plan.Contexts = b.Length
	}
	if err := plan.Check(); err != nil {
		return &usageError{err.Error()}
	}
	return b.run(h, plan)
}

// heads is a number of heads, or of query heads and KV heads.
type heads attend.Heads

// Decode is kong.MapperValue.
func (n *heads) Decode(ctx *kong.DecodeContext) error {
	text, err := word(ctx)
	if err != nil {
		return err
	}
	query, kv, both := strings.Cut(text, "/")
	if !both {
		kv = query
	}
	var err1, err2 error
	n.Query, err1 = strconv.Atoi(query)
	n.KV, err2 = strconv.Atoi(kv)
	if err1 != nil || err2 != nil || n.Query < 1 || n.KV < 1 {
		return fmt.Errorf("must be a count, or two as in 32/8, not %q", text)
	}
	return nil
}

func (b *benchAttentionCommand) run(h *host, plan attend.Plan) error {
	if b.Charts != "" {
		if err := os.MkdirAll(b.Charts, 0o755); err != nil {
			return err
		}
	}
	ctx, stop := interruptible()
	defer stop()
	bar := newProgress(h.err)
	r, err := attend.Run(ctx, b.gpuFlags.options(), plan, func(p attend.Progress) {
		if p.Report == nil {
			bar.note(fmt.Sprintf("%d of %d: %s", p.Done+1, p.Total, p.Stage))
		}
	})
	bar.clear()
	if r != nil {
		shown := b.show(h, r)
		if err == nil {
			return shown
		}
		if shown != nil {
			fmt.Fprintln(h.err, shown)
		}
	}
	return interrupted(ctx, h, err)
}

// show prints a report, and then writes its charts.
func (b *benchAttentionCommand) show(h *host, r *attend.Report) error {
	show := printAttention
	if b.JSON {
		show = func(w io.Writer, r *attend.Report) error { return writeJSON(w, r) }
	}
	if err := show(h.out, r); err != nil {
		return err
	}
	return b.writeCharts(r)
}

func (b *benchAttentionCommand) writeCharts(r *attend.Report) error {
	if b.Charts == "" {
		return nil
	}
	for _, c := range r.Charts() {
		if err := os.WriteFile(filepath.Join(b.Charts, c.Name+".svg"), []byte(c.SVG), 0o644); err != nil {
			return err
		}
	}
	return nil
}

var clocks = map[string]string{attend.ClockGPU: "the GPU's timestamps", attend.ClockWall: "wall clock, launches queued"}

func printAttention(w io.Writer, r *attend.Report) error {
	unit, per := flopUnit(r.FMA)
	fmt.Fprintf(w, "adapter    %s, reads %.1f GB/s, copies %.1f GB/s, multiply-adds %.1f %s\nclock      %s\n\n",
		r.Adapter, r.Bandwidth, r.Copy, per*r.FMA, unit, clocks[r.Clock])
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "kind\tmethod\tkernel\tlength\td\theads\tbatch\tK, V\tms\t%s\tof FMA\tGB/s\tof memory\tof copies\tbuffers\tx standard\t\n", unit)
	for _, m := range r.Results {
		kind, kernel := string(m.Kind), m.Kernel[strings.LastIndex(m.Kernel, "/")+1:]
		if !m.Causal {
			kind += ", no mask"
		}
		if m.Skipped != "" && kernel == "" {
			kernel = m.Variant
		}
		heads := attend.Heads{Query: m.Heads, KV: m.KVHeads}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%s\t%d\t%s\t", kind, m.Method, kernel, m.Length, m.HeadDim, heads, m.Batch, m.KVType)
		if m.Skipped != "" {
			fmt.Fprintln(table, "–\t–\t–\t–\t–\t–\tskipped\t\t")
			continue
		}
		speedup := ""
		if m.Speedup > 0 {
			speedup = fmt.Sprintf("%.1f", m.Speedup)
		}
		fmt.Fprintf(table, "%.3g\t%.3g\t%.1f %%\t%.3g\t%.1f %%\t%.1f %%\t%s\t%s\t\n", 1e3*m.Seconds, per*m.TFLOPs, 100*m.FMAShare, m.GBs,
			100*m.BandwidthShare, 100*m.CopyShare, formatSize(m.BufferBytes), speedup)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	printSkipped(w, r)
	if len(r.Memory) == 0 {
		return nil
	}
	fmt.Fprint(w, "\nmemory of one head, forward, all buffers\n\n")
	table = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "length\td\tflash\tstandard\ttimes\t")
	for _, m := range r.Memory {
		note := ""
		if m.Computed {
			note = " (computed)"
		}
		fmt.Fprintf(table, "%d\t%d\t%s\t%s%s\t%.1f\t\n", m.Length, m.HeadDim, formatSize(m.Flash), formatSize(m.Standard), note, m.Ratio)
	}
	return table.Flush()
}

// printSkipped says why there are no figures.
func printSkipped(w io.Writer, r *attend.Report) {
	lead := "\n"
	for _, m := range r.Results {
		if m.Skipped != "" {
			fmt.Fprintf(w, "%sskipped: %s: %s\n", lead, m.Case, m.Skipped)
			lead = ""
		}
	}
}

// flopUnit is how operations a second are best written on an adapter that makes so many, in 10¹².
func flopUnit(tera float64) (unit string, per float64) {
	if tera < 1 {
		return "GFLOP/s", 1e3
	}
	return "TFLOP/s", 1
}
