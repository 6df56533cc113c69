//go:build js

// Command web is "quire bench" in a browser tab: "make bench-web" runs it in Chromium. Its flags, its table and its JSON are
// the command's.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"

	"quire/cmd/native/model"
	"quire/engine"
	"quire/engine/bench"
	"quire/engine/gguf"
	"quire/engine/gpu"
	"quire/engine/quant"
)

// numbers is a flag of numbers with commas between them.
type numbers []int

func (n *numbers) String() string { return fmt.Sprint(*n) }

func (n *numbers) Set(text string) error {
	*n = nil
	for _, part := range strings.Split(text, ",") {
		value, err := strconv.Atoi(part)
		if err != nil || value < 0 {
			return fmt.Errorf("%q is no number of 0 or more", part)
		}
		*n = append(*n, value)
	}
	return nil
}

// unlessNone is no numbers where 0 says so.
func (n numbers) unlessNone() []int {
	if len(n) == 1 && n[0] == 0 {
		return nil
	}
	return n
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench-web:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	prompts, gens, batches, depths := numbers{512}, numbers{128}, numbers{1}, numbers{0}
	f := flag.NewFlagSet("bench-web", flag.ExitOnError)
	several := func(to *numbers, usage string, names ...string) {
		for _, name := range names {
			f.Var(to, name, usage)
		}
	}
	several(&prompts, "prefill so many tokens; 0: no prefill", "prompt", "pp", "p")
	several(&gens, "decode so many tokens; 0: no decode", "gen", "tg", "n")
	several(&batches, "run so many sequences at once", "batch")
	several(&depths, "tokens of each sequence that are in the cache before", "depth", "d")
	repeat := f.Int("r", 0, "measure everything so often; 0: three times while that is short")
	shared := f.Bool("shared", false, "the sequences of a batch share the tokens that are in the cache before, but for the last 16")
	schema := f.Bool("schema", false, "measure each decode under a JSON Schema too")
	shape := f.String("shape", "", "random weights of a named shape in place of the built-in model")
	weights := f.String("type", "q4_0", "with --shape, the type of all matrices")
	without := f.String("without", "", "features of the adapter to do without, with commas between them")
	asJSON := f.Bool("json", false, "print one JSON object")
	var o engine.Options
	f.BoolVar(&o.Profile, "profile", false, "time every kernel on the GPU")
	f.StringVar(&o.Variant, "variant", "", "kernel variants")
	f.StringVar(&o.KVType, "kv-type", "", "what K and V are stored as")
	f.IntVar(&o.TokenBudget, "token-budget", 0, "tokens of a step")
	f.BoolVar(&o.Deterministic, "deterministic", false, "add up in one order")
	f.Parse(args)
	if f.NArg() > 0 {
		return fmt.Errorf("there is no argument %q", f.Arg(0))
	}
	if *without != "" {
		var err error
		if o.GPU.Disable, err = gpu.ParseFeatures(strings.Split(*without, ",")); err != nil {
			return fmt.Errorf("--without: %w", err)
		}
	}
	src, name, err := open(*shape, weights)
	if err != nil {
		return err
	}
	plan := bench.Plan{Prompts: prompts.unlessNone(), Gens: gens.unlessNone(), Batches: batches, Depths: depths, Shared: *shared, Repeat: *repeat, Schema: *schema}
	r, err := bench.Run(context.Background(), src, name, *weights, o, plan, func(s string) { fmt.Fprintln(os.Stderr, s) })
	if err != nil {
		return err
	}
	r.Command = fmt.Sprintf("make bench-web ARGS='%s'", strings.Join(args, " "))
	if *asJSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	return r.Print(os.Stdout)
}

// open gives the model, its name, and the type of most of its weights.
func open(name string, weights *string) (gpu.Source, string, error) {
	if name == "" {
		header, err := gguf.Read(bytes.NewReader(model.Bytes), int64(len(model.Bytes)))
		if err != nil {
			return nil, "", err
		}
		*weights = bench.CommonType(header)
		return gpu.ReaderSource(bytes.NewReader(model.Bytes), int64(len(model.Bytes))), model.Name, nil
	}
	shape, err := bench.FindShape(name)
	if err != nil {
		return nil, "", err
	}
	t, err := quant.Parse(*weights)
	if err != nil {
		return nil, "", err
	}
	r, err := bench.NewRandom(shape, t)
	if err != nil {
		return nil, "", err
	}
	*weights = strings.ToLower(t.String())
	return gpu.ReaderSource(r, r.Size()), shape.Name, nil
}
