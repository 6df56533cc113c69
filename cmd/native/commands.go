package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"quire/engine"
	"quire/engine/bench"
	"quire/engine/draft"
	"quire/engine/gpu"
	"quire/engine/kernel"
	"quire/engine/sample"
	"quire/engine/schedule"
	"quire/paging/sim"
)

// commands is the command line: a struct a subcommand, in a file of its own, whose fields are its arguments and flags.
type commands struct {
	Run        runCommand        `cmd:"" help:"Generate text after a prompt."`
	Chat       chatCommand       `cmd:"" help:"Chat with a model on the terminal."`
	Serve      serveCommand      `cmd:"" help:"Serve models over HTTP, as the OpenAI API and ollama have it."`
	Embed      embedCommand      `cmd:"" help:"Turn texts into embeddings, or into scores."`
	Tokenize   tokenizeCommand   `cmd:"" help:"Turn text from stdin into token ids."`
	Detokenize detokenizeCommand `cmd:"" help:"Turn token ids from stdin back into text."`
	Inspect    inspectCommand    `cmd:"" help:"Show what a GGUF file holds, what it needs, and whether it runs."`
	Pull       pullCommand       `cmd:"" help:"Fetch models from a hub, or by address, into the cache."`
	List       listCommand       `cmd:"" help:"List the models in the cache."`
	Rm         rmCommand         `cmd:"" help:"Remove models from the cache."`
	Prune      pruneCommand      `cmd:"" help:"Remove what is left of broken pulls, and models by age or size."`
	Adapters   adaptersCommand   `cmd:"" help:"List the GPU adapters of this machine."`
	Bench      struct {
		Model     benchCommand          `cmd:"" default:"withargs" help:"Measure prefill and decode, of a model or of random weights."`
		Attention benchAttentionCommand `cmd:"" help:"Measure attention: flash beside standard, forward, backward and decode."`
		Serve     benchServeCommand     `cmd:"" help:"Measure a running server: tokens a second and latencies, for several numbers of clients."`
	} `cmd:"" help:"Measure a model, or attention alone."`
	Tune       tuneCommand       `cmd:"" help:"Find this GPU's fastest kernels, of attention or of a model's products, and remember them."`
	Sim        simCommand        `cmd:"" help:"Replay a request trace through the scheduler, beside contiguous allocators."`
	Train      trainCommand      `cmd:"" help:"Train a small llama on a text."`
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Completion completionCommand `cmd:"" help:"Print what makes a shell complete quire's commands and flags."`
	Manual     manualCommand     `cmd:"" hidden:"" help:"Print docs/quire.md."`
}

const about = `Quire runs language models from GGUF files on the GPU. A first try, with the built-in model:

  quire run "Tell me a story about a fox and a kite."`

// newParser returns what reads command lines into a commands. Help ends the program with helpCode.
func newParser(c *commands, out, err io.Writer, helpCode int) (*kong.Kong, error) {
	tales, others := sample.Suited(sample.Tales), sample.Suited("")
	k, wrong := kong.New(c,
		kong.Name("quire"), kong.Description(about), kong.Writers(out, err), kong.Exit(func(int) { os.Exit(helpCode) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}), kong.Help(printHelp), kong.ValueFormatter(describeFlag),
		mappers, kong.Vars{
			"features":         strings.Join(gpu.AllFeatures.Names(), ", "),
			"kvtypes":          strings.Join(kernel.KVTypes(), ", "),
			"shapes":           strings.Join(bench.ShapeNames(), ", "),
			"types":            strings.Join(bench.RandomTypes(), ", "),
			"workloads":        strings.Join(sim.SyntheticNames(), ", "),
			"tokenBudget":      strconv.Itoa(schedule.DefaultTokenBudget),
			"promptBudget":     strconv.Itoa(engine.PromptBudget),
			"longPrompt":       strconv.Itoa(schedule.DefaultLongPrompt),
			"draftMax":         strconv.Itoa(draft.Most),
			"snapshotInterval": strconv.Itoa(schedule.DefaultSnapshotInterval),
			"maxSeqs":          strconv.Itoa(schedule.DefaultMaxSeqs),
			"sharingRequests":  strconv.Itoa(sharingRequests),
			"temperature":      bothDefaults(tales.Temperature, others.Temperature),
			"topP":             bothDefaults(tales.TopP, others.TopP),
			"minP":             bothDefaults(tales.MinP, others.MinP),
		})
	if wrong == nil {
		k.Model.HelpFlag.Help = "Show this help."
	}
	return k, wrong
}

// bothDefaults writes a default of sampling.
func bothDefaults(tales, others float64) string {
	return fmt.Sprintf("%g for the built-in model, %g for others", tales, others)
}

// printHelp shows the command that runs where none of its children is named: "quire bench" is "quire bench model".
func printHelp(o kong.HelpOptions, ctx *kong.Context) error {
	if n := ctx.Selected(); n != nil && n.DefaultCmd != nil {
		ctx.Path = append(ctx.Path, &kong.Path{Parent: n, Command: n.DefaultCmd, Flags: n.DefaultCmd.Flags})
	}
	return kong.DefaultHelpPrinter(o, ctx)
}

// describeFlag is a flag's help with its default.
func describeFlag(v *kong.Value) string {
	if v.HasDefault && v.Default != "0" && v.Default != "\n" { // 0 and a line's end are told in words
		return v.Help + " Default: " + v.Default + "."
	}
	return v.Help
}

// commandName is the command of a command line, as far as it names one.
func commandName(ctx *kong.Context) string {
	if ctx == nil || ctx.Selected() == nil {
		return "quire"
	}
	n := ctx.Selected()
	if n.Parent.DefaultCmd == n {
		n = n.Parent
	}
	return n.FullPath()
}
