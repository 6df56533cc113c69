package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"quire/engine"
	"quire/engine/gpu"
	"quire/engine/train"
)

var trainCommand = &command{
	name:    "train",
	summary: "train a small llama on a text",
	usage:   "--data FILE [--out FILE] [flags]",
	about: `Trains a llama from random weights to go on with a text, its bytes as tokens: forward and backward pass, cross-entropy
and AdamW on the GPU in f32. Prints the loss in nats a byte, and now and then the loss on the text's end, which is kept out
of the training, and a sample. --out keeps the model as a GGUF file that "quire run -m" takes. Ctrl-C stops and keeps what
has been learned; a second one quits. The same seed on the same adapter gives the same model. Without flags of shape, batch
and length, adapters that are software take a small model: 2 layers of width 128 on 8 sequences of 64.`,
	examples: []string{
		"quire train --data tales.txt --out tales.gguf",
		"quire train --data tales.txt --out tales.gguf --layers 4 --width 256 --heads 4 --kv-heads 2 --steps 5000",
		"quire train --data notes.txt --steps 200 --sample-every 50 --prompt 'Dear '",
		"quire train --data tales.txt --json > losses.jsonl",
		`quire run -m tales.gguf "Once upon a time"`,
	},
	prepare: prepareTrain,
}

// trainFlags is what the command line of train says.
type trainFlags struct {
	data, out, prompt         string
	json                      bool
	steps, batch, ffn         int
	sampleEvery, sampleTokens int
	rate, decay               float64
	seed                      uint64
	config                    train.Config
	gpu                       gpu.Options
}

func prepareTrain(f *flags) func(*host, []string) error {
	t := trainFlags{
		prompt: "\n", steps: 1000, batch: 16, sampleEvery: 200, sampleTokens: 200, rate: 1e-3, decay: 0.1, seed: 1,
		config: train.Config{Layers: 6, Width: 384, Heads: 6, KVHeads: 2, Length: 256, Vocabulary: train.ByteVocabulary, Eps: 1e-5, RopeBase: 10000},
	}
	c := &t.config
	f.group("text and model")
	f.text("data", &t.data, "learn the text of a `FILE`; -: stdin")
	f.text("out", &t.out, "write the model to a `FILE`, at the end and whenever training stops")
	f.group("shape")
	f.whole("layers", &c.Layers, 1, "`N` layers; default 6")
	f.whole("width", &c.Width, 32, "a residual stream of `N` floats, a multiple of 32; default 384")
	f.whole("heads", &c.Heads, 1, "`N` query heads, which share the width; default 6")
	f.whole("kv-heads", &c.KVHeads, 1, "`N` key and value heads, a divisor of the query heads; default 2")
	f.whole("ffn", &t.ffn, 0, "a feed-forward layer of `N` floats, a multiple of 32; 0: 8/3 of the width")
	f.flag("tied", &c.Tied, "the embedding's weights are the output's too")
	f.group("training")
	f.whole("steps", &t.steps, 1, "learn `N` batches; default 1000")
	f.whole("batch", &t.batch, 1, "`N` sequences a step; default 16")
	f.whole("length", &c.Length, 2, "`N` bytes a sequence, the model's context; default 256")
	f.real("lr", &t.rate, "a learning rate of `R` at its highest, falling to a tenth; default 0.001")
	f.real("decay", &t.decay, "a weight decay of `R`; default 0.1")
	f.seed("seed", &t.seed, "the `SEED` of weights and batches; default 1")
	f.group("output")
	f.whole("sample-every", &t.sampleEvery, 0, "show a sample and the loss on kept-back text every `N` steps; 0: never; default 200")
	f.whole("sample-tokens", &t.sampleTokens, 1, "samples of `N` bytes; default 200")
	f.text("prompt", &t.prompt, "samples go on with a `TEXT`; default: a line's end")
	f.flag("json", &t.json, "print JSON Lines: a step, score, sample, or the file written, each")
	f.group("adapter")
	f.text("adapter", &t.gpu.Adapter, "the GPU: a number or part of a `NAME` from \"quire adapters\"")
	f.choice("power", (*string)(&t.gpu.Power), powers, "without --adapter, the `KIND` of GPU: high-performance or low-power")
	return func(h *host, _ []string) error {
		if err := t.check(); err != nil {
			return err
		}
		if t.out != "" {
			if err := t.checkOut(h); err != nil {
				return err
			}
		}
		ctx, stop := interruptible()
		defer stop()
		dev, err := gpu.Open(ctx, t.gpu)
		if err != nil {
			return interrupted(ctx, h, err)
		}
		defer dev.Release()
		if dev.Info().Type == "cpu" && !slices.ContainsFunc(sized, f.given) {
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
}

// sized are the flags without which a software adapter takes a small model.
var sized = []string{"layers", "width", "heads", "kv-heads", "ffn", "batch", "length"}

// shrink makes the model and its batches small, unless the prompt needs the longer context.
func (t *trainFlags) shrink() error {
	const length = 64
	if len(t.prompt) >= length {
		return nil
	}
	c := &t.config
	c.Layers, c.Width, c.Heads, c.KVHeads, c.Length = 2, 128, 4, 2, length
	t.ffn, t.batch = 0, 8
	return t.check()
}

// check names the flag that does not fit, and completes the shape.
func (t *trainFlags) check() error {
	c := &t.config
	if t.ffn == 0 {
		t.ffn = (c.Width*8/3 + 31) / 32 * 32
	}
	c.FFN = t.ffn
	most := map[string]int{"layers": c.Layers, "width": c.Width / 16, "ffn": c.FFN / 64, "heads": c.Heads}
	for _, name := range []string{"layers", "width", "ffn", "heads"} {
		if most[name] > 1024 {
			return usagef("--%s is too large for a model that is trained here", name)
		}
	}
	switch {
	case t.data == "":
		return usagef("--data FILE is needed: the text to learn")
	case c.Width%32 != 0:
		return usagef("--width %d is no multiple of 32", c.Width)
	case c.FFN%32 != 0:
		return usagef("--ffn %d is no multiple of 32", c.FFN)
	case c.Width%c.Heads != 0 || c.Width/c.Heads%4 != 0:
		return usagef("--heads %d do not share a width of %d in heads of a multiple of 4", c.Heads, c.Width)
	case c.Width/c.Heads > 256:
		return usagef("--heads %d of a width of %d are heads of %d; 256 is the most", c.Heads, c.Width, c.Width/c.Heads)
	case c.Heads%c.KVHeads != 0:
		return usagef("--kv-heads %d is no divisor of %d heads", c.KVHeads, c.Heads)
	case t.batch > train.MaxTokens/c.Length:
		return usagef("--batch %d of --length %d are more than %d tokens a step", t.batch, c.Length, train.MaxTokens)
	case !(t.rate > 0 && t.rate <= 1):
		return usagef("--lr %g is not above 0 and at most 1", t.rate)
	case !(t.decay >= 0 && t.decay <= 1):
		return usagef("--decay %g is not within 0 to 1", t.decay)
	case t.prompt == "":
		return usagef("--prompt must not be empty")
	case len(t.prompt) >= c.Length:
		return usagef("--prompt of %d bytes does not fit into a context of --length %d", len(t.prompt), c.Length)
	}
	c.HeadDim = c.Width / c.Heads
	return nil
}

// maxText is the longest text that is read; a token takes four times as much.
const maxText = 256 << 20

// readText is read, which gives up waiting for the text once ctx ends.
func (t *trainFlags) readText(ctx context.Context, h *host) ([]byte, error) {
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
func (t *trainFlags) read(h *host) ([]byte, error) {
	in := h.in
	name := "stdin"
	if t.data != "-" {
		name = t.data
		f, err := os.Open(t.data)
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
func (t *trainFlags) split(text []byte) (learned, kept []int32) {
	n := len(text) / 20
	if n <= t.config.Length {
		return train.Tokens(text), nil
	}
	return train.Tokens(text[:len(text)-n]), train.Tokens(text[len(text)-n:])[1:]
}

func (t *trainFlags) optimizer() train.Optimizer {
	o := train.DefaultOptimizer(t.rate, t.steps)
	o.Decay = t.decay
	return o
}

// modelName is the name that the file gives the model.
func (t *trainFlags) modelName() string {
	if t.out == "" {
		return "quire train"
	}
	name := t.out[strings.LastIndexAny(t.out, `/\`)+1:]
	return strings.TrimSuffix(name, ".gguf")
}

// options are how samples are drawn: the engine of "quire run", for one sequence.
func (t *trainFlags) options() engine.Options {
	return engine.Options{GPU: t.gpu, KVType: "f32", MaxSeqs: 1, NoPrefixCache: true}
}
