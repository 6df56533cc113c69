package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/train"
)

type trainCommand struct {
	Data string `group:"Text and model:" placeholder:"FILE" required:"" help:"Learn the text of a file (-: stdin), at most 256 MiB."`
	Out  string `group:"Text and model:" placeholder:"FILE" help:"Write the model to a GGUF file, in f32, at the end and whenever training stops. Without it, nothing is kept."`

	Tied bool `group:"Text and model:" help:"Take the embedding's weights for the output too."`

	Layers  int `group:"Shape and batch:" placeholder:"N" default:"6" min:"1" help:"Layers."`
	Width   int `group:"Shape and batch:" placeholder:"N" default:"384" min:"32" help:"Floats of the residual stream, a multiple of 32."`
	Heads   int `group:"Shape and batch:" placeholder:"N" default:"6" min:"1" help:"Query heads, which share the width."`
	KVHeads int `group:"Shape and batch:" name:"kv-heads" placeholder:"N" default:"2" min:"1" help:"Key and value heads, a divisor of the query heads."`
	FFN     int `group:"Shape and batch:" name:"ffn" placeholder:"N" default:"0" help:"Floats of the feed-forward layer, a multiple of 32. 0: 8/3 of the width."`
	Batch   int `group:"Shape and batch:" placeholder:"N" default:"16" min:"1" help:"Sequences a step."`
	Length  int `group:"Shape and batch:" placeholder:"BYTES" default:"256" min:"2" help:"Bytes of a sequence, the model's context."`

	Steps int     `group:"Training:" placeholder:"N" default:"1000" min:"1" help:"Batches to learn."`
	Rate  float64 `group:"Training:" name:"lr" placeholder:"R" default:"0.001" help:"The learning rate at its highest, after a warm-up of a tenth of the steps, at most 100. It falls to a tenth."`
	Decay float64 `group:"Training:" placeholder:"R" default:"0.1" help:"Weight decay."`
	Seed  uint64  `group:"Training:" placeholder:"SEED" default:"1" help:"The seed of weights and batches."`

	SampleEvery  int    `group:"Output:" placeholder:"N" default:"200" help:"Show a sample and the loss on kept-back text every N steps. 0: never."`
	SampleTokens int    `group:"Output:" placeholder:"BYTES" default:"200" min:"1" help:"How long a sample is."`
	Prompt       string `group:"Output:" placeholder:"TEXT" default:"\n" filled:"" help:"Samples go on with this text. Without it, a line's end."`
	JSON         bool   `group:"Output:" name:"json" help:"Print JSON Lines, each a step, score, sample or file, as \"event\" says."`

	gpuFlags `group:"Adapter:"`

	config train.Config
}

// Help is what --help shows beyond the flags.
func (*trainCommand) Help() string {
	return `Trains a llama from random weights to go on with a text, its bytes as tokens: forward and backward pass, cross-entropy and AdamW on
the GPU in f32. It prints the loss in nats a byte, and now and then a sample, and the loss on the text's last twentieth, which is
kept out of the training. Ctrl-C stops and keeps what has been learned; a second one quits. The same seed on the same adapter gives
the same model. Without flags of shape and batch, adapters that are software take a small model, 2 layers of width 128 on 8
sequences of 64, if the prompt is shorter than that.

Examples:

  quire train --data tales.txt --out tales.gguf
  quire train --data tales.txt --out tales.gguf --layers 4 --width 256 --heads 4 --kv-heads 2 --steps 5000
  quire train --data notes.txt --steps 200 --sample-every 50 --prompt 'Dear '
  quire train --data tales.txt --json > losses.jsonl
  quire run -m tales.gguf "Once upon a time"`
}

// Run runs the command.
func (t *trainCommand) Run(h *host, line *kong.Context) error {
	if err := t.check(); err != nil {
		return err
	}
	if t.Out != "" {
		if err := t.checkOut(h); err != nil {
			return err
		}
	}
	ctx, stop := interruptible()
	defer stop()
	dev, err := gpu.Open(ctx, t.gpuFlags.options())
	if err != nil {
		return interrupted(ctx, h, err)
	}
	defer dev.Release()
	sized := slices.ContainsFunc(line.Path, func(p *kong.Path) bool { return p.Flag != nil && p.Flag.Group.Key == "Shape and batch:" })
	if dev.Info().Type == "cpu" && !sized {
		if err := t.shrink(); err != nil {
			return err
		}
	}
	text, err := t.readText(ctx, h)
	if err != nil {
		return interrupted(ctx, h, err)
	}
	return t.run(ctx, h, dev, text)
}

// shrink makes the model and its batches small, unless the prompt needs the longer context.
func (t *trainCommand) shrink() error {
	const length = 64
	if len(t.Prompt) >= length {
		return nil
	}
	t.Layers, t.Width, t.Heads, t.KVHeads, t.FFN, t.Batch, t.Length = 2, 128, 4, 2, 0, 8, length
	return t.check()
}

// check names the flag that does not fit, and completes the shape.
func (t *trainCommand) check() error {
	ffn := t.FFN
	if ffn == 0 {
		ffn = (t.Width*8/3 + 31) / 32 * 32
	}
	most := map[string]int{"layers": t.Layers, "width": t.Width / 16, "ffn": ffn / 64, "heads": t.Heads}
	for _, name := range []string{"layers", "width", "ffn", "heads"} {
		if most[name] > 1024 {
			return usagef("--%s is too large for a model that is trained here", name)
		}
	}
	switch {
	case t.Width%32 != 0:
		return usagef("--width %d is no multiple of 32", t.Width)
	case ffn%32 != 0:
		return usagef("--ffn %d is no multiple of 32", ffn)
	case t.Width%t.Heads != 0 || t.Width/t.Heads%4 != 0:
		return usagef("--heads %d do not share a width of %d in heads of a multiple of 4", t.Heads, t.Width)
	case t.Width/t.Heads > 256:
		return usagef("--heads %d of a width of %d are heads of %d; 256 is the most", t.Heads, t.Width, t.Width/t.Heads)
	case t.Heads%t.KVHeads != 0:
		return usagef("--kv-heads %d is no divisor of %d heads", t.KVHeads, t.Heads)
	case t.Batch > train.MaxTokens/t.Length:
		return usagef("--batch %d of --length %d are more than %d tokens a step", t.Batch, t.Length, train.MaxTokens)
	case !(t.Rate > 0 && t.Rate <= 1):
		return usagef("--lr %g is not above 0 and at most 1", t.Rate)
	case !(t.Decay >= 0 && t.Decay <= 1):
		return usagef("--decay %g is not within 0 to 1", t.Decay)
	case len(t.Prompt) >= t.Length:
		return usagef("--prompt of %d bytes does not fit into a context of --length %d", len(t.Prompt), t.Length)
	}
	t.config = train.Config{Layers: t.Layers, Width: t.Width, Heads: t.Heads, KVHeads: t.KVHeads, HeadDim: t.Width / t.Heads, FFN: ffn,
		Tied: t.Tied, Length: t.Length, Vocabulary: train.ByteVocabulary, Eps: 1e-5, RopeBase: 10000}
	return nil
}

// maxText is the longest text that is read; a token takes four times as much.
const maxText = 256 << 20

// readText is read, which gives up waiting for the text once ctx ends.
func (t *trainCommand) readText(ctx context.Context, h *host) ([]byte, error) {
	var text []byte
	done := make(chan error, 1)
	go func() {
		var err error
		text, err = t.read(h)
		done <- err
	}()
	select {
	case err := <-done:
		return text, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// read reads the text to learn.
func (t *trainCommand) read(h *host) ([]byte, error) {
	in := h.in
	name := "stdin"
	if t.Data != "-" {
		name = t.Data
		f, err := os.Open(t.Data)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxText+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case len(text) > maxText:
		return nil, fmt.Errorf("%s: more than %s; cut the text", name, formatSize(maxText))
	case len(text) < t.config.Length+1:
		return nil, fmt.Errorf("%s has %s; sequences of %d need at least %d: take a longer text or a smaller --length",
			name, plural(len(text), "byte"), t.config.Length, t.config.Length+1)
	}
	return text, nil
}

// split keeps back a twentieth of the text, at its end, if that holds a sequence.
func (t *trainCommand) split(text []byte) (learned, kept []int32) {
	n := len(text) / 20
	if n <= t.config.Length {
		return train.Tokens(text), nil
	}
	return train.Tokens(text[:len(text)-n]), train.Tokens(text[len(text)-n:])[1:]
}

func (t *trainCommand) optimizer() train.Optimizer {
	o := train.DefaultOptimizer(t.Rate, t.Steps)
	o.Decay = t.Decay
	return o
}

// modelName is the name that the file gives the model.
func (t *trainCommand) modelName() string {
	if t.Out == "" {
		return "quire train"
	}
	name := t.Out[strings.LastIndexAny(t.Out, `/\`)+1:]
	return strings.TrimSuffix(name, ".gguf")
}

// sampling is how samples are drawn: the engine of "quire run", for one sequence.
func (t *trainCommand) sampling() engine.Options {
	return engine.Options{GPU: t.gpuFlags.options(), KVType: "f32", MaxSeqs: 1, NoPrefixCache: true}
}
