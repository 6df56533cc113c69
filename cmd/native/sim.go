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

var simCommand = &command{
	name:    "sim",
	summary: "replay a request trace through the scheduler, against contiguous allocators",
	usage:   "(--trace FILE | --synthetic NAME) [flags]",
	about: `Replays a trace through the real scheduler and block manager without a GPU, a step the unit of time, and over three
contiguous allocators with as much memory: one that gives every request the maximum length, one that gives prompt plus the
output's next power of two, and one that knows the output's length. A trace is CSV (azure: TIMESTAMP, ContextTokens,
GeneratedTokens) or JSON lines (mooncake: timestamp, input_length, output_length, hash_ids), packed with gzip or not.

"token share" is the part of the allocated slots that held a token, "reserved" was to hold one later, "internal" never did;
"external" is the part of the whole memory that was free, enough for the next request, and in no large enough piece. --sharing
measures what sharing blocks saves in parallel sampling, beam search and under a system prompt instead.`,
	examples: []string{
		"quire sim --trace AzureLLMInferenceTrace_conv.csv",
		"quire sim --trace mooncake_conversation_trace.jsonl.gz --max-len 131072 --blocks 65536",
		"quire sim --synthetic short --chart memory.svg",
		"quire sim --synthetic short --sharing --json",
	},
	prepare: prepareSim,
}

// sharingRequests is how many requests --sharing replays unless told: they run eight times, with up to six sequences.
const sharingRequests = 300

// simFlags is what the command line of sim says.
type simFlags struct {
	trace, format, synthetic, placement, chart string
	requests                                   int
	sharing, json                              bool
	options                                    replay.Options
}

func prepareSim(f *flags) func(*host, []string) error {
	s := simFlags{options: replay.Options{Blocks: 4096, BlockSize: 16, Setting: sim.Setting{MaxLen: 2048}}}
	stepMillis := 0.0
	f.group("workload")
	f.text("trace", &s.trace, "read the trace `FILE`; -: stdin")
	f.choice("format", &s.format, []string{string(sim.Azure), string(sim.Mooncake)}, "the trace's `FORMAT`, azure or mooncake; otherwise found out")
	f.choice("synthetic", &s.synthetic, sim.SyntheticNames(), "make up a workload `NAME`: "+strings.Join(sim.SyntheticNames(), ", "))
	f.whole("requests", &s.requests, 1, fmt.Sprintf("replay the first `N` requests only; default all, with --sharing %d", sharingRequests))
	f.whole("max-len", &s.options.MaxLen, 2, "cut prompt and output to `N` tokens together; default 2048")
	f.real("step-ms", &stepMillis, "let a step take `T` milliseconds and requests arrive as in the trace; default 0: all wait at the start")
	f.group("memory")
	f.whole("blocks", &s.options.Blocks, 2, "`N` blocks, the null block included; default 4096")
	f.whole("block-size", &s.options.BlockSize, 1, "`N` slots a block; default 16")
	f.whole("watermark", &s.options.Watermark, 0, "`N` blocks that an admission leaves free; default 0")
	f.choice("placement", &s.placement, []string{string(sim.Buddies), string(sim.FirstHole)}, "how contiguous memory is found, buddy (default) or first-fit: a `METHOD`")
	f.group("output")
	f.flag("sharing", &s.sharing, "measure what sharing blocks saves")
	f.flag("json", &s.json, "print one JSON object")
	f.text("chart", &s.chart, "draw an SVG `FILE`")
	return func(h *host, _ []string) error {
		switch {
		case (s.trace == "") == (s.synthetic == ""):
			return usagef("give either --trace FILE or --synthetic NAME")
		case s.trace == "" && s.format != "":
			return usagef("--format goes with --trace")
		case s.chart != "" && strings.ToLower(filepath.Ext(s.chart)) != ".svg":
			return usagef("--chart %s: only .svg can be drawn", s.chart)
		case stepMillis != 0 && !(stepMillis >= 1e-3 && stepMillis <= 1e9):
			return usagef("--step-ms must be 0 or within 0.001 and 1e9")
		case s.options.Blocks > maxSimBlocks:
			return usagef("--blocks %d: %d is the most", s.options.Blocks, maxSimBlocks)
		case s.options.Blocks*s.options.BlockSize > math.MaxInt32:
			return usagef("%d blocks of %d slots: %d slots in all are the most", s.options.Blocks, s.options.BlockSize, math.MaxInt32)
		case s.options.Watermark >= s.options.Blocks:
			return usagef("--watermark %d leaves nothing of %d blocks", s.options.Watermark, s.options.Blocks)
		case (s.options.Blocks-1)*s.options.BlockSize < s.options.MaxLen:
			return usagef("%d blocks of %d slots hold less than --max-len %d: raise --blocks or lower --max-len",
				s.options.Blocks, s.options.BlockSize, s.options.MaxLen)
		}
		s.options.Step = time.Duration(stepMillis * float64(time.Millisecond))
		s.options.Placement = sim.Placement(s.placement)
		return s.run(h)
	}
}

// maxSimBlocks keeps the books within a few GiB.
const maxSimBlocks = 1 << 24

func (s *simFlags) run(h *host) error {
	requests, name, err := s.load(h)
	if err != nil {
		return err
	}
	if s.requests == 0 && s.sharing {
		s.requests = sharingRequests
	}
	if s.requests > 0 {
		requests = requests[:min(s.requests, len(requests))]
	}
	if s.sharing {
		return s.runSharing(h, requests, name)
	}
	results, err := replay.Compare(requests, s.options)
	if err != nil {
		return err
	}
	if err := s.draw(func(w io.Writer) error { return replay.WriteChart(w, name, results) }); err != nil {
		return err
	}
	if s.json {
		return writeJSON(h.out, struct {
			Allocators []sim.Result `json:"allocators"`
		}{results})
	}
	fmt.Fprintf(h.out, "%s: %s, %d output tokens, %d blocks of %d slots, at most %d tokens each\n\n", name,
		plural(len(requests), "request"), results[0].Tokens, s.options.Blocks, s.options.BlockSize, s.options.MaxLen)
	return printSim(h.out, results)
}

func (s *simFlags) runSharing(h *host, requests []sim.Request, name string) error {
	savings, err := replay.Sharing(requests, s.options)
	if err != nil {
		return err
	}
	if err := s.draw(func(w io.Writer) error { return replay.WriteSharingChart(w, name, savings) }); err != nil {
		return err
	}
	if s.json {
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
func (s *simFlags) load(h *host) ([]sim.Request, string, error) {
	if s.synthetic != "" {
		requests, err := sim.Synthetic(s.synthetic)
		return requests, "synthetic workload " + s.synthetic, err
	}
	in, name := h.in, "stdin"
	if s.trace != "-" {
		f, err := os.Open(s.trace)
		if err != nil {
			return nil, "", err
		}
		defer f.Close()
		in, name = f, filepath.Base(s.trace)
	}
	requests, err := sim.Read(in, sim.Format(s.format))
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	return requests, name, nil
}

// draw writes the chart, if one is asked for.
func (s *simFlags) draw(write func(io.Writer) error) error {
	if s.chart == "" {
		return nil
	}
	f, err := os.Create(s.chart)
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
