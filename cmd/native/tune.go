package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"

	"quire/engine"
	"quire/engine/attention"
	"quire/engine/bench/attend"
	"quire/engine/gpu"
)

type tuneCommand struct {
	gpuFlags
	Model  string `short:"m" placeholder:"MODEL" help:"Measure how one token and many are multiplied by this model's matrices, in place of attention: a GGUF file, hf:owner/repo[:QUANT], or an http(s) address."`
	Quick  bool   `help:"Measure head dim 64 only, with shorter sequences; with -m, few shapes for one token, and tiles for 512 only. What is remembered beyond that stays, and with -m what a longer run found."`
	Forget bool   `help:"Measure nothing; forget what is remembered of the adapter."`
	JSON   bool   `name:"json" help:"Print one JSON object."`
}

// Help is what --help shows beyond the flags.
func (*tuneCommand) Help() string {
	return `Measures the tiles that attention's kernels can take, at head dims 64 and 128, and how decode's keys are best split. It remembers
the fastest in the user's cache folder (quire/tune.json), for each adapter and driver. Every model that is opened later uses
them, unless --variant or --deterministic says otherwise. A new driver or other kernels make it forget. A tile that gives other
results than the baseline is not chosen. Where subgroups give wrong results, that is remembered too, and attention goes
without them.

With -m it measures how decoding one sequence multiplies by each of a model's matrices: how many invocations share a row, how many rows
are theirs, and how much they read at once; and in which tiles 8, 32, 128 and 512 tokens go together, in batches and in prompts, where
the adapter leaves a choice: all tiles that may be chosen give the same numbers, bit for bit. What is fastest is remembered by the
matrices' types and sizes, and used for every model with such matrices, in place of its adapter's choice.

Examples:

  quire tune
  quire tune -m model.gguf
  quire tune --adapter nvidia --json
  quire tune --forget`
}

// Run runs the command.
func (c *tuneCommand) Run(h *host) error {
	ctx, stop := interruptible()
	defer stop()
	o := c.gpuFlags.options()
	if c.Forget {
		if c.Quick || c.JSON || c.Model != "" {
			return usagef("--forget stands alone, or with --adapter")
		}
		return forgetTuning(ctx, h, o)
	}
	if err := checkCache(); err != nil {
		return err
	}
	bar := newProgress(h.err)
	tuned, tuning, show, err := c.measure(ctx, h, bar)
	bar.clear()
	if err != nil {
		return interrupted(ctx, h, err)
	}
	// What was measured is shown even where it cannot be kept, and kept where it cannot be shown.
	var shown error
	if c.JSON {
		shown = writeJSON(h.out, tuned)
	} else {
		shown = show(h.out)
	}
	before, path, err := readTunings()
	if err != nil {
		fmt.Fprintf(h.err, "quire: what %s held is replaced: %v\n", path, err)
	}
	if path, err = writeTunings(before.With(tuning)); err != nil {
		return err
	}
	if !c.JSON && shown == nil {
		_, shown = fmt.Fprintf(h.out, "\nremembered in %s\n", path)
	}
	return shown
}

// measure gives what was measured, what is remembered of it, and how it is shown.
func (c *tuneCommand) measure(ctx context.Context, h *host, bar *progress) (tuned any, tuning attention.Tuning, show func(io.Writer) error, err error) {
	if c.Model != "" {
		rows, err := c.measureRows(ctx, h, bar)
		if err != nil {
			return nil, tuning, nil, err
		}
		return rows, rows.Tuning, rows.print, nil
	}
	tiles, err := attend.Tune(ctx, c.gpuFlags.options(), c.Quick, func(p attend.Progress) {
		bar.note(fmt.Sprintf("%d of %d: %s", p.Done+1, p.Total, p.Stage))
	})
	if err != nil {
		return nil, tuning, nil, err
	}
	return tiles, tiles.Tuning, func(w io.Writer) error { return printTuned(w, tiles) }, nil
}

func forgetTuning(ctx context.Context, h *host, o gpu.Options) error {
	d, err := gpu.Open(ctx, o)
	if err != nil {
		return err
	}
	info := d.Info()
	d.Release()
	before := rememberedTunings(h.err)
	after := before.Without(info.Name, info.Backend)
	if len(after) == len(before) {
		fmt.Fprintf(h.out, "nothing is remembered of %s\n", info.Name)
		return nil
	}
	path, err := writeTunings(after)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(h.out, "%s is forgotten in %s\n", info.Name, path)
	return err
}

func printTuned(w io.Writer, t *attend.Tuned) error {
	fmt.Fprintf(w, "adapter    %s\n\n", t.Adapter)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "kind\thead dim\ttile\tspan\tus\tTFLOP/s\tGB/s\t\t")
	for _, m := range t.Tried {
		span, flops, bytes, mark := "-", "-", "-", ""
		if m.Span > 0 {
			span = fmt.Sprint(m.Span)
		}
		if m.Kind == attend.Decode {
			bytes = fmt.Sprintf("%.1f", m.GBs)
		} else {
			flops = fmt.Sprintf("%.3g", m.TFLOPs)
		}
		if m.Best {
			mark = "best"
		}
		if m.Skipped != "" {
			fmt.Fprintf(table, "%s\t%d\t%s\t%s\t-\t-\t-\tskipped\t\n", m.Kind, m.HeadDim, m.Tile, span)
			continue
		}
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%.1f\t%s\t%s\t%s\t\n", m.Kind, m.HeadDim, m.Tile, span, 1e6*m.Seconds, flops, bytes, mark)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, m := range t.Tried {
		if m.Skipped != "" {
			fmt.Fprintf(w, "%s, head dim %d, %s: %s\n", m.Kind, m.HeadDim, m.Tile, m.Skipped)
		}
	}
	return nil
}

// tuningPath is where tunings are remembered.
func tuningPath() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "quire", "tune.json"), nil
}

// readTunings reads what quire tune remembers, and tells where. Where nothing is remembered there are none.
func readTunings() (tunings attention.Tunings, path string, err error) {
	if path, err = tuningPath(); err != nil {
		return nil, "", err
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, path, nil
	case err == nil:
		tunings, err = attention.ParseTunings(text)
	}
	return tunings, path, err
}

// rememberedTunings reads what quire tune remembers. What cannot be read is told and passed over.
func rememberedTunings(warn io.Writer) attention.Tunings {
	tunings, path, err := readTunings()
	if err != nil && path != "" {
		fmt.Fprintf(warn, "quire: %s is passed over: %v; \"quire tune\" writes it anew\n", path, err)
	}
	return tunings
}

// newTunings makes a file beside the one that is to be replaced.
func newTunings() (f *os.File, path string, err error) {
	if path, err = tuningPath(); err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		f, err = os.CreateTemp(filepath.Dir(path), "tune-*.json")
	}
	if err != nil {
		return nil, "", fmt.Errorf("what is measured cannot be remembered: %w; name a folder that can be written in XDG_CACHE_HOME or HOME, LocalAppData on Windows", err)
	}
	return f, path, nil
}

// checkCache fails early where nothing could be remembered in the end.
func checkCache() error {
	f, _, err := newTunings()
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// writeTunings replaces the file as a whole and returns its path.
func writeTunings(t attention.Tunings) (string, error) {
	f, path, err := newTunings()
	if err != nil {
		return "", err
	}
	_, err = f.Write(t.Text())
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return path, err
}

// remember gives engine options what quire tune remembers, where they leave the choice of kernels to the adapter.
func remember(o *engine.Options, warn io.Writer) {
	if o.Variant == "" && !o.Deterministic {
		o.Tunings = rememberedTunings(warn)
	}
}
