package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"quire/engine/bench/attend"
	"quire/engine/gpu"
)

var benchAttentionCommand = &command{
	name:    "bench attention",
	summary: "measure attention: flash beside standard, forward, backward and decode",
	usage:   "[flags]",
	about: `Measures the adapter's memory bandwidth, copies and rate of multiply-adds, then attention in f32: flash attention, and
standard attention, which writes all scores to memory, head by head. Operations are counted as 4 · N² · d a head, half of it
for causal attention, 2.5 times as much for backward; bytes as every input read and every output written once, and for
standard attention the scores too. "of FMA" and "of memory" are shares of what was measured first. Without flags the lengths
suit the adapter.`,
	examples: []string{
		"quire bench attention",
		"quire bench attention --length 2048,8192 --head-dim 128 --kind forward,standard",
		"quire bench attention --kind decode --length 16384,131072 --batch 1,8 --heads 32/8 --json",
		"quire bench attention --charts figures/",
	},
	prepare: prepareBenchAttention,
}

type benchAttentionFlags struct {
	plan   attend.Plan
	gpu    gpu.Options
	json   bool
	charts string
}

func prepareBenchAttention(f *flags) func(*host, []string) error {
	b := benchAttentionFlags{plan: attend.Plan{KVType: kvTypes[0]}}
	f.group("measurement")
	kindsFlag(f, &b.plan.Kinds)
	f.wholes("length", &b.plan.Lengths, 1, "`N,...` queries and keys of a sequence; for decode, keys; default by adapter, to 16384, for decode 131072")
	f.wholes("context", &b.plan.Contexts, 1, "`N,...` keys of a sequence that decodes, where not as --length says")
	f.wholes("head-dim", &b.plan.HeadDims, 1, "`N,...` elements of a head; default 64,128; 64 on software adapters")
	headsFlag(f, &b.plan.Heads)
	f.wholes("batch", &b.plan.Batches, 1, "`N,...` sequences at once; default 1, for decode 1,8")
	f.flag("full", &b.plan.Full, "let every query see every key: no causal mask")
	f.choice("kv-type", &b.plan.KVType, kvTypes, "the `TYPE` of K and V in decode, and where given in flash attention's forward pass: f16, bf16, q8 or f32; default f16, forward f32")
	variantsFlag(f, "variant", &b.plan.Variants, "flash attention's kernel `VARIANT,...`, forward and decode, by name; default: chosen for the adapter")
	variantsFlag(f, "backward-variant", &b.plan.BackwardVariants, "its backward pass's `VARIANT,...`")
	f.group("output")
	f.flag("json", &b.json, "print one JSON object")
	f.text("charts", &b.charts, "write charts of speed and memory over length as SVG files to a `FOLDER`")
	f.group("adapter")
	f.text("adapter", &b.gpu.Adapter, "the GPU: a number or part of a `NAME` from \"quire adapters\"")
	f.choice("power", (*string)(&b.gpu.Power), powers, "without --adapter, the `KIND` of GPU: high-performance or low-power")
	return func(h *host, _ []string) error {
		if f.given("kv-type") {
			b.plan.ForwardKVType = b.plan.KVType
		}
		if !f.given("context") {
			b.plan.Contexts = b.plan.Lengths
		}
		b.plan.DecodeBatches, b.plan.DecodeHeads = b.plan.Batches, b.plan.Heads
		if err := b.plan.Check(); err != nil {
			return &usageError{err.Error()}
		}
		return b.run(h)
	}
}

// kindsFlag declares a list of kinds.
func kindsFlag(f *flags, to *[]attend.Kind) {
	f.place("kind")
	f.Func("kind", "measure `KIND,...`: forward, backward, decode, and standard beside forward and backward; default all", func(s string) error {
		*to = nil
		for name := range strings.SplitSeq(s, ",") {
			*to = append(*to, attend.Kind(strings.TrimSpace(name)))
		}
		return nil
	})
}

// variantsFlag declares a list of variants by name.
func variantsFlag(f *flags, name string, to *[]string, usage string) {
	f.place(name)
	f.Func(name, usage, func(s string) error {
		*to = nil
		for v := range strings.SplitSeq(s, ",") {
			if v = strings.TrimSpace(v); v == "" {
				return errors.New("must be names with a comma between them")
			}
			*to = append(*to, v)
		}
		return nil
	})
}

// headsFlag declares a number of heads, or of query heads and KV heads.
func headsFlag(f *flags, to *attend.Heads) {
	f.place("heads")
	f.Func("heads", "`N` heads, or query heads and KV heads as in 32/8; default 8, for decode 32/8", func(s string) error {
		query, kv, both := strings.Cut(s, "/")
		if !both {
			kv = query
		}
		var err1, err2 error
		to.Query, err1 = strconv.Atoi(query)
		to.KV, err2 = strconv.Atoi(kv)
		if err1 != nil || err2 != nil || to.Query < 1 || to.KV < 1 {
			return errors.New("must be a count, or two as in 32/8")
		}
		return nil
	})
}

func (b *benchAttentionFlags) run(h *host) error {
	if b.charts != "" {
		if err := os.MkdirAll(b.charts, 0o755); err != nil {
			return err
		}
	}
	ctx, stop := interruptible()
	defer stop()
	bar := newProgress(h.err)
	r, err := attend.Run(ctx, b.gpu, b.plan, func(p attend.Progress) {
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
func (b *benchAttentionFlags) show(h *host, r *attend.Report) error {
	show := printAttention
	if b.json {
		show = func(w io.Writer, r *attend.Report) error { return writeJSON(w, r) }
	}
	if err := show(h.out, r); err != nil {
		return err
	}
	return b.writeCharts(r)
}

func (b *benchAttentionFlags) writeCharts(r *attend.Report) error {
	if b.charts == "" {
		return nil
	}
	for _, c := range r.Charts() {
		if err := os.WriteFile(filepath.Join(b.charts, c.Name+".svg"), []byte(c.SVG), 0o644); err != nil {
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
