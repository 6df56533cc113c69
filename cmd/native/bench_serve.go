package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"text/tabwriter"

	"quire/cmd/native/load"
)

type benchServeCommand struct {
	URL string `arg:"" optional:"" default:"http://127.0.0.1:8080/v1" help:"The API's base, of any server that has OpenAI's."`

	Model string `group:"Server:" short:"m" placeholder:"NAME" help:"The model to ask, by the server's name for it. Without it, the server's only or first one."`
	Key   string `group:"Server:" name:"api-key" env:"QUIRE_API_KEY" placeholder:"KEY" help:"The key to show."`

	Clients  []int `group:"Measurement:" placeholder:"N" default:"1,8,32,64" min:"1" help:"So many clients at once, one number after another."`
	Prompt   int   `group:"Measurement:" placeholder:"TOKENS" default:"512" min:"1" help:"Tokens of each prompt, random ones."`
	Gen      int   `group:"Measurement:" placeholder:"TOKENS" default:"128" min:"1" help:"Tokens of each answer."`
	Requests int   `group:"Measurement:" placeholder:"N" default:"3" min:"1" help:"Requests of each client, one after another."`
	JSON     bool  `group:"Measurement:" name:"json" help:"Print one JSON object."`
}

// Help is what --help shows beyond the flags.
func (*benchServeCommand) Help() string {
	return `Asks a running server for completions and prints what its clients see: tokens a second, of all of them together, and the times that half,
nine of ten, and 99 of a hundred requests took to their first token, for each further one, and in all. The column "decoding" is the
speed between first and last tokens, which "quire bench --batch N" compares with.

Prompts are random token ids from 100 to 899, so that no cache has them. Servers must take "ignore_eos" and count tokens in streams
(vLLM and llama-server do).

--json prints "url", "prompt", "gen" and "results", each with "clients", "requests", "tokens", "tokens_per_second",
"decode_tokens_per_second", and "time_to_first_token", "time_per_output_token" and "request_latency", which have "p50", "p90" and "p99",
in milliseconds.

Examples:

  quire bench serve
  quire bench serve --clients 1,16 --prompt 2048 --gen 256 http://127.0.0.1:8000/v1`
}

// loadReport is what --json prints.
type loadReport struct {
	URL     string         `json:"url"`
	Prompt  int            `json:"prompt"`
	Gen     int            `json:"gen"`
	Results []*load.Result `json:"results"`
}

// Run runs the command.
func (b *benchServeCommand) Run(h *host) error {
	if u, err := url.Parse(b.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usagef("%q is no address of a server, such as http://127.0.0.1:8080/v1", b.URL)
	}
	ctx, stop := interruptible()
	defer stop()
	return interrupted(ctx, h, b.run(ctx, h))
}

func (b *benchServeCommand) run(ctx context.Context, h *host) error {
	p := load.Plan{URL: b.URL, Key: b.Key, Model: b.Model, Prompt: b.Prompt, Gen: b.Gen, Requests: b.Requests}
	warm := p
	warm.Requests = 1
	if _, err := load.Run(ctx, warm, 1); err != nil {
		return err
	}
	r := loadReport{URL: b.URL, Prompt: b.Prompt, Gen: b.Gen}
	bar := newProgress(h.err)
	defer bar.clear()
	for _, n := range b.Clients {
		bar.note(fmt.Sprintf("clients at once: %d", n))
		one, err := load.Run(ctx, p, n)
		if err != nil {
			return err
		}
		r.Results = append(r.Results, one)
	}
	bar.clear()
	if b.JSON {
		return writeJSON(h.out, r)
	}
	return printLoad(h.out, r)
}

func printLoad(w io.Writer, r loadReport) error {
	fmt.Fprintf(w, "%s, prompts of %d tokens, answers of %d\n\n", r.URL, r.Prompt, r.Gen)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "clients\ttokens/s\tdecoding\tfirst token, ms: p50\tp90\tp99\teach further: p50\tp90\tp99\tin all: p50\tp90\tp99\t")
	for _, m := range r.Results {
		fmt.Fprintf(table, "%d\t%.1f\t%.1f", m.Clients, m.TokensPerSecond, m.DecodePerSecond)
		for _, p := range []load.Percentiles{m.First, m.Each, m.Whole} {
			fmt.Fprintf(table, "\t%.1f\t%.1f\t%.1f", p.P50, p.P90, p.P99)
		}
		fmt.Fprintln(table, "\t")
	}
	return table.Flush()
}
