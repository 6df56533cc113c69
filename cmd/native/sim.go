package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"quire/engine/bench/replay"
	"quire/paging/sim"
)

type simCommand struct {
	Trace     string  `group:"Workload:" placeholder:"FILE" help:"Read a trace (-: stdin)."`
	Format    *string `group:"Workload:" placeholder:"FORMAT" enum:"azure, mooncake" help:"The trace's format, azure or mooncake. Without it, found out."`
	Synthetic *string `group:"Workload:" placeholder:"NAME" enum:"${workloads}" help:"Make up a workload: ${enum}."`
	Requests  *int    `group:"Workload:" placeholder:"N" min:"1" help:"Replay the first N requests only. Without it all, with --sharing ${sharingRequests}."`
	MaxLen    int     `group:"Workload:" placeholder:"TOKENS" default:"2048" min:"2" help:"Cut prompt and output to so many tokens together."`
	StepMs    float64 `group:"Workload:" name:"step-ms" placeholder:"MS" default:"0" help:"Let a step take so many milliseconds, and requests arrive as in the trace. 0: all wait at the start."`

	Blocks    int    `group:"Memory:" placeholder:"N" default:"4096" min:"2" help:"Blocks of memory, the null block included."`
	BlockSize int    `group:"Memory:" placeholder:"SLOTS" default:"16" min:"1" help:"Slots a block."`
	Watermark int    `group:"Memory:" placeholder:"N" default:"0" help:"Blocks that an admission leaves free."`
	Placement string `group:"Memory:" placeholder:"METHOD" default:"buddy" enum:"buddy, first-fit" help:"How contiguous memory is found: ${enum}."`

	Sharing bool   `group:"Output:" help:"Measure what sharing blocks saves."`
	JSON    bool   `group:"Output:" name:"json" help:"Print one JSON object."`
	Chart   string `group:"Output:" placeholder:"FILE" help:"Draw a chart, an .svg file."`
}

// Help is what --help shows beyond the flags.
func (*simCommand) Help() string {
	return `Replays a trace through the real scheduler and block manager without a GPU, a step the unit of time, and over three contiguous
allocators with as much memory: one that gives every request the maximum length, one that gives prompt plus the output's next
power of two, and an oracle, which knows the output's length. A trace is CSV (azure: TIMESTAMP, ContextTokens, GeneratedTokens) or
JSON Lines (mooncake: timestamp, input_length, output_length, hash_ids), gzipped or not.

"token share" is the part of the allocated slots that held a token, "reserved" was to hold one later, "internal" never did.
"external" is the part of the whole memory that was free, enough for the next request, and in no large enough piece. --sharing
measures what sharing blocks saves in parallel sampling, beam search and under a system prompt instead.

Examples:

  quire sim --trace AzureLLMInferenceTrace_conv.csv
  quire sim --trace mooncake_conversation_trace.jsonl.gz --max-len 131072 --blocks 65536
  quire sim --synthetic short --chart memory.svg
  quire sim --synthetic short --sharing --json`
}

// sharingRequests is how many requests --sharing replays unless told: they run eight times, with up to six sequences.
const sharingRequests = 300

// Run runs the command.
func (s *simCommand) Run(h *host) error {
	switch {
	case (s.Trace == "") == (s.Synthetic == nil):
		return usagef("give either --trace FILE or --synthetic NAME")
	case s.Trace == "" && s.Format != nil:
		return usagef("--format goes with --trace")
	case s.Chart != "" && strings.ToLower(filepath.Ext(s.Chart)) != ".svg":
		return usagef("--chart %s: only .svg can be drawn", s.Chart)
	case s.StepMs != 0 && !(s.StepMs >= 1e-3 && s.StepMs <= 1e9):
		return usagef("--step-ms must be 0 or within 0.001 and 1e9")
	case s.Blocks > maxSimBlocks:
		return usagef("--blocks %d: %d is the most", s.Blocks, maxSimBlocks)
	case s.Blocks*s.BlockSize > math.MaxInt32:
		return usagef("%d blocks of %d slots: %d slots in all are the most", s.Blocks, s.BlockSize, math.MaxInt32)
	case s.Watermark >= s.Blocks:
		return usagef("--watermark %d leaves nothing of %d blocks", s.Watermark, s.Blocks)
	case (s.Blocks-1)*s.BlockSize < s.MaxLen:
		return usagef("%d blocks of %d slots hold less than --max-len %d: raise --blocks or lower --max-len", s.Blocks, s.BlockSize, s.MaxLen)
	}
	return s.run(h, replay.Options{Blocks: s.Blocks, BlockSize: s.BlockSize, Watermark: s.Watermark, Setting: sim.Setting{MaxLen: s.MaxLen,
		Step: time.Duration(s.StepMs * float64(time.Millisecond)), Placement: sim.Placement(s.Placement)}})
}

// maxSimBlocks keeps the books within a few GiB.
const maxSimBlocks = 1 << 24

func (s *simCommand) run(h *host, o replay.Options) error {
	requests, name, err := s.load(h)
	if err != nil {
		return err
	}
	most := len(requests)
	if s.Sharing {
		most = sharingRequests
	}
	set(&most, s.Requests)
	requests = requests[:min(most, len(requests))]
	if s.Sharing {
		return s.runSharing(h, o, requests, name)
	}
	results, err := replay.Compare(requests, o)
	if err != nil {
		return err
	}
	if err := s.draw(func(w io.Writer) error { return replay.WriteChart(w, name, results) }); err != nil {
		return err
	}
	if s.JSON {
		return writeJSON(h.out, struct {
			Allocators []sim.Result `json:"allocators"`
		}{results})
	}
	fmt.Fprintf(h.out, "%s: %s, %d output tokens, %d blocks of %d slots, at most %d tokens each\n\n", name,
		plural(len(requests), "request"), results[0].Tokens, s.Blocks, s.BlockSize, s.MaxLen)
	return printSim(h.out, results)
}

func (s *simCommand) runSharing(h *host, o replay.Options, requests []sim.Request, name string) error {
	savings, err := replay.Sharing(requests, o)
	if err != nil {
		return err
	}
	if err := s.draw(func(w io.Writer) error { return replay.WriteSharingChart(w, name, savings) }); err != nil {
		return err
	}
	if s.JSON {
		return writeJSON(h.out, struct {
			Sharing []replay.Saving `json:"sharing"`
		}{savings})
	}
	fmt.Fprintf(h.out, "%s: %s\n\n", name, plural(len(requests), "request"))
	table := tabwriter.NewWriter(h.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "strategy\twidth\tblocks saved\tsequences\tcopies\tsteps\t")
	for _, v := range savings {
		fmt.Fprintf(table, "%s\t%d\t%.1f %%\t%.1f\t%d\t%d\t\n", v.Strategy, v.Width, 100*v.Saved, v.Sequences, v.Copies, v.Steps)
	}
	return table.Flush()
}

// load gives the requests and what to call them.
func (s *simCommand) load(h *host) ([]sim.Request, string, error) {
	if s.Synthetic != nil {
		requests, err := sim.Synthetic(*s.Synthetic)
		return requests, "synthetic workload " + *s.Synthetic, err
	}
	in, name := h.in, "stdin"
	if s.Trace != "-" {
		f, err := os.Open(s.Trace)
		if err != nil {
			return nil, "", err
		}
		defer f.Close()
		in, name = f, filepath.Base(s.Trace)
	}
	format := ""
	set(&format, s.Format)
	requests, err := sim.Read(in, sim.Format(format))
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	return requests, name, nil
}

// draw writes the chart, if one is asked for.
func (s *simCommand) draw(write func(io.Writer) error) error {
	if s.Chart == "" {
		return nil
	}
	f, err := os.Create(s.Chart)
	if err != nil {
		return err
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func printSim(w io.Writer, results []sim.Result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "allocator\ttoken share\treserved\tinternal\texternal\tmemory used\tin flight\ttokens/step\tsteps\thits\tpreemptions\t")
	for _, r := range results {
		fmt.Fprintf(table, "%s\t%.1f %%\t%.1f %%\t%.1f %%\t%.1f %%\t%.1f %%\t%.1f\t%.1f\t%d\t%.1f %%\t%d\t\n", r.Name, 100*r.TokenShare,
			100*r.Reserved, 100*r.Internal, 100*r.External, 100*r.Memory.Tokens, r.InFlight, r.TokensPerStep, r.Steps,
			100*r.HitRate, r.Preemptions)
	}
	return table.Flush()
}
